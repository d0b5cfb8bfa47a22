/* Makes a picture upright, and its metadata say so. */
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t read_integer(const uint8_t *bytes, unsigned count, bool big_endian) {
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++) value = value << 8 | bytes[big_endian ? i : count - 1 - i];
    return value;
}

/* The two bytes of the orientation in the first directory of an EXIF block; NULL where there is none. */
static uint8_t *find_orientation(mirl_bytes exif, bool *big_endian) {
    enum { header = 8, entry_size = 12, tag_orientation = 0x0112, type_short = 3 };
    uint8_t *bytes = exif.data;
    if (exif.size < header) return NULL;
    if (memcmp(bytes, "II*\0", 4) == 0)
        *big_endian = false;
    else if (memcmp(bytes, "MM\0*", 4) == 0)
        *big_endian = true;
    else
        return NULL;
    size_t directory = read_integer(bytes + 4, 4, *big_endian);
    if (directory + 2 > exif.size) return NULL;
    size_t count = read_integer(bytes + directory, 2, *big_endian);
    for (size_t i = 0, at = directory + 2; i < count && at + entry_size <= exif.size; i++, at += entry_size)
        if (read_integer(bytes + at, 2, *big_endian) == tag_orientation &&
            read_integer(bytes + at + 2, 2, *big_endian) == type_short)
            return bytes + at + 8;
    return NULL;
}

uint32_t exif_orientation(mirl_bytes exif) {
    bool big_endian;
    const uint8_t *value = find_orientation(exif, &big_endian);
    uint32_t orientation = value != NULL ? read_integer(value, 2, big_endian) : 1;
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/* XMP repeats the orientation as an attribute or an element; both put the digit soon after the name. */
static void reset_xmp_orientation(mirl_bytes xmp) {
    static const char name[] = "tiff:Orientation";
    char *end = (char *)xmp.data + xmp.size;
    for (char *at = xmp.data; (at = memmem(at, (size_t)(end - at), name, sizeof name - 1)) != NULL;) {
        at += sizeof name - 1;
        while (at < end && memchr("=\"'> \t\r\n", *at, 8) != NULL) at++;
        if (at < end && *at >= '2' && *at <= '8') *at = '1';
    }
}

void reset_orientation(mirl_picture *picture) {
    bool big_endian;
    uint8_t *value = find_orientation(picture->exif, &big_endian);
    if (value != NULL) {
        value[0] = big_endian ? 0 : 1;
        value[1] = big_endian ? 1 : 0;
    }
    if (picture->xmp.size > 0) reset_xmp_orientation(picture->xmp);
}

static void swap_sides(mirl_picture *picture) {
    uint32_t width = picture->width;
    picture->width = picture->height;
    picture->height = width;
    double resolution = picture->x_resolution;
    picture->x_resolution = picture->y_resolution;
    picture->y_resolution = resolution;
}

/* Every orientation is a walk over the source: from one corner, along one side, then along the other. */
mirl_picture_status orient(mirl_picture *picture, uint32_t from, mirl_picture_message *message) {
    if (from <= 1 || from > 8) return MIRL_PICTURE_OK;
    bool from_right = from == 2 || from == 3 || from == 7 || from == 8;
    bool from_bottom = from == 3 || from == 4 || from == 6 || from == 7;
    bool turned = from >= 5;

    size_t pixel_size = (size_t)picture->bands * picture->sample_size;
    ptrdiff_t pixel = (ptrdiff_t)pixel_size, row = pixel * picture->width;
    uint8_t *upright = malloc(picture_size(picture));
    if (upright == NULL) return picture_fail(message, MIRL_PICTURE_FAILED, "no memory to turn the image");
    ptrdiff_t along_width = from_right ? -pixel : pixel, along_height = from_bottom ? -row : row;
    ptrdiff_t to_next_pixel = turned ? along_height : along_width, to_next_line = turned ? along_width : along_height;
    ptrdiff_t line = (from_right ? row - pixel : 0) + (from_bottom ? (picture->height - 1) * row : 0);

    if (turned) swap_sides(picture);
    uint8_t *out = upright;
    for (uint32_t y = 0; y < picture->height; y++, line += to_next_line) {
        ptrdiff_t in = line;
        for (uint32_t x = 0; x < picture->width; x++, in += to_next_pixel, out += pixel_size)
            memcpy(out, picture->pixels + in, pixel_size);
    }
    free(picture->pixels);
    picture->pixels = upright;
    return MIRL_PICTURE_OK;
}
