/* The second product of channel attention: small dense matrix times tile. */

enum { MIX_VECTORS = 4 };

/* `rows` rows over `vectors` vectors of pixels, all sums in registers. */
INLINE void mix_block(const int rows, const int vectors, const float *weights, uint32_t channels, const float *in,
                      ptrdiff_t stride, float *out, ptrdiff_t out_stride, uint32_t width) {
    vec sum[MIX_ROWS][MIX_VECTORS];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (vec){};
    for (uint32_t c = 0; c < channels; c++) {
        vec pixels[MIX_VECTORS];
        UNROLL for (int j = 0; j < vectors; j++) pixels[j] = load(in + c * stride + j * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            vec weight = splat(weights[i * channels + c]);
            UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = multiply_add(weight, pixels[j], sum[i][j]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vectors - 1; j++) store(out + i * out_stride + j * LANES, sum[i][j]);
        store_some(out + i * out_stride + (vectors - 1) * LANES, sum[i][vectors - 1], width - (vectors - 1) * LANES);
    }
}

/* Blocks of as many rows as there are registers for, then of a third as many; rows are left over only where a third is
 * more than one. */
INLINE void mix_rows(const int vectors, const float *weights, uint32_t rows, uint32_t channels, const float *in,
                     ptrdiff_t stride, float *out, ptrdiff_t out_stride, uint32_t width) {
    uint32_t i = 0;
    for (; i + MIX_ROWS <= rows; i += MIX_ROWS)
        mix_block(MIX_ROWS, vectors, weights + i * channels, channels, in, stride, out + i * out_stride, out_stride,
                  width);
    for (; i + MIX_ROWS / 3 <= rows; i += MIX_ROWS / 3)
        mix_block(MIX_ROWS / 3, vectors, weights + i * channels, channels, in, stride, out + i * out_stride,
                  out_stride, width);
    for (; i < rows; i++)
        mix_block(1, vectors, weights + i * channels, channels, in, stride, out + i * out_stride, out_stride, width);
}

static void mix(const float *weights, uint32_t rows, uint32_t channels, const float *in, ptrdiff_t stride, float *out,
                ptrdiff_t out_stride, uint32_t width) {
    for (uint32_t x = 0; x < width; x += MIX_VECTORS * LANES) {
        uint32_t part = width - x < MIX_VECTORS * LANES ? width - x : MIX_VECTORS * LANES;
        switch ((part - 1) / LANES) {
        case 0: mix_rows(1, weights, rows, channels, in + x, stride, out + x, out_stride, part); break;
        case 1: mix_rows(2, weights, rows, channels, in + x, stride, out + x, out_stride, part); break;
        case 2: mix_rows(3, weights, rows, channels, in + x, stride, out + x, out_stride, part); break;
        default: mix_rows(4, weights, rows, channels, in + x, stride, out + x, out_stride, part);
        }
    }
}
