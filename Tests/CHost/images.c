/* images.c - pictures to restore, and what must hold whatever their format and their place in memory. */
#include "host.h"

#include <math.h>
#include <stdlib.h>

static size_t bands(mirl_format format)
{
    return format < MIRL_BGR8 ? (size_t)(format - MIRL_GREY8) % 4 + 1 : (size_t)(format - MIRL_BGR8) % 2 + 3;
}

static size_t sample_bytes(mirl_format format)
{
    return (size_t)1 << (format < MIRL_BGR8 ? (format - MIRL_GREY8) / 4 : (format - MIRL_BGR8) / 2);
}

size_t pixel_bytes(mirl_format format) { return bands(format) * sample_bytes(format); }

size_t image_bytes(const mirl_image *image) { return image->stride * image->height; }

static unsigned char *row(const mirl_image *image, uint32_t y)
{
    return (unsigned char *)image->data + y * image->stride;
}

static size_t row_bytes(const mirl_image *image) { return image->width * pixel_bytes(image->format); }

/* A soft pattern with some grain, as 0..1. */
static float value(size_t x, size_t y)
{
    return (float)((x * 7 + y * 13) % 97 + (x * x + 31 * y) % 23) / 120.0f;
}

static void set_sample(unsigned char *place, size_t bytes, float value)
{
    uint16_t wide = (uint16_t)(value * 65535);
    if (bytes == 1)
        *place = (unsigned char)(value * 255);
    else
        memcpy(place, bytes == 2 ? (void *)&wide : (void *)&value, bytes);
}

mirl_image new_image(mirl_format format, uint32_t width, uint32_t height, size_t gap)
{
    mirl_image image = { sizeof image, format, width, height, width * pixel_bytes(format) + gap, NULL };
    size_t bytes = sample_bytes(format);
    image.data = malloc(image_bytes(&image));
    CHECK(image.data != NULL);
    memset(image.data, 0xA5, image_bytes(&image));
    for (uint32_t y = 0; y < height; y++)
        for (size_t i = 0; i < width * bands(format); i++)
            set_sample(row(&image, y) + i * bytes, bytes, value(i, y));
    return image;
}

mirl_image copy_of(const mirl_image *image)
{
    mirl_image copy = *image;
    copy.data = malloc(image_bytes(image));
    CHECK(copy.data != NULL);
    memcpy(copy.data, image->data, image_bytes(image));
    return copy;
}

bool same_bytes(const mirl_image *a, const mirl_image *b)
{
    return memcmp(a->data, b->data, image_bytes(a)) == 0;
}

mirl_image restored_by(mirl_session *session, const mirl_image *image)
{
    mirl_image output = copy_of(image);
    CHECK_STATUS(mirl_restore(session, image, &output, NULL, NULL), MIRL_OK);
    return output;
}

static bool gaps_untouched(const mirl_image *image)
{
    for (uint32_t y = 0; y < image->height; y++)
        for (size_t i = row_bytes(image); i < image->stride; i++)
            if (row(image, y)[i] != 0xA5)
                return false;
    return true;
}

static bool alpha_equal(const mirl_image *a, const mirl_image *b)
{
    size_t pixel = pixel_bytes(a->format), sample = sample_bytes(a->format);
    if (bands(a->format) % 2 == 1)
        return true;
    for (uint32_t y = 0; y < a->height; y++)
        for (size_t end = pixel; end <= row_bytes(a); end += pixel)
            if (memcmp(row(a, y) + end - sample, row(b, y) + end - sample, sample) != 0)
                return false;
    return true;
}

