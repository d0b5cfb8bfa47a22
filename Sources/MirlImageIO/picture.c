/* The entry points: picks the decoder or encoder, and does what all formats have in common. */
#include "internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mirl_picture_status picture_fail(mirl_picture_message *message, mirl_picture_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return status;
}

mirl_picture_status mirl_picture_check_size(uint64_t width, uint64_t height, uint64_t limit,
                                            mirl_picture_message *message) {
    if (width == 0 || height == 0 || width > UINT16_MAX || height > UINT16_MAX)
        return picture_fail(message, MIRL_PICTURE_BAD, "%" PRIu64 "x%" PRIu64 " pixels: each side may be 1 to 65535",
                            width, height);
    if (width * height > limit)
        return picture_fail(message, MIRL_PICTURE_BAD,
                            "%" PRIu64 "x%" PRIu64 " pixels are more than the limit of %" PRIu64 " (--limit-pixels)",
                            width, height, limit);
    return MIRL_PICTURE_OK;
}

size_t picture_size(const mirl_picture *picture) {
    return (size_t)picture->width * picture->height * picture->bands * picture->sample_size;
}

bool bytes_copy(mirl_bytes *copy, const void *data, size_t size) {
    *copy = (mirl_bytes){NULL, 0};
    if (size == 0) return true;
    if ((copy->data = malloc(size)) == NULL) return false;
    memcpy(copy->data, data, size);
    copy->size = size;
    return true;
}

static mirl_picture_status decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                                  mirl_picture_message *message) {
    if (size == 0) return picture_fail(message, MIRL_PICTURE_BAD, "empty, no image");
    __typeof__(&vips_decode) decoder = is_png(data, size) ? png_decode : is_pnm(data, size) ? pnm_decode : vips_decode;
    mirl_picture_status status = decoder(data, size, limit, picture, message);
    if (status == MIRL_PICTURE_OK) status = orient(picture, picture->origin.orientation, message);
    if (status != MIRL_PICTURE_OK) return status;
    /* What XMP alone tells of is not applied, and may be by whoever reads the result. HEIF and TIFF have their own. */
    const char *format = picture->origin.format;
    bool has_own = strcmp(format, "heif") == 0 || strcmp(format, "tiff") == 0;
    if (picture->origin.orientation > 1 || exif_has_orientation(picture->exif) || has_own)
        reset_xmp_orientation(picture->xmp);
    exif_describe(&picture->exif, picture->width, picture->height, picture->origin.orientation);
    return MIRL_PICTURE_OK;
}

mirl_picture_status mirl_picture_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                                        mirl_picture_message *message) {
    mirl_picture decoded = {0};
    mirl_picture_status status = decode(data, size, limit, &decoded, message);
    if (status == MIRL_PICTURE_OK)
        *picture = decoded;
    else
        mirl_picture_free(&decoded);
    return status;
}

mirl_picture_status mirl_picture_look_at(const void *data, size_t size, uint64_t limit, mirl_picture_outline *outline,
                                         mirl_picture_message *message) {
    *outline = (mirl_picture_outline){0};
    if (is_png(data, size)) return png_look_at(data, size, limit, outline, message);
    if (is_pnm(data, size)) return pnm_look_at(data, size, limit, outline, message);
    outline->extent = size < 8 ? 0 : SIZE_MAX;
    return MIRL_PICTURE_OK;
}

static bool is_picture(const void *data, size_t size) {
    return is_png(data, size) || is_pnm(data, size) || vips_loader(data, size) != NULL;
}

bool is_followed(const uint8_t *rest, size_t size) {
    while (size > 0 && isspace(*rest)) rest++, size--;
    return is_picture(rest, size);
}

mirl_picture_status picture_fail_followed(mirl_picture_message *message) {
    return picture_fail(message, MIRL_PICTURE_BAD, "another image follows, which only raw PNM may do in a stream");
}

mirl_picture_status picture_fail_unknown(mirl_picture_message *message) {
    return picture_fail(message, MIRL_PICTURE_BAD, "not an image of a format that is read");
}

mirl_picture_status mirl_picture_check_beginning(const void *data, size_t size, mirl_picture_message *message) {
    return is_picture(data, size) ? MIRL_PICTURE_OK : picture_fail_unknown(message);
}

mirl_picture_status mirl_picture_encode(const mirl_picture *picture, mirl_picture_format format, unsigned quality,
                                        mirl_bytes *file, mirl_picture_message *message) {
    switch (format) {
    case MIRL_PICTURE_PNG: return png_encode(picture, file, message);
    case MIRL_PICTURE_PPM: return pnm_encode(picture, file, message);
    default: return vips_encode(picture, format, quality, file, message);
    }
}

void mirl_picture_strip(mirl_picture *picture) {
    free(picture->exif.data);
    free(picture->xmp.data);
    free(picture->iptc.data);
    picture->exif = picture->xmp = picture->iptc = (mirl_bytes){NULL, 0};
}

mirl_picture_status mirl_picture_repeat(mirl_picture *picture, mirl_picture_message *message) {
    mirl_picture wide = *picture;
    wide.width *= 2;
    mirl_picture_status status = mirl_picture_check_size(wide.width, wide.height, UINT64_MAX, message);
    if (status != MIRL_PICTURE_OK) return status;
    wide.pixels = malloc(picture_size(&wide));
    if (wide.pixels == NULL) return picture_fail(message, MIRL_PICTURE_FAILED, "no memory for two images");
    size_t row = picture_size(picture) / picture->height;
    for (size_t y = 0; y < picture->height; y++)
        for (size_t half = 0; half < 2; half++)
            memcpy(wide.pixels + (2 * y + half) * row, picture->pixels + y * row, row);
    free(picture->pixels);
    *picture = wide;
    exif_describe(&picture->exif, picture->width, picture->height, 1);
    return MIRL_PICTURE_OK;
}

void mirl_picture_free(mirl_picture *picture) {
    if (picture == NULL) return;
    free(picture->pixels);
    free(picture->icc.data);
    free(picture->exif.data);
    free(picture->xmp.data);
    free(picture->iptc.data);
    *picture = (mirl_picture){0};
}
