/* Sparse and dense matrix times tile: every convolution of the network is this product. */
#include "half.h"

enum { CHUNK = 8 }; /* vectors of pixels that one row sums in registers */

typedef struct product {
    const mirlk_matrix *matrix;
    uint32_t first_row, rows;
    const float *in;
    const int32_t *offsets;
    ptrdiff_t in_step;
    float *out;
    ptrdiff_t out_stride;
    uint32_t width;
    int accumulate;
    float *decoded;
} product;

/* One row over `vectors` vectors, the last of which may be partial. */
INLINE void multiply_row(const int vectors, const int sparse, const product *p, const float *values, const uint16_t *columns,
                         uint32_t count, const float *in, float *out) {
    const int32_t *offsets = p->offsets;
    vec sum[CHUNK];
    UNROLL for (int i = 0; i < vectors; i++) sum[i] = p->accumulate ? load(out + i * LANES) : (vec){};
    for (uint32_t j = 0; j < count; j++) {
        const float *source = in + offsets[sparse ? columns[j] : j];
        vec weight = splat(values[j]);
        UNROLL for (int i = 0; i < vectors; i++)
            sum[i] = multiply_add(weight, load(source + i * LANES), sum[i]);
    }
    UNROLL for (int i = 0; i < vectors - 1; i++) store(out + i * LANES, sum[i]);
    store_some(out + (vectors - 1) * LANES, sum[vectors - 1], p->width - (vectors - 1) * LANES);
}

INLINE void multiply_rows(const int vectors, const product *p) {
    const mirlk_matrix *m = p->matrix;
    const float *in = p->in;
    float *out = p->out;
    for (uint32_t r = p->first_row; r < p->first_row + p->rows; r++, in += p->in_step, out += p->out_stride) {
        size_t begin = m->row_starts ? m->row_starts[r] : (size_t)r * m->column_count;
        uint32_t count = m->row_starts ? m->row_starts[r + 1] - (uint32_t)begin : m->column_count;
        const float *values = (const float *)m->values + begin;
        if (m->half) {
            decode_half((const _Float16 *)m->values + begin, p->decoded, count);
            values = p->decoded;
        }
        if (m->row_starts)
            multiply_row(vectors, 1, p, values, m->columns + begin, count, in, out);
        else
            multiply_row(vectors, 0, p, values, NULL, count, in, out);
    }
}

static void multiply(const mirlk_matrix *matrix, uint32_t first_row, uint32_t rows, const float *in,
                     const int32_t *offsets, ptrdiff_t in_step, float *out, ptrdiff_t out_stride, uint32_t width,
                     int accumulate, float *decoded) {
    for (uint32_t x = 0; x < width; x += CHUNK * LANES) {
        uint32_t part = width - x < CHUNK * LANES ? width - x : CHUNK * LANES;
        product p = {matrix, first_row, rows, in + x, offsets, in_step, out + x, out_stride, part, accumulate, decoded};
        switch ((part - 1) / LANES) {
        case 0: multiply_rows(1, &p); break;
        case 1: multiply_rows(2, &p); break;
        case 2: multiply_rows(3, &p); break;
        case 3: multiply_rows(4, &p); break;
        case 4: multiply_rows(5, &p); break;
        case 5: multiply_rows(6, &p); break;
        case 6: multiply_rows(7, &p); break;
        default: multiply_rows(8, &p);
        }
    }
}