void check_formats(void)
{
    mirl_session *session = default_session(0);
    for (mirl_format format = MIRL_GREY8; format <= MIRL_BGRAF; format++) {
        mirl_image input = new_image(format, 13, 9, 3 * sample_bytes(format));
        mirl_image original = copy_of(&input), output = copy_of(&input);
        CHECK_STATUS(mirl_restore(session, &input, &output, NULL, NULL), MIRL_OK);
        CHECK(same_bytes(&input, &original));
        CHECK(gaps_untouched(&output));
        CHECK(alpha_equal(&input, &output));

        CHECK_STATUS(mirl_restore(session, &input, &input, NULL, NULL), MIRL_OK);
        CHECK(same_bytes(&input, &output));
        free(input.data);
        free(original.data);
        free(output.data);
    }
    mirl_session_free(session);
}

/* Exchanges the first and the third band of an image that has no gaps. */
static void swap_red_and_blue(const mirl_image *image)
{
    size_t sample = sample_bytes(image->format), pixel = pixel_bytes(image->format);
    for (size_t i = 0; i < image_bytes(image); i += pixel)
        for (size_t j = i; j < i + sample; j++) {
            unsigned char *bytes = image->data, first = bytes[j];
            bytes[j] = bytes[j + 2 * sample];
            bytes[j + 2 * sample] = first;
        }
}

void check_blue_first(void)
{
    static const mirl_format pairs[][2] = {
        { MIRL_RGB8, MIRL_BGR8 }, { MIRL_RGBA8, MIRL_BGRA8 }, { MIRL_RGB16, MIRL_BGR16 },
        { MIRL_RGBA16, MIRL_BGRA16 }, { MIRL_RGBF, MIRL_BGRF }, { MIRL_RGBAF, MIRL_BGRAF },
    };
    mirl_session *session = default_session(0);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        mirl_image rgb = new_image(pairs[i][0], 15, 10, 0), bgr = copy_of(&rgb);
        bgr.format = pairs[i][1];
        swap_red_and_blue(&bgr);
        CHECK_STATUS(mirl_restore(session, &rgb, &rgb, NULL, NULL), MIRL_OK);
        CHECK_STATUS(mirl_restore(session, &bgr, &bgr, NULL, NULL), MIRL_OK);
        CHECK(!same_bytes(&rgb, &bgr));
        swap_red_and_blue(&bgr);
        CHECK(same_bytes(&rgb, &bgr));
        free(rgb.data);
        free(bgr.data);
    }
    mirl_session_free(session);
}

/* The halves of one picture are an input and an output that interleave in memory without touching. */
void check_sharing_memory(void)
{
    mirl_session *session = default_session(0);
    mirl_image both = new_image(MIRL_RGB8, 20, 6, 0);
    mirl_image left = both, right = both, apart = new_image(MIRL_RGB8, 10, 6, 0);
    left.width = right.width = 10;
    right.data = row(&both, 0) + 30;
    CHECK_STATUS(mirl_restore(session, &left, &right, NULL, NULL), MIRL_OK);
    CHECK_STATUS(mirl_restore(session, &left, &apart, NULL, NULL), MIRL_OK);
    for (uint32_t y = 0; y < both.height; y++)
        CHECK(memcmp(row(&right, y), row(&apart, y), 30) == 0);

    right.data = row(&both, 0) + 29;
    CHECK_STATUS(mirl_restore(session, &left, &right, NULL, NULL), MIRL_ERROR_ARGUMENT);
    right.data = row(&both, 1) + 3;
    CHECK_STATUS(mirl_restore(session, &left, &right, NULL, NULL), MIRL_ERROR_ARGUMENT);
    free(both.data);
    free(apart.data);
    mirl_session_free(session);
}

static void restore_with_strength(
    mirl_session *session, const mirl_image *input, const mirl_image *output, float strength)
{
    mirl_restore_options options = { sizeof options, MIRL_AUTO, strength, NULL, NULL };
    CHECK_STATUS(mirl_restore(session, input, output, &options, NULL), MIRL_OK);
}

