/* Decodes everything but PNG and PNM with libvips. */
#define _GNU_SOURCE
#include "vips-srgb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first line of what libvips complains of, but for tags of TIFF that mean nothing here; NULL if there is none. */
static const char *complaint(const vips_library *vips) {
    for (const char *line = vips->error_buffer(); *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        bool is_harmless = strncmp(line, "_TIFFVSetField:", 15) == 0 &&
                           (memmem(line, length, "\"Orientation\" tag", 17) != NULL ||
                            memmem(line, length, "\"ResolutionUnit\" tag", 20) != NULL);
        if (!is_harmless) return line;
    }
    return NULL;
}

/* Whole images may be of kinds that libvips does not read. */
static mirl_picture_status refuse_image(const vips_library *vips, mirl_picture_message *message) {
    const char *reason = complaint(vips) ?: "libvips does not say why";
    bool is_whole = strstr(reason, "not supported") != NULL || strstr(reason, "nsupported") != NULL;
    return vips_library_fail(vips, MIRL_PICTURE_BAD, is_whole ? "cannot be read" : "damaged image", reason, message);
}

static mirl_picture_status refuse_samples(const vips_library *vips, VipsImage *image, mirl_picture_message *message) {
    const char *type = vips->enum_nick(vips->band_format_get_type(), vips->image_get_format(image));
    const char *space = vips->enum_nick(vips->interpretation_get_type(), vips->image_guess_interpretation(image));
    int bands = vips->image_get_bands(image);
    return picture_fail(message, MIRL_PICTURE_BAD,
                        "only grey or colour images of 8 or 16 bits are restored, not %d band%s of type %s in %s",
                        bands, bands == 1 ? "" : "s", type, space);
}

/* Converts to sRGB what is not grey or RGB. */
static mirl_picture_status to_srgb(const vips_library *vips, VipsImage **image, mirl_picture_origin *origin,
                                   mirl_picture_message *message) {
    enum { opaque = 1 }; /* in files of linear floats */
    VipsInterpretation space = vips->image_guess_interpretation(*image);
    switch (vips_to_srgb(vips, image, opaque)) {
    case VIPS_SRGB_KEPT: return MIRL_PICTURE_OK;
    case VIPS_SRGB_REFUSED: return refuse_samples(vips, *image, message);
    case VIPS_SRGB_FAILED: return vips_library_fail(vips, MIRL_PICTURE_BAD, "cannot convert to sRGB",
                                                    vips->error_buffer(), message);
    case VIPS_SRGB_CONVERTED: break;
    }
    snprintf(origin->colour_space, sizeof origin->colour_space, "%s",
             vips->enum_nick(vips->interpretation_get_type(), space));
    return MIRL_PICTURE_OK;
}

/* Whether the image has such a block. */
static bool get_blob(const vips_library *vips, VipsImage *image, const char *name, const void **data, size_t *size) {
    return vips->image_get_typeof(image, name) != 0 && vips->image_get_blob(image, name, data, size) == 0;
}

static bool copy_blob(const vips_library *vips, VipsImage *image, const char *name, mirl_bytes *copy) {
    const void *data;
    size_t size;
    if (!get_blob(vips, image, name, &data, &size)) return true;
    bool headed = size >= 6 && memcmp(data, "Exif\0\0", 6) == 0;
    return headed ? bytes_copy(copy, (const char *)data + 6, size - 6) : bytes_copy(copy, data, size);
}

static bool copy_iptc(const vips_library *vips, VipsImage *image, mirl_bytes *copy) {
    const void *data;
    size_t size;
    return !get_blob(vips, image, VIPS_META_IPTC_NAME, &data, &size) || iptc_copy(copy, data, size);
}

/* libvips 8.14 takes XMP of HEIC for something else if it begins as packets of XMP do. */
static bool copy_heif_xmp(const vips_library *vips, VipsImage *image, mirl_bytes *copy) {
    static const char root[] = "<x:xmpmeta";
    for (int i = 0; i < 10 && copy->size == 0; i++) {
        char name[16];
        const void *data;
        size_t size;
        snprintf(name, sizeof name, "heif-mime-%d", i);
        if (!get_blob(vips, image, name, &data, &size)) continue;
        if (memmem(data, size, root, sizeof root - 1) != NULL && !bytes_copy(copy, data, size)) return false;
    }
    return true;
}

