/* Decodes PNG with libpng. */
#include "internal.h"

#include <ctype.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define XMP_KEY "XML:com.adobe.xmp"
#define EXIF_KEY "Raw profile type exif"
#define APP1_KEY "Raw profile type APP1" /* EXIF, or XMP */

/* All state that outlives a longjmp. */
typedef struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *next;
    size_t left;
    size_t until_chunk; /* bytes before the next chunk begins */
    bool has_xmp, has_exif, has_app1;
    mirl_picture_status status;
    mirl_picture_message *message;
} decoder;

bool is_png(const void *data, size_t size) { return size >= 8 && png_sig_cmp(data, 0, 8) == 0; }

/* IHDR comes first: its length, its name, width, height, bits of a sample, kind of colour. Transparency, which is told
 * of later, adds a band. */
mirl_picture_status png_look_at(const void *data, size_t size, uint64_t limit, mirl_picture_outline *outline,
                                mirl_picture_message *message) {
    enum { name_at = 12, width_at = 16, height_at = 20, depth_at = 24, colour_at = 25, end = 26 };
    const uint8_t *bytes = data;
    if (size < end) return MIRL_PICTURE_OK;
    outline->extent = SIZE_MAX;
    mirl_picture header = {.width = png_get_uint_32(bytes + width_at), .height = png_get_uint_32(bytes + height_at)};
    if (memcmp(bytes + name_at, "IHDR", 4) != 0 || header.width == 0 || header.height == 0)
        return MIRL_PICTURE_OK; /* libpng tells what is wrong with it */
    bool colour = (bytes[colour_at] & PNG_COLOR_MASK_COLOR) != 0;
    bool alpha = (bytes[colour_at] & PNG_COLOR_MASK_ALPHA) != 0;
    header.bands = (colour ? 3 : 1) + (alpha ? 1 : 0);
    header.sample_size = bytes[depth_at] == 16 ? 2 : 1;
    *outline = (mirl_picture_outline){SIZE_MAX, header.width, header.height, picture_size(&header)};
    return mirl_picture_check_size(header.width, header.height, limit, message);
}

/* Whether a text has this keyword, with the zero that ends it, and none had before. */
static bool is_first(bool *had, const char *key, const uint8_t *text, size_t length) {
    size_t size = strlen(key) + 1;
    bool is = !*had && length >= size && memcmp(text, key, size) == 0;
    *had |= is;
    return is;
}

/* Texts and palettes that nothing here reads. libpng would inflate and keep them all, gigabytes of a small file. */
static bool is_unread(decoder *decoder, const uint8_t *chunk, size_t length) {
    const uint8_t *name = chunk + 4, *data = chunk + 8;
    if (memcmp(name, "tEXt", 4) == 0 || memcmp(name, "zTXt", 4) == 0)
        return !is_first(&decoder->has_exif, EXIF_KEY, data, length) &&
               !is_first(&decoder->has_app1, APP1_KEY, data, length);
    if (memcmp(name, "iTXt", 4) == 0) return !is_first(&decoder->has_xmp, XMP_KEY, data, length);
    return memcmp(name, "sPLT", 4) == 0;
}

static void pass_over(decoder *decoder, size_t count) {
    decoder->next += count;
    decoder->left -= count;
}

/* Passes over chunks after the header that are not read, and counts the bytes of the one that is. What is cut short
 * libpng sees. */
static void find_chunk(decoder *decoder) {
    enum { around = 12 }; /* length, name and checksum */
    while (decoder->left >= around) {
        size_t length = png_get_uint_32(decoder->next);
        decoder->until_chunk = around + length;
        if (length > decoder->left - around || !is_unread(decoder, decoder->next, length)) return;
        pass_over(decoder, decoder->until_chunk);
    }
    decoder->until_chunk = decoder->left;
}

/* libpng asks for no more than a chunk at once. */
static void read_bytes(png_structp png, png_bytep to, size_t count) {
    decoder *decoder = png_get_io_ptr(png);
    if (decoder->until_chunk == 0) find_chunk(decoder);
    if (count > decoder->left) png_error(png, "the file ends too early");
    memcpy(to, decoder->next, count);
    pass_over(decoder, count);
    decoder->until_chunk -= count < decoder->until_chunk ? count : decoder->until_chunk;
}

