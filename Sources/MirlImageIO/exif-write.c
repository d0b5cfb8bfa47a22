/* Puts an EXIF block into an encoded file as it is. libvips would make one anew, of the tags that libexif knows. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { jfif_size = 18 };

static uint32_t read_big_endian_16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static uint32_t read_little_endian_32(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void write_little_endian_32(uint8_t *to, size_t value) {
    for (unsigned i = 0; i < 4; i++, value >>= 8) to[i] = (uint8_t)value;
}

static uint8_t *append(uint8_t *to, const void *from, size_t size) {
    memcpy(to, from, size);
    return to + size;
}

/* JFIF's segment: version 1.1, dots per inch, no thumbnail. Where there is EXIF, libvips writes none. */
static uint8_t *append_jfif(uint8_t *to, const mirl_picture *picture) {
    const double inch = 0.0254;
    bool known = picture->x_resolution > 0 && picture->y_resolution > 0;
    double x = known ? picture->x_resolution * inch : 72, y = known ? picture->y_resolution * inch : 72;
    unsigned across = (unsigned)(x < UINT16_MAX ? x + 0.5 : UINT16_MAX);
    unsigned down = (unsigned)(y < UINT16_MAX ? y + 0.5 : UINT16_MAX);
    const uint8_t segment[jfif_size] = {0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 1,
                                        (uint8_t)(across >> 8), (uint8_t)across, (uint8_t)(down >> 8), (uint8_t)down};
    return append(to, segment, sizeof segment);
}

/* A JPEG begins with segments, each a marker, a length that counts itself, and what it is named after; JFIF and EXIF come
 * first. */
static bool put_into_jpeg(mirl_bytes *file, const mirl_picture *picture) {
    static const uint8_t name[6] = "Exif\0";
    enum { marker = 2, head = marker + 2, app0 = 0xE0, app1 = 0xE1, most = UINT16_MAX - 2 };
    mirl_bytes exif = picture->exif;
    if (sizeof name + exif.size > most) return true;
    const uint8_t *in = file->data, *end = in + file->size, *next = in + marker;
    uint8_t *made = malloc(file->size + jfif_size + head + sizeof name + exif.size), *out = made;
    if (made == NULL) return false;
    out = append_jfif(append(out, in, marker), picture);
    size_t length = head - marker + sizeof name + exif.size;
    out = append(out, (uint8_t[]){0xFF, app1, (uint8_t)(length >> 8), (uint8_t)length}, head);
    out = append(append(out, name, sizeof name), exif.data, exif.size);
    while (next[1] == app0 || (next[1] == app1 && memcmp(next + head, name, sizeof name) == 0))
        next += marker + read_big_endian_16(next + marker);
    out = append(out, next, (size_t)(end - next));
    free(file->data);
    *file = (mirl_bytes){made, (size_t)(out - made)};
    return true;
}

/* A WebP file is a list of chunks, each a name, a size, and content that is filled up to an even size. If there is more
 * than the image, the first, VP8X, tells what, and the sides, less 1; EXIF comes after the image. */
static bool put_into_webp(mirl_bytes *file, const mirl_picture *picture) {
    enum { file_head = 12, head = 8, outline = 10, flags = file_head + head, has_exif = 0x08, has_alpha = 0x10 };
    mirl_bytes exif = picture->exif;
    const uint8_t *in = file->data, *end = in + file->size;
    uint8_t *made = malloc(file->size + head + outline + head + exif.size + 1), *out = made;
    if (made == NULL) return false;
    out = append(out, in, file_head);
    if (memcmp(in + file_head, "VP8X", 4) != 0) {
        uint8_t chunk[head + outline + 1] = {'V', 'P', '8', 'X', outline};
        chunk[head] = picture->bands % 2 == 0 ? has_alpha : 0;
        write_little_endian_32(chunk + head + 4, picture->width - 1);
        write_little_endian_32(chunk + head + 7, picture->height - 1);
        out = append(out, chunk, head + outline);
    }
    for (const uint8_t *chunk = in + file_head; end - chunk >= head;) {
        size_t size = head + (((size_t)read_little_endian_32(chunk + 4) + 1) & ~(size_t)1);
        if (size > (size_t)(end - chunk)) size = (size_t)(end - chunk);
        if (memcmp(chunk, "EXIF", 4) != 0) out = append(out, chunk, size);
        chunk += size;
    }
    out = append(out, "EXIF", 4);
    write_little_endian_32(out, exif.size);
    out = append(out + 4, exif.data, exif.size);
    if (exif.size % 2 != 0) *out++ = 0;
    made[flags] |= has_exif;
    write_little_endian_32(made + 4, (size_t)(out - made) - 8);
    free(file->data);
    *file = (mirl_bytes){made, (size_t)(out - made)};
    return true;
}

bool put_exif(mirl_bytes *file, mirl_picture_format format, const mirl_picture *picture) {
    if (picture->exif.size == 0) return true;
    switch (format) {
    case MIRL_PICTURE_JPEG: return put_into_jpeg(file, picture);
    case MIRL_PICTURE_WEBP: return put_into_webp(file, picture);
    default: return true;
    }
}
