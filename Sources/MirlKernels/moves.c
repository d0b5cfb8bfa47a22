/* Moving pixels between layouts: memory traffic, the same for every instruction set. */
#include "MirlKernels.h"

void mirlk_shuffle(const float *in, ptrdiff_t in_stride, float *out, ptrdiff_t out_stride, ptrdiff_t row_stride,
                   uint32_t channels, uint32_t width) {
    for (uint32_t c = 0; c < channels; c++)
        for (int dy = 0; dy < 2; dy++) {
            const float *left = in + (4 * c + 2 * dy) * in_stride, *right = left + in_stride;
            float *line = out + c * out_stride + dy * row_stride;
            for (uint32_t x = 0; x < width; x++) {
                line[2 * x] = left[x];
                line[2 * x + 1] = right[x];
            }
        }
}

void mirlk_unshuffle(const float *in, ptrdiff_t in_stride, float *out, ptrdiff_t out_stride, uint32_t dy,
                     uint32_t channels, uint32_t width) {
    for (uint32_t c = 0; c < channels; c++) {
        const float *line = in + c * in_stride;
        float *left = out + (4 * c + 2 * dy) * out_stride, *right = left + out_stride;
        for (uint32_t x = 0; x < width; x++) {
            left[x] = line[2 * x];
            right[x] = line[2 * x + 1];
        }
    }
}

void mirlk_stretch(const float *above, const float *below, float below_share, ptrdiff_t in_stride, uint32_t last,
                   const int32_t *left, const float *right_share, float *out, ptrdiff_t out_stride, uint32_t channels,
                   uint32_t width) {
    for (uint32_t c = 0; c < channels; c++, above += in_stride, below += in_stride, out += out_stride)
        for (uint32_t x = 0; x < width; x++) {
            uint32_t l = (uint32_t)left[x], r = l < last ? l + 1 : last;
            float share = right_share[x];
            float top = (1 - share) * above[l] + share * above[r];
            float bottom = (1 - share) * below[l] + share * below[r];
            out[x] = (1 - below_share) * top + below_share * bottom;
        }
}
