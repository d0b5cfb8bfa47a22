/* Makes a picture upright. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

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