/* Floats beyond black and white, among others: strength 0 keeps them, 1 does not, between them there is a blend. */
static void check_strength_of_floats(mirl_session *session)
{
    static const float beyond[] = { -0.5f, 1.75f, -0.0f, 1e-42f, 1e30f, -INFINITY, INFINITY, NAN };
    enum { count = sizeof beyond / sizeof *beyond };
    mirl_image input = new_image(MIRL_GREYF, 16, 9, 0);
    mirl_image none = copy_of(&input), half = copy_of(&input), full = copy_of(&input);
    memcpy(row(&input, 4), beyond, sizeof beyond);
    restore_with_strength(session, &input, &none, 0);
    restore_with_strength(session, &input, &half, 0.5f);
    restore_with_strength(session, &input, &full, 1);
    CHECK(same_bytes(&none, &input));
    for (size_t i = 0; i < 16 * 9; i++) {
        float before = ((float *)input.data)[i], blend = ((float *)half.data)[i], after = ((float *)full.data)[i];
        float expected = 0.5f * before + 0.5f * after;
        CHECK(after >= 0 && after <= 1);
        CHECK(isfinite(before) ? fabsf(blend - expected) <= 1e-6f * fabsf(expected) + 1e-7f
                               : isnan(before) == isnan(blend) && isinf(before) == isinf(blend));
    }
    free(input.data);
    free(none.data);
    free(half.data);
    free(full.data);
}

/* Where the network goes beyond black and white, a blend is one with black or white, for samples as for floats. */
static void check_strength_of_samples(mirl_session *session)
{
    mirl_image input = new_image(MIRL_GREY16, 24, 20, 0), half = copy_of(&input), full = copy_of(&input);
    for (uint32_t y = 0; y < input.height; y++)
        for (uint32_t x = 0; x < input.width; x++)
            ((uint16_t *)row(&input, y))[x] = (x / 4 + y / 4) % 2 ? 65000 : 500;
    restore_with_strength(session, &input, &half, 0.5f);
    restore_with_strength(session, &input, &full, 1);
    int limits = 0;
    for (size_t i = 0; i < 24 * 20; i++) {
        int before = ((uint16_t *)input.data)[i], blend = ((uint16_t *)half.data)[i], after = ((uint16_t *)full.data)[i];
        CHECK(abs(2 * blend - before - after) <= 2);
        limits += after == 0 || after == 65535;
    }
    CHECK(limits > 0);
    free(input.data);
    free(half.data);
    free(full.data);
}

/* Every sample of 16 bits comes back. */
static void check_all_samples(mirl_session *session)
{
    mirl_image input = new_image(MIRL_GREY16, 256, 256, 0), output = copy_of(&input);
    for (size_t i = 0; i < 65536; i++)
        ((uint16_t *)input.data)[i] = (uint16_t)(i * 40503);
    restore_with_strength(session, &input, &output, 0);
    CHECK(same_bytes(&input, &output));
    free(input.data);
    free(output.data);
}

void check_strength(void)
{
    mirl_session *session = default_session(0);
    mirl_image input = new_image(MIRL_RGB16, 11, 10, 0), output = copy_of(&input);
    mirl_restore_options options = { sizeof options, MIRL_DERAIN, 0, NULL, NULL };
    memset(output.data, 0, image_bytes(&output));
    CHECK_STATUS(mirl_restore(session, &input, &output, &options, NULL), MIRL_OK);
    CHECK(same_bytes(&input, &output));

    options.task = MIRL_AUTO;
    options.strength = 1;
    mirl_image by_default = copy_of(&input);
    CHECK_STATUS(mirl_restore(session, &input, &output, &options, NULL), MIRL_OK);
    CHECK_STATUS(mirl_restore(session, &input, &by_default, NULL, NULL), MIRL_OK);
    CHECK(same_bytes(&output, &by_default));
    free(input.data);
    free(output.data);
    free(by_default.data);
    check_strength_of_floats(session);
    check_strength_of_samples(session);
    check_all_samples(session);
    mirl_session_free(session);
}
