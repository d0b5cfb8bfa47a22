/* Encodes raw PGM and PPM, which hold neither alpha nor metadata: what is transparent gets a white ground. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t load(const mirl_picture *picture, size_t index) {
    return picture->sample_size == 1 ? picture->pixels[index] : ((const uint16_t *)picture->pixels)[index];
}

static uint8_t *put(uint8_t *out, uint32_t sample, uint32_t size) {
    if (size == 2) *out++ = (uint8_t)(sample >> 8);
    *out++ = (uint8_t)sample;
    return out;
}

mirl_picture_status pnm_encode(const mirl_picture *picture, mirl_bytes *file, mirl_picture_message *message) {
    uint32_t full = picture->sample_size == 1 ? UINT8_MAX : UINT16_MAX;
    uint32_t colours = picture->bands >= 3 ? 3 : 1;
    char header[40];
    size_t header_size = (size_t)snprintf(header, sizeof header, "P%c\n%u %u\n%u\n", colours == 3 ? '6' : '5',
                                          picture->width, picture->height, full);
    size_t pixels = (size_t)picture->width * picture->height;
    uint8_t *start = malloc(header_size + pixels * colours * picture->sample_size), *out = start;
    if (start == NULL) return picture_fail(message, MIRL_PICTURE_FAILED, "no memory to write PNM");

    for (size_t i = 0; i < header_size; i++) *out++ = (uint8_t)header[i];
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        size_t first = pixel * picture->bands;
        uint64_t alpha = colours < picture->bands ? load(picture, first + colours) : full;
        for (uint32_t band = 0; band < colours; band++) {
            uint64_t ground = (full - alpha) * full;
            out = put(out, (uint32_t)((load(picture, first + band) * alpha + ground + full / 2) / full),
                      picture->sample_size);
        }
    }
    *file = (mirl_bytes){start, (size_t)(out - start)};
    return MIRL_PICTURE_OK;
}
