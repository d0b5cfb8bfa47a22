/* The first product of channel attention: q k^T over pixels, with the norms of its rows. */

enum { GRAM_VECTORS = 3 };

typedef float four __attribute__((vector_size(16)));
typedef float loose_four __attribute__((vector_size(16), aligned(4), may_alias));

/* Turns 4 rows of 4 floats into 4 columns. */
static inline void transpose_4x4(const float *in, ptrdiff_t stride, float *out, ptrdiff_t out_stride) {
    four a = *(const loose_four *)in, b = *(const loose_four *)(in + stride);
    four c = *(const loose_four *)(in + 2 * stride), d = *(const loose_four *)(in + 3 * stride);
    four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(loose_four *)out = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *(loose_four *)(out + out_stride) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *(loose_four *)(out + 2 * out_stride) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *(loose_four *)(out + 3 * out_stride) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/* k with its pixels outside and its channels inside, so that a vector holds neighbouring columns of the product.
 * `out` has `out_stride` floats for each of MIRLK_TILE pixels; what lies past `channels` is set to zero. */
static void transpose(const float *k, ptrdiff_t stride, uint32_t channels, uint32_t width, float *out,
                      uint32_t out_stride) {
    uint32_t c = 0;
    for (; c + 4 <= channels; c += 4)
        for (uint32_t x = 0; x < width; x += 4)
            transpose_4x4(k + c * stride + x, stride, out + x * out_stride + c, out_stride);
    for (; c < out_stride; c++)
        for (uint32_t x = 0; x < width; x++)
            out[x * out_stride + c] = c < channels ? k[c * stride + x] : 0;
}

/* `rows` rows and `vectors` vectors of columns of the product stay in registers over all pixels. */
INLINE void gram_block(const int rows, const int vectors, const float *q, ptrdiff_t stride, const float *k,
                       uint32_t k_stride, uint32_t width, float *gram, uint32_t k_rows, uint32_t columns,
                       const float *const *ahead) {
    vec sum[GRAM_ROWS][GRAM_VECTORS];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = load(gram + i * k_rows + j * LANES);
    for (uint32_t x = 0; x < width; x++) {
        fetch(ahead[x % rows], x / rows);
        vec right[GRAM_VECTORS];
        UNROLL for (int j = 0; j < vectors; j++) right[j] = load(k + x * k_stride + j * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            vec left = broadcast(q + i * stride + x);
            UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = multiply_add_lanes(left, right[j], sum[i][j]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vectors - 1; j++) store(gram + i * k_rows + j * LANES, sum[i][j]);
        store_some(gram + i * k_rows + (vectors - 1) * LANES, sum[i][vectors - 1], columns - (vectors - 1) * LANES);
    }
}

/* Blocks of as many rows as there are registers for, then of half and a quarter as many, since single rows cannot keep
 * the processor busy; rows are left over only where a quarter is more than one. */
INLINE void gram_columns(const int vectors, const float *q, uint32_t q_rows, ptrdiff_t stride, const float *k,
                         uint32_t k_stride, uint32_t width, float *gram, uint32_t k_rows, uint32_t columns,
                         const float *const *ahead) {
    uint32_t i = 0;
    for (; i + GRAM_ROWS <= q_rows; i += GRAM_ROWS)
        gram_block(GRAM_ROWS, vectors, q + i * stride, stride, k, k_stride, width, gram + i * k_rows, k_rows, columns,
                   ahead + i);
    for (; i + GRAM_ROWS / 2 <= q_rows; i += GRAM_ROWS / 2)
        gram_block(GRAM_ROWS / 2, vectors, q + i * stride, stride, k, k_stride, width, gram + i * k_rows, k_rows,
                   columns, ahead + i);
    for (; i + GRAM_ROWS / 4 <= q_rows; i += GRAM_ROWS / 4)
        gram_block(GRAM_ROWS / 4, vectors, q + i * stride, stride, k, k_stride, width, gram + i * k_rows, k_rows,
                   columns, ahead + i);
    for (; i < q_rows; i++)
        gram_block(1, vectors, q + i * stride, stride, k, k_stride, width, gram + i * k_rows, k_rows, columns,
                   ahead + i);
}

/* Squares are summed in MIRLK_SQUARES interleaved sums a channel, the same on every instruction set. */
static void sum_squares(const float *rows, ptrdiff_t stride, uint32_t channels, uint32_t width, float *squares) {
    enum { COUNT = MIRLK_SQUARES / LANES };
    for (uint32_t c = 0; c < channels; c++, rows += stride, squares += MIRLK_SQUARES) {
        vec sum[COUNT];
        UNROLL for (int i = 0; i < COUNT; i++) sum[i] = load(squares + i * LANES);
        uint32_t x = 0;
        for (; x + MIRLK_SQUARES <= width; x += MIRLK_SQUARES)
            UNROLL for (int i = 0; i < COUNT; i++) {
                vec pixels = load(rows + x + i * LANES);
                sum[i] = multiply_add(pixels, pixels, sum[i]);
            }
        UNROLL for (int i = 0; i < COUNT; i++) {
            vec pixels = load_some(rows + x + i * LANES, (int32_t)(width - x) - i * LANES);
            store(squares + i * LANES, multiply_add(pixels, pixels, sum[i]));
        }
    }
}

#if BF16
/* Each row's pixels as pairs, MIRLK_TILE / 2 floats from row to row; what lies past `width` is zero. */
static void pair_pixels(const float *in, ptrdiff_t stride, uint32_t rows, uint32_t width, float *out) {
    for (uint32_t i = 0; i < rows; i++, in += stride, out += MIRLK_TILE / 2)
        for (uint32_t x = 0; x < width; x += 32) {
            uint32_t mask = width - x < 32 ? (1u << (width - x)) - 1 : ~0u;
            __m512 low = _mm512_maskz_loadu_ps((__mmask16)mask, in + x);
            __m512 high = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), in + x + 16);
            store(out + x / 2, (vec)_mm512_cvtne2ps_pbh(high, low));
        }
}
#endif

static void gram(const float *q, uint32_t q_rows, const float *k, uint32_t k_rows, ptrdiff_t stride, uint32_t width,
                 float *gram, float *q_squares, float *k_squares, float *room, const float *const *ahead) {
    uint32_t k_stride = (k_rows + 15) / 16 * 16;
    sum_squares(q, stride, q_rows, width, q_squares);
    sum_squares(k, stride, k_rows, width, k_squares);
#if BF16
    float *q_pairs = room + MIRLK_TILE / 2 * k_stride, *k_pairs = q_pairs + MIRLK_TILE / 2 * q_rows;
    pair_pixels(q, stride, q_rows, width, q_pairs);
    pair_pixels(k, stride, k_rows, width, k_pairs);
    q = q_pairs, k = k_pairs, stride = MIRLK_TILE / 2, width = (width + 1) / 2;
#endif
    transpose(k, stride, k_rows, width, room, k_stride);
    for (uint32_t j = 0; j < k_rows; j += GRAM_VECTORS * LANES) {
        uint32_t columns = k_rows - j < GRAM_VECTORS * LANES ? k_rows - j : GRAM_VECTORS * LANES;
        const float *right = room + j;
        switch ((columns - 1) / LANES) {
        case 0: gram_columns(1, q, q_rows, stride, right, k_stride, width, gram + j, k_rows, columns, ahead); break;
        case 1: gram_columns(2, q, q_rows, stride, right, k_stride, width, gram + j, k_rows, columns, ahead); break;
        default: gram_columns(3, q, q_rows, stride, right, k_stride, width, gram + j, k_rows, columns, ahead);
        }
    }
}
