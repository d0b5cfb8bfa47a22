/* Puts an EXIF block into an encoded file as it is. libvips would make one anew, of the tags that libexif knows. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

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

/* A JPEG begins with segments, each a marker, a length that counts itself, and what it is named after. EXIF comes first,
 * but for JFIF. */
static bool put_into_jpeg(mirl_bytes *file, mirl_bytes exif) {
    static const uint8_t name[6] = "Exif\0";
    enum { marker = 2, head = marker + 2, app0 = 0xE0, app1 = 0xE1, most = UINT16_MAX - 2 };
    if (sizeof name + exif.size > most) return true;
    const uint8_t *in = file->data, *end = in + file->size, *next = in + marker;
    uint8_t *made = malloc(file->size + head + sizeof name + exif.size), *out = made;
    if (made == NULL) return false;
    out = append(out, in, marker);
    if (next[1] == app0) {
        size_t size = marker + read_big_endian_16(next + marker);
        out = append(out, next, size);
        next += size;
    }
    size_t length = head - marker + sizeof name + exif.size;
    out = append(out, (uint8_t[]){0xFF, app1, (uint8_t)(length >> 8), (uint8_t)length}, head);
    out = append(append(out, name, sizeof name), exif.data, exif.size);
    if (next[1] == app1 && memcmp(next + head, name, sizeof name) == 0) next += marker + read_big_endian_16(next + marker);
    out = append(out, next, (size_t)(end - next));
    free(file->data);
    *file = (mirl_bytes){made, (size_t)(out - made)};
    return true;
}

/* A WebP file is a list of chunks, each a name, a size, and content that is filled up to an even size. The first, VP8X,
 * tells whether there is EXIF, which comes after the image. */
static bool put_into_webp(mirl_bytes *file, mirl_bytes exif) {
    enum { file_head = 12, head = 8, flags = file_head + head, has_exif = 0x08 };
    const uint8_t *in = file->data, *end = in + file->size;
    if (file->size < flags + 1 || memcmp(in + file_head, "VP8X", 4) != 0) return true;
    uint8_t *made = malloc(file->size + head + exif.size + 1), *out = made;
    if (made == NULL) return false;
    out = append(out, in, file_head);
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

bool put_exif(mirl_bytes *file, mirl_picture_format format, mirl_bytes exif) {
    if (exif.size == 0) return true;
    switch (format) {
    case MIRL_PICTURE_JPEG: return put_into_jpeg(file, exif);
    case MIRL_PICTURE_WEBP: return put_into_webp(file, exif);
    default: return true;
    }
}
