/* Pixels from a map to a tile. */

static void copy(const float *in, ptrdiff_t in_stride, float *out, ptrdiff_t out_stride, uint32_t channels,
                 uint32_t width, ptrdiff_t next) {
    for (uint32_t c = 0; c < channels; c++, in += in_stride, out += out_stride)
        for (uint32_t x = 0; x < width; x += LANES) {
            if (x % 16 == 0)
                __builtin_prefetch(in + next + x, 0, 2);
            store_some(out + x, load(in + x), width - x);
        }
}
