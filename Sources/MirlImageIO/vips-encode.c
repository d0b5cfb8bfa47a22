/* Encodes JPEG, WebP and TIFF with libvips. */
#include "vips-library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The saver and its options: the quality, and the white that JPEG, which has no alpha, gets as its ground. */
static const char *const savers[] = {
    [MIRL_PICTURE_JPEG] = ".jpg[Q=%u,background=255]",
    [MIRL_PICTURE_WEBP] = ".webp[Q=%u]",
    [MIRL_PICTURE_TIFF] = ".tif[compression=deflate,predictor=horizontal]",
};

/* Samples would be shown wrongly by a profile of other colours; WebP always has three bands. */
static bool profile_fits(const mirl_picture *picture, mirl_picture_format format) {
    enum { space_at = 16 };
    const char *space = picture->bands < 3 && format != MIRL_PICTURE_WEBP ? "GRAY" : "RGB ";
    mirl_bytes icc = picture->icc;
    return icc.size >= space_at + 4 && memcmp((const char *)icc.data + space_at, space, 4) == 0;
}

static void set_metadata(const vips_library *vips, VipsImage *image, const mirl_picture *picture,
                         mirl_picture_format format, mirl_bytes iptc) {
    if (iptc.size > 0) vips->image_set_blob_copy(image, VIPS_META_IPTC_NAME, iptc.data, iptc.size);
    if (picture->icc.size > 0 && profile_fits(picture, format))
        vips->image_set_blob_copy(image, VIPS_META_ICC_NAME, picture->icc.data, picture->icc.size);
    if (picture->xmp.size > 0)
        vips->image_set_blob_copy(image, VIPS_META_XMP_NAME, picture->xmp.data, picture->xmp.size);
}

/* An image over the picture's own pixels. */
static VipsImage *wrap(const vips_library *vips, const mirl_picture *picture) {
    bool wide = picture->sample_size == 2;
    VipsBandFormat format = wide ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR;
    VipsInterpretation space = picture->bands >= 3
                                   ? (wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB)
                                   : (wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W);
    int width = (int)picture->width, height = (int)picture->height, bands = (int)picture->bands;
    size_t size = picture_size(picture);
    VipsImage *image = vips->image_new_from_memory(picture->pixels, size, width, height, bands, format);
    if (image == NULL) return NULL;
    bool known = picture->x_resolution > 0 && picture->y_resolution > 0;
    const double usual = 72 / 25.4; /* dots per millimetre, of an image that tells none; libvips has no unknown */
    vips->image_init_fields(image, width, height, bands, format, VIPS_CODING_NONE, space,
                            known ? picture->x_resolution / 1000 : usual, known ? picture->y_resolution / 1000 : usual);
    return image;
}

/* Rounds 16 bits to 8, where libvips would cut off the lower 8. The pixels of `narrow` are from malloc. */
static bool round_to_bytes(const mirl_picture *picture, mirl_picture *narrow) {
    *narrow = *picture;
    narrow->sample_size = 1;
    size_t count = picture_size(narrow);
    narrow->pixels = malloc(count);
    if (narrow->pixels == NULL) return false;
    const uint16_t *samples = (const uint16_t *)picture->pixels;
    for (size_t i = 0; i < count; i++) narrow->pixels[i] = (uint8_t)((samples[i] + 128u) / 257);
    return true;
}

static mirl_picture_status encode(const vips_library *vips, const mirl_picture *picture, mirl_picture_format format,
                                  unsigned quality, mirl_bytes *file, mirl_picture_message *message) {
    char saver[64];
    snprintf(saver, sizeof saver, savers[format], quality);
    mirl_bytes iptc = {NULL, 0};
    if (format == MIRL_PICTURE_JPEG && !iptc_block(&picture->iptc, &iptc))
        return picture_fail(message, MIRL_PICTURE_FAILED, "no memory for the metadata");
    VipsImage *image = wrap(vips, picture);
    if (image != NULL) set_metadata(vips, image, picture, format, iptc);
    free(iptc.data);
    bool failed = image == NULL || vips->image_write_to_buffer(image, saver, &file->data, &file->size, NULL) != 0;
    if (image != NULL) vips->object_unref(image);
    if (failed) return vips_library_fail(vips, MIRL_PICTURE_FAILED, "cannot encode the image",
                                         vips->error_buffer(), message);
    if (put_exif(file, format, picture)) return MIRL_PICTURE_OK;
    free(file->data);
    *file = (mirl_bytes){NULL, 0};
    return picture_fail(message, MIRL_PICTURE_FAILED, "no memory for the metadata");
}

mirl_picture_status vips_encode(const mirl_picture *picture, mirl_picture_format format, unsigned quality,
                                mirl_bytes *file, mirl_picture_message *message) {
    const vips_library *vips = vips_library_open(message);
    if (vips == NULL) return MIRL_PICTURE_FAILED;
    if (picture->sample_size == 1 || format == MIRL_PICTURE_TIFF)
        return encode(vips, picture, format, quality, file, message);
    mirl_picture narrow;
    if (!round_to_bytes(picture, &narrow))
        return picture_fail(message, MIRL_PICTURE_FAILED, "no memory for the image in 8 bits");
    mirl_picture_status status = encode(vips, &narrow, format, quality, file, message);
    free(narrow.pixels);
    return status;
}