static void on_error(png_structp png, png_const_charp text) {
    decoder *decoder = png_get_error_ptr(png);
    decoder->status = picture_fail(decoder->message, MIRL_PICTURE_BAD, "damaged PNG: %s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

/* Asks libpng for 8 or 16 bit samples in host order, palettes and transparent colours spelt out. */
static void describe_samples(decoder *decoder, mirl_picture *picture) {
    png_structp png = decoder->png;
    png_set_expand(png);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, decoder->info);
    picture->bands = png_get_channels(png, decoder->info);
    picture->sample_size = png_get_bit_depth(png, decoder->info) / 8;
}

/* One pass over all rows, or seven if the file is interlaced. */
static void read_pixels(decoder *decoder, mirl_picture *picture) {
    size_t row = (size_t)picture->width * picture->bands * picture->sample_size;
    bool interlaced = png_get_interlace_type(decoder->png, decoder->info) != PNG_INTERLACE_NONE;
    int passes = interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1;
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < picture->height; y++) png_read_row(decoder->png, picture->pixels + y * row, NULL);
}

static png_textp find_text(decoder *decoder, const char *key) {
    png_textp texts = NULL;
    int count = png_get_text(decoder->png, decoder->info, &texts, NULL);
    for (int i = 0; i < count; i++)
        if (strcmp(texts[i].key, key) == 0) return &texts[i];
    return NULL;
}

static bool read_xmp(decoder *decoder, mirl_picture *picture) {
    png_textp text = find_text(decoder, XMP_KEY);
    if (text == NULL) return true;
    return bytes_copy(&picture->xmp, text->text, text->itxt_length > 0 ? text->itxt_length : text->text_length);
}

static bool read_profile(decoder *decoder, mirl_picture *picture) {
    png_charp name;
    png_bytep profile;
    png_uint_32 size;
    int compression;
    return png_get_iCCP(decoder->png, decoder->info, &name, &compression, &profile, &size) == 0 ||
           bytes_copy(&picture->icc, profile, size);
}

/* A raw profile is a text of three parts: what it is, the number of its bytes, and these as pairs of digits. Decodes in
 * place; NULL where the text is none. */
static uint8_t *decode_raw_profile(char *text, size_t *size) {
    char *next = text + strspn(text, " \n");
    next += strcspn(next, "\n");
    size_t count = strtoul(next, &next, 10), done = 0;
    uint8_t *bytes = (uint8_t *)text; /* what is written lies before what is read */
    for (; done < count; next += 2) {
        next += strspn(next, " \n");
        if (!isxdigit((unsigned char)next[0]) || !isxdigit((unsigned char)next[1])) return NULL;
        bytes[done++] = (uint8_t)strtoul((char[]){next[0], next[1], '\0'}, NULL, 16);
    }
    *size = done;
    return bytes;
}

/* From its chunk, or as programs wrote it that did not know that yet, in the same form as in JPEG. */
static bool read_exif(decoder *decoder, mirl_picture *picture) {
    static const char head[6] = "Exif\0";
    png_bytep exif;
    png_uint_32 size;
    if (png_get_eXIf_1(decoder->png, decoder->info, &size, &exif) != 0) return bytes_copy(&picture->exif, exif, size);
    png_textp text = find_text(decoder, EXIF_KEY);
    if (text == NULL) text = find_text(decoder, APP1_KEY);
    size_t length = 0;
    uint8_t *profile = text != NULL ? decode_raw_profile(text->text, &length) : NULL;
    if (profile == NULL || length < sizeof head || memcmp(profile, head, sizeof head) != 0) return true;
    return bytes_copy(&picture->exif, profile + sizeof head, length - sizeof head);
}

/* The content of a chunk that libpng does not know; NULL where there is none of that size. */
static const uint8_t *find_content(decoder *decoder, const char *name, size_t size) {
    png_unknown_chunkp chunks;
    int count = png_get_unknown_chunks(decoder->png, decoder->info, &chunks);
    for (int i = 0; i < count; i++)
        if (memcmp(chunks[i].name, name, 4) == 0 && chunks[i].size == size) return chunks[i].data;
    return NULL;
}

