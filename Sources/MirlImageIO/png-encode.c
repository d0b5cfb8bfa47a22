/* Encodes PNG with libpng. */
#include "internal.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* All state that outlives a longjmp. */
typedef struct encoder {
    png_structp png;
    png_infop info;
    uint8_t *file;
    size_t size, capacity;
    char *xmp;
    mirl_picture_message *message;
} encoder;

static void on_error(png_structp png, png_const_charp text) {
    encoder *encoder = png_get_error_ptr(png);
    picture_fail(encoder->message, MIRL_PICTURE_FAILED, "cannot write PNG: %s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void append(png_structp png, png_bytep bytes, size_t count) {
    encoder *encoder = png_get_io_ptr(png);
    if (count > encoder->capacity - encoder->size) {
        size_t capacity = (encoder->size + count) * 2;
        uint8_t *file = realloc(encoder->file, capacity);
        if (file == NULL) png_error(png, "no memory");
        encoder->file = file;
        encoder->capacity = capacity;
    }
    memcpy(encoder->file + encoder->size, bytes, count);
    encoder->size += count;
}

static void flush(png_structp png) { (void)png; }

static void set_header(encoder *encoder, const mirl_picture *picture) {
    static const int types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                PNG_COLOR_TYPE_RGB_ALPHA};
    png_set_IHDR(encoder->png, encoder->info, picture->width, picture->height, (int)picture->sample_size * 8,
                 types[picture->bands - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (picture->x_resolution > 0 && picture->y_resolution > 0)
        png_set_pHYs(encoder->png, encoder->info, (png_uint_32)lround(picture->x_resolution),
                     (png_uint_32)lround(picture->y_resolution), PNG_RESOLUTION_METER);
}

/* A profile that libpng finds unfit for these samples is left out rather than failing the whole. */
static void set_colour(encoder *encoder, const mirl_picture *picture) {
    const mirl_png_colour *colour = &picture->png_colour;
    const int32_t *c = colour->chromaticities;
    png_set_benign_errors(encoder->png, 1);
    if (colour->has_gamma) png_set_gAMA_fixed(encoder->png, encoder->info, colour->gamma);
    if (colour->has_chromaticities)
        png_set_cHRM_fixed(encoder->png, encoder->info, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
    if (colour->has_code_points) {
        png_unknown_chunk chunk = {"cICP", (png_bytep)colour->code_points, sizeof colour->code_points, PNG_HAVE_IHDR};
        png_set_keep_unknown_chunks(encoder->png, PNG_HANDLE_CHUNK_ALWAYS, chunk.name, 1);
        png_set_unknown_chunks(encoder->png, encoder->info, &chunk, 1);
    }
    if (picture->icc.size > 0)
        png_set_iCCP(encoder->png, encoder->info, "ICC profile", PNG_COMPRESSION_TYPE_BASE, picture->icc.data,
                     (png_uint_32)picture->icc.size);
    else if (colour->has_intent)
        png_set_sRGB(encoder->png, encoder->info, colour->intent);
}

static void set_metadata(encoder *encoder, const mirl_picture *picture) {
    if (picture->exif.size > 0)
        png_set_eXIf_1(encoder->png, encoder->info, (png_uint_32)picture->exif.size, picture->exif.data);
    if (encoder->xmp != NULL) {
        png_text text = {.compression = PNG_ITXT_COMPRESSION_NONE, .key = "XML:com.adobe.xmp", .text = encoder->xmp};
        png_set_text(encoder->png, encoder->info, &text, 1);
    }
}

/* Only this frame, which changes nothing after setjmp, is jumped back to. */
static bool encode(encoder *encoder, const mirl_picture *picture) {
    if (setjmp(png_jmpbuf(encoder->png)) != 0) return false;
    png_set_write_fn(encoder->png, encoder, append, flush);
    set_header(encoder, picture);
    set_colour(encoder, picture);
    set_metadata(encoder, picture);
    png_write_info(encoder->png, encoder->info);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && picture->sample_size == 2) png_set_swap(encoder->png);
    size_t row = (size_t)picture->width * picture->bands * picture->sample_size;
    for (uint32_t y = 0; y < picture->height; y++) png_write_row(encoder->png, picture->pixels + y * row);
    png_write_end(encoder->png, NULL); /* all metadata are written; libpng would write EXIF again */
    return true;
}

mirl_picture_status png_encode(const mirl_picture *picture, mirl_bytes *file, mirl_picture_message *message) {
    encoder encoder = {.message = message};
    picture_fail(message, MIRL_PICTURE_FAILED, "no memory to write PNG");
    if (picture->xmp.size > 0 && (encoder.xmp = strndup(picture->xmp.data, picture->xmp.size)) == NULL)
        return MIRL_PICTURE_FAILED;
    encoder.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder, on_error, on_warning);
    if (encoder.png != NULL) encoder.info = png_create_info_struct(encoder.png);
    bool done = encoder.info != NULL && encode(&encoder, picture);
    png_destroy_write_struct(&encoder.png, &encoder.info);
    free(encoder.xmp);
    if (!done) {
        free(encoder.file);
        return MIRL_PICTURE_FAILED;
    }
    *file = (mirl_bytes){encoder.file, encoder.size};
    return MIRL_PICTURE_OK;
}