/* libvips counts pixels per millimetre and means "unknown" by 1. */
static mirl_picture_status copy_metadata(const vips_library *vips, VipsImage *image, mirl_picture *picture,
                                         mirl_picture_message *message) {
    if (!copy_blob(vips, image, VIPS_META_ICC_NAME, &picture->icc) ||
        !copy_blob(vips, image, VIPS_META_EXIF_NAME, &picture->exif) ||
        !copy_blob(vips, image, VIPS_META_XMP_NAME, &picture->xmp) || !copy_heif_xmp(vips, image, &picture->xmp) ||
        !copy_iptc(vips, image, &picture->iptc))
        return picture_fail(message, MIRL_PICTURE_FAILED, "no memory for the metadata");
    double x = vips->image_get_xres(image), y = vips->image_get_yres(image);
    if (x == 1 && y == 1) return MIRL_PICTURE_OK;
    picture->x_resolution = x * 1000;
    picture->y_resolution = y * 1000;
    return MIRL_PICTURE_OK;
}

static void describe(const vips_library *vips, VipsImage *image, mirl_picture_origin *origin) {
    const char *loader;
    if (vips->image_get_typeof(image, VIPS_META_LOADER) == 0 ||
        vips->image_get_string(image, VIPS_META_LOADER, &loader) != 0)
        loader = "image";
    const char *end = strstr(loader, "load");
    snprintf(origin->format, sizeof origin->format, "%.*s", (int)(end != NULL ? end - loader : 15), loader);
    origin->pages = (uint32_t)vips->image_get_n_pages(image);
    origin->orientation = (uint32_t)vips->image_get_orientation(image);
}

/* libvips 8.14 only shifts samples of 10 and 12 bits up, so that white is not quite white. */
static void fill_low_bits(const vips_library *vips, VipsImage *image, mirl_picture *picture) {
    int bits;
    if (picture->sample_size != 2 || vips->image_get_typeof(image, "heif-bitdepth") == 0 ||
        vips->image_get_int(image, "heif-bitdepth", &bits) != 0 || bits <= 8 || bits >= 16)
        return;
    uint16_t *samples = (uint16_t *)(void *)picture->pixels;
    for (size_t i = 0; i < picture_size(picture) / 2; i++) samples[i] |= samples[i] >> bits;
}

static mirl_picture_status copy_pixels(const vips_library *vips, VipsImage *image, mirl_picture *picture,
                                       mirl_picture_message *message) {
    int bands = vips->image_get_bands(image);
    VipsBandFormat format = vips->image_get_format(image);
    VipsInterpretation space = vips->image_guess_interpretation(image);
    int colours = space == VIPS_INTERPRETATION_B_W || space == VIPS_INTERPRETATION_GREY16 ? 1 : 3;
    if (bands < colours || bands > colours + 1 || (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT))
        return refuse_samples(vips, image, message);
    picture->bands = (uint32_t)bands;
    picture->sample_size = format == VIPS_FORMAT_UCHAR ? 1 : 2;
    size_t size;
    vips->error_clear();
    picture->pixels = vips->image_write_to_memory(image, &size);
    /* When a worker fails on a TIFF tile, libvips 8.14 may still report success; its error text does not lie. */
    if (picture->pixels == NULL || complaint(vips) != NULL) return refuse_image(vips, message);
    vips->error_clear();
    fill_low_bits(vips, image, picture);
    return MIRL_PICTURE_OK;
}

static mirl_picture_status decode(const vips_library *vips, VipsImage **image, uint64_t limit, mirl_picture *picture,
                                  mirl_picture_message *message) {
    picture->width = (uint32_t)vips->image_get_width(*image);
    picture->height = (uint32_t)vips->image_get_height(*image);
    describe(vips, *image, &picture->origin);
    mirl_picture_status status = mirl_picture_check_size(picture->width, picture->height, limit, message);
    if (status == MIRL_PICTURE_OK) status = to_srgb(vips, image, &picture->origin, message);
    if (status == MIRL_PICTURE_OK) status = copy_pixels(vips, *image, picture, message);
    if (status == MIRL_PICTURE_OK) status = copy_metadata(vips, *image, picture, message);
    return status;
}