static void read_colour(decoder *decoder, mirl_picture *picture) {
    mirl_png_colour *colour = &picture->png_colour;
    int32_t *c = colour->chromaticities;
    colour->has_gamma = png_get_gAMA_fixed(decoder->png, decoder->info, &colour->gamma) != 0;
    colour->has_chromaticities = png_get_cHRM_fixed(decoder->png, decoder->info, &c[0], &c[1], &c[2], &c[3], &c[4],
                                                    &c[5], &c[6], &c[7]) != 0;
    colour->has_intent = png_get_sRGB(decoder->png, decoder->info, &colour->intent) != 0;
    const uint8_t *code_points = find_content(decoder, "cICP", sizeof colour->code_points);
    colour->has_code_points = code_points != NULL;
    if (code_points != NULL) memcpy(colour->code_points, code_points, sizeof colour->code_points);
}

/* An animation has a chunk that counts its frames and repetitions. */
static uint32_t count_frames(decoder *decoder) {
    const uint8_t *animation = find_content(decoder, "acTL", 8);
    uint32_t frames = animation != NULL ? png_get_uint_32(animation) : 0;
    return frames >= 1 && frames <= INT32_MAX ? frames : 1;
}

/* Some metadata may come after the pixels, so this runs at the end. */
static bool read_metadata(decoder *decoder, mirl_picture *picture) {
    picture->x_resolution = png_get_x_pixels_per_meter(decoder->png, decoder->info);
    picture->y_resolution = png_get_y_pixels_per_meter(decoder->png, decoder->info);
    read_colour(decoder, picture);
    if (!read_exif(decoder, picture) || !read_xmp(decoder, picture) || !read_profile(decoder, picture)) return false;
    int orientation = exif_orientation(picture->exif);
    picture->origin = (mirl_picture_origin){
        .format = "png", .pages = count_frames(decoder), .orientation = orientation};
    return true;
}

/* Only this frame, which changes nothing after setjmp, is jumped back to. */
static mirl_picture_status decode(decoder *decoder, uint64_t limit, mirl_picture *picture) {
    if (setjmp(png_jmpbuf(decoder->png)) != 0) return decoder->status;
    png_set_read_fn(decoder->png, decoder, read_bytes);
    png_set_keep_unknown_chunks(decoder->png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "cICP\0acTL", 2);
    png_read_info(decoder->png, decoder->info);
    picture->width = png_get_image_width(decoder->png, decoder->info);
    picture->height = png_get_image_height(decoder->png, decoder->info);
    decoder->status = mirl_picture_check_size(picture->width, picture->height, limit, decoder->message);
    if (decoder->status != MIRL_PICTURE_OK) return decoder->status;

    describe_samples(decoder, picture);
    picture->pixels = malloc(picture_size(picture));
    if (picture->pixels == NULL)
        return picture_fail(decoder->message, MIRL_PICTURE_FAILED, "no memory for the image");
    read_pixels(decoder, picture);
    png_read_end(decoder->png, decoder->info);
    if (is_followed(decoder->next, decoder->left)) return picture_fail_followed(decoder->message);
    if (!read_metadata(decoder, picture))
        return picture_fail(decoder->message, MIRL_PICTURE_FAILED, "no memory for the metadata");
    return MIRL_PICTURE_OK;
}

mirl_picture_status png_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                               mirl_picture_message *message) {
    enum { signature = 8, header = 25 };
    decoder decoder = {.next = data, .left = size, .until_chunk = signature + header, .message = message};
    decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_error, on_warning);
    if (decoder.png != NULL) decoder.info = png_create_info_struct(decoder.png);
    mirl_picture_status status = MIRL_PICTURE_FAILED;
    if (decoder.info != NULL)
        status = decode(&decoder, limit, picture);
    else
        picture_fail(message, status, "libpng cannot start");
    png_destroy_read_struct(&decoder.png, &decoder.info, NULL);
    return status;
}
