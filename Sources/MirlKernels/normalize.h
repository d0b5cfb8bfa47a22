/* LayerNorm over the channels of each pixel. */

static void normalize(float *tile, ptrdiff_t stride, uint32_t channels, uint32_t width, const float *weight,
                      const float *bias) {
    float scale = 1.0f / (float)channels;
    for (uint32_t x = 0; x < width; x += LANES) {
        float *column = tile + x;
        vec sum = {}, squares = {};
        for (uint32_t c = 0; c < channels; c++)
            sum += load(column + c * stride);
        vec mean = sum * scale;
        for (uint32_t c = 0; c < channels; c++) {
            vec d = load(column + c * stride) - mean;
            squares = multiply_add(d, d, squares);
        }
        vec variance = squares * scale + 1e-5f;
        vec factor = 1.0f / __builtin_elementwise_sqrt(variance);
        for (uint32_t c = 0; c < channels; c++) {
            vec d = (load(column + c * stride) - mean) * factor;
            store(column + c * stride, multiply_add(d, splat(weight[c]), splat(bias[c])));
        }
    }
}
