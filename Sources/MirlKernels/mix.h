/* The second product of channel attention: small dense matrix times tile. */

enum { MIX_VECTORS = 4, MIX_FACTORS = 1 + BF16 /* in a lane */ };

/* `rows` rows over `vectors` vectors of pixels, all sums in registers. */
INLINE void mix_block(const int rows, const int vectors, const float *weights, uint32_t channels, const float *in,
                      ptrdiff_t stride, float *out, ptrdiff_t out_stride, uint32_t width, const float *const *ahead,
                      uint32_t line) {
    vec sum[MIX_ROWS][MIX_VECTORS];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (vec){};
    for (uint32_t c = 0; c < channels; c++) {
        UNROLL for (int i = 0; i < MIX_FACTORS; i++) fetch(ahead[c * MIX_FACTORS + i], line);
        vec pixels[MIX_VECTORS];
        UNROLL for (int j = 0; j < vectors; j++) pixels[j] = load(in + c * stride + j * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            vec weight = broadcast(weights + i * channels + c);
            UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = multiply_add_lanes(weight, pixels[j], sum[i][j]);
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
                     ptrdiff_t stride, float *out, ptrdiff_t out_stride, uint32_t width, const float *const *ahead) {
    uint32_t i = 0;
    for (; i + MIX_ROWS <= rows; i += MIX_ROWS)
        mix_block(MIX_ROWS, vectors, weights + i * channels, channels, in, stride, out + i * out_stride, out_stride,
                  width, ahead, i / MIX_ROWS);
    for (; i + MIX_ROWS / 3 <= rows; i += MIX_ROWS / 3)
        mix_block(MIX_ROWS / 3, vectors, weights + i * channels, channels, in, stride, out + i * out_stride,
                  out_stride, width, ahead, i / MIX_ROWS);
    for (; i < rows; i++)
        mix_block(1, vectors, weights + i * channels, channels, in, stride, out + i * out_stride, out_stride, width,
                  ahead, i / MIX_ROWS);
}

/* Makes a matrix ready for `mix`, in place. */
static void prepare_mix(float *weights, uint32_t rows, uint32_t channels) {
#if BF16
    for (uint32_t i = 0, n = 0; i < rows; i++)
        for (uint32_t c = 0; c < channels; c += 2, n++) {
            float first = weights[i * channels + c], second = c + 1 < channels ? weights[i * channels + c + 1] : 0;
            __m128bh pair = _mm_cvtneps_pbh(_mm_setr_ps(first, second, 0, 0));
            memcpy(weights + n, &pair, sizeof *weights);
        }
#else
    (void)weights, (void)rows, (void)channels;
#endif
}

#if BF16
/* Each pair of channels, interleaved pixel by pixel, MIRLK_TILE floats from pair to pair. */
static void pair_channels(const float *in, ptrdiff_t stride, uint32_t channels, uint32_t width, float *out) {
    __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
                                     20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (uint32_t c = 0; c < channels; c += 2, in += 2 * stride, out += MIRLK_TILE)
        for (uint32_t x = 0; x < width; x += 16) {
            vec second = c + 1 < channels ? load(in + stride + x) : (vec){};
            __m512bh both = _mm512_cvtne2ps_pbh((__m512)second, (__m512)load(in + x));
            store(out + x, (vec)_mm512_permutexvar_epi16(order, (__m512i)both));
        }
}
#endif

static void mix(const float *weights, uint32_t rows, uint32_t channels, const float *in, ptrdiff_t stride, float *out,
                ptrdiff_t out_stride, uint32_t width, float *room, const float *const *ahead) {
#if BF16
    pair_channels(in, stride, channels, width, room);
    in = room, stride = MIRLK_TILE, channels = (channels + 1) / 2;
#else
    (void)room;
#endif
    for (uint32_t x = 0; x < width; x += MIX_VECTORS * LANES) {
        uint32_t part = width - x < MIX_VECTORS * LANES ? width - x : MIX_VECTORS * LANES;
        switch ((part - 1) / LANES) {
        case 0: mix_rows(1, weights, rows, channels, in + x, stride, out + x, out_stride, part, ahead); break;
        case 1: mix_rows(2, weights, rows, channels, in + x, stride, out + x, out_stride, part, ahead); break;
        case 2: mix_rows(3, weights, rows, channels, in + x, stride, out + x, out_stride, part, ahead); break;
        default: mix_rows(4, weights, rows, channels, in + x, stride, out + x, out_stride, part, ahead);
        }
    }
}
