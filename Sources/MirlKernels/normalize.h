/* LayerNorm over the channels of each pixel. */

enum { NORM_VECTORS = 5 }; /* of pixels that are summed side by side, as one sum would wait for itself */

INLINE void normalize_columns(const int vectors, float *tile, ptrdiff_t stride, uint32_t channels, uint32_t width,
                              const float *weight, const float *bias) {
    float scale = 1.0f / (float)channels;
    vec mean[NORM_VECTORS], factor[NORM_VECTORS];
    UNROLL for (int i = 0; i < vectors; i++) mean[i] = factor[i] = (vec){};
    for (uint32_t c = 0; c < channels; c++)
        UNROLL for (int i = 0; i < vectors; i++) mean[i] += load(tile + c * stride + i * LANES);
    UNROLL for (int i = 0; i < vectors; i++) mean[i] *= scale;
    for (uint32_t c = 0; c < channels; c++)
        UNROLL for (int i = 0; i < vectors; i++) {
            vec d = load(tile + c * stride + i * LANES) - mean[i];
            factor[i] = multiply_add(d, d, factor[i]);
        }
    UNROLL for (int i = 0; i < vectors; i++)
        factor[i] = 1.0f / __builtin_elementwise_sqrt(factor[i] * scale + 1e-5f);
    for (uint32_t c = 0; c < channels; c++)
        UNROLL for (int i = 0; i < vectors; i++) {
            float *pixels = tile + c * stride + i * LANES;
            vec normal = multiply_add((load(pixels) - mean[i]) * factor[i], splat(weight[c]), splat(bias[c]));
            store_some(pixels, normal, i < vectors - 1 ? LANES : width - i * LANES);
        }
}

static void normalize(float *tile, ptrdiff_t stride, uint32_t channels, uint32_t width, const float *weight,
                      const float *bias) {
    for (uint32_t x = 0; x < width; x += NORM_VECTORS * LANES) {
        uint32_t part = width - x < NORM_VECTORS * LANES ? width - x : NORM_VECTORS * LANES;
        switch ((part - 1) / LANES) {
        case 0: normalize_columns(1, tile + x, stride, channels, part, weight, bias); break;
        case 1: normalize_columns(2, tile + x, stride, channels, part, weight, bias); break;
        case 2: normalize_columns(3, tile + x, stride, channels, part, weight, bias); break;
        case 3: normalize_columns(4, tile + x, stride, channels, part, weight, bias); break;
        default: normalize_columns(5, tile + x, stride, channels, part, weight, bias);
        }
    }
}