/* Raw photos are TIFF files that begin with a preview; and of some kinds of alpha libvips 8.14 makes nonsense. */
static mirl_picture_status check_tiff(const vips_library *vips, VipsImage *image, const void *file, size_t size,
                                      mirl_picture_message *message) {
    enum { tag_subfile = 0x00FE, is_reduced = 1, tag_extra_samples = 0x0152, premultiplied = 1 };
    if (tiff_number(file, size, tag_subfile) & is_reduced)
        return picture_fail(message, MIRL_PICTURE_BAD, "the first page is but a preview, as in raw photos");
    VipsInterpretation space = vips->image_guess_interpretation(image);
    VipsBandFormat format = vips->image_get_format(image);
    bool is_nonsense = space == VIPS_INTERPRETATION_LABS && vips->image_get_bands(image) > 3;
    if (tiff_number(file, size, tag_extra_samples) == premultiplied)
        is_nonsense |= format == VIPS_FORMAT_FLOAT ||
                       (format == VIPS_FORMAT_USHORT && space == VIPS_INTERPRETATION_CMYK);
    if (is_nonsense)
        return picture_fail(message, MIRL_PICTURE_BAD,
                            "alpha beside Lab, or multiplied into floats or 16-bit CMYK, is not read");
    return MIRL_PICTURE_OK;
}

const char *vips_loader(const void *data, size_t size) {
    static const struct {
        size_t place, size;
        const char *bytes, *loader;
    } signs[] = {
        {0, 3, "\xFF\xD8\xFF", "jpegload_buffer"}, {0, 4, "GIF8", "gifload_buffer"},
        {0, 4, "II*\0", "tiffload_buffer"},         {0, 4, "MM\0*", "tiffload_buffer"},
        {0, 4, "II+\0", "tiffload_buffer"},         {0, 4, "MM\0+", "tiffload_buffer"},
        {8, 4, "WEBP", "webpload_buffer"},          {4, 4, "ftyp", "heifload_buffer"},
    };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (size >= signs[i].place + signs[i].size &&
            memcmp((const char *)data + signs[i].place, signs[i].bytes, signs[i].size) == 0)
            return signs[i].loader;
    return NULL;
}

/* Past the sub-blocks at `at`, each of which begins with its size, the last with 0; `size` where they do not end. */
static size_t skip_gif_blocks(const uint8_t *gif, size_t size, size_t at) {
    while (at < size && gif[at] != 0)
        at += 1 + gif[at];
    return at < size ? at + 1 : size;
}

/* Whether all is there, up to the trailer: what comes before the end libvips shows without a word. */
static bool is_gif_whole(const uint8_t *gif, size_t size) {
    size_t at = 13;
    if (size > 10 && gif[10] & 0x80) at += 6 << (gif[10] & 7); /* the colours of all frames */
    while (at < size)
        switch (gif[at]) {
        case 0x21: at = skip_gif_blocks(gif, size, at + 2); break; /* extension */
        case 0x2C:                                                 /* frame, its colours, the size of its codes */
            if (size - at < 11) return false;
            at += 11 + (gif[at + 9] & 0x80 ? 6 << (gif[at + 9] & 7) : 0);
            at = skip_gif_blocks(gif, size, at);
            break;
        case 0: at++; break;  /* readers skip it, and a file that was never written to its end is full of it */
        default: return true; /* the trailer, or what no reader understands */
        }
    return false;
}

static mirl_picture_status decode_file(const vips_library *vips, const void *data, size_t size, uint64_t limit,
                                       mirl_picture *picture, mirl_picture_message *message) {
    /* libvips' own choice could be a decoder that is not fit for untrusted files, and begins before that is blocked. */
    const char *loader = vips_loader(data, size);
    if (loader == NULL) return picture_fail_unknown(message);
    if (vips->type_find("VipsForeignLoad", loader) == 0)
        return picture_fail(message, MIRL_PICTURE_FAILED, "libvips is here without what reads this (%s)", loader);
    VipsImage *image = NULL;
    VipsBlob *blob = vips->blob_new(NULL, data, size);
    int failed = vips->call(loader, blob, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR,
                            NULL);
    vips->area_unref((VipsArea *)blob);
    if (failed) return refuse_image(vips, message);
    mirl_picture_status status = check_tiff(vips, image, data, size, message);
    if (status == MIRL_PICTURE_OK) status = decode(vips, &image, limit, picture, message);
    if (image != NULL) vips->object_unref(image);
    return status;
}

mirl_picture_status vips_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                                mirl_picture_message *message) {
    const vips_library *vips = vips_library_open(message);
    if (vips == NULL) return MIRL_PICTURE_FAILED;
    if (size >= 4 && memcmp(data, "GIF8", 4) == 0 && !is_gif_whole(data, size))
        return picture_fail(message, MIRL_PICTURE_BAD, "damaged image: the GIF is cut short");
    mirl_bytes tidy;
    if (!tidied(data, size, &tidy)) return picture_fail(message, MIRL_PICTURE_FAILED, "no memory for the file");
    if (tidy.data != NULL) data = tidy.data, size = tidy.size;
    mirl_picture_status status = decode_file(vips, data, size, limit, picture, message);
    free(tidy.data);
    return status;
}
