/* LayerNorm over the channels of each pixel. */

enum { NORM_VECTORS = 5 }; /* of pixels that are summed side by side, as one sum would wait for itself */

INLINE void normalize_columns(const int vectors, const float *const *in, uint32_t x, float *tile, ptrdiff_t stride,
                              uint32_t channels, uint32_t width, const float *weight, const float *bias) {
    float scale = 1.0f / (float)channels;
    vec mean[NORM_VECTORS], factor[NORM_VECTORS];
    UNROLL for (int i = 0; i < vectors; i++) mean[i] = factor[i] = (vec){};
    for (uint32_t c = 0; c < channels; c++)
        UNROLL for (int i = 0; i < vectors; i++) mean[i] += load(in[c] + x + i * LANES);
    UNROLL for (int i = 0; i < vectors; i++) mean[i] *= scale;
    for (uint32_t c = 0; c < channels; c++)
        UNROLL for (int i = 0; i < vectors; i++) {
            vec d = load(in[c] + x + i * LANES) - mean[i];
            factor[i] = multiply_add(d, d, factor[i]);
        }
    UNROLL for (int i = 0; i < vectors; i++)
        factor[i] = 1.0f / __builtin_elementwise_sqrt(factor[i] * scale + 1e-5f);
    for (uint32_t c = 0; c < channels; c++)
        UNROLL for (int i = 0; i < vectors; i++) {
            vec d = load(in[c] + x + i * LANES) - mean[i];
            vec normal = multiply_add(d * factor[i], splat(weight[c]), splat(bias[c]));
            store_some(tile + c * stride + i * LANES, normal, i < vectors - 1 ? LANES : width - i * LANES);
        }
}

static void normalize(const float *const *in, float *tile, ptrdiff_t stride, uint32_t channels, uint32_t width,
                      const float *weight, const float *bias) {
    for (uint32_t x = 0; x < width; x += NORM_VECTORS * LANES) {
        uint32_t part = width - x < NORM_VECTORS * LANES ? width - x : NORM_VECTORS * LANES;
        switch ((part - 1) / LANES) {
        case 0: normalize_columns(1, in, x, tile + x, stride, channels, part, weight, bias); break;
        case 1: normalize_columns(2, in, x, tile + x, stride, channels, part, weight, bias); break;
        case 2: normalize_columns(3, in, x, tile + x, stride, channels, part, weight, bias); break;
        case 3: normalize_columns(4, in, x, tile + x, stride, channels, part, weight, bias); break;
        default: normalize_columns(5, in, x, tile + x, stride, channels, part, weight, bias);
        }
    }
}
