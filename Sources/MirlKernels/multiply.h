/* Sparse matrix times tile: every convolution of the network is this product. */

/* Vectors of pixels that a row sums in registers: a tile, where there are registers for it. */
enum { VECTORS = MIRLK_TILE / LANES <= 10 ? MIRLK_TILE / LANES : 10 };

/* The rows of a group over `vectors` vectors, the last of which may be partial; `count` terms each, or where that is
 * ANY the group's number. */
enum { ANY = -1 };

/* Whether rows of many terms are summed two at a time, where there are registers for it: a row's vectors alone are too
 * few to keep two units busy that each take four cycles for a sum. */
enum { PAIRS = LANES == 16 };

INLINE void finish_row(const int vectors, vec *sum, float *target, uint32_t width, int accumulate) {
    /* Last, or each term would be rounded as coarsely as what the output holds. */
    if (accumulate)
        UNROLL for (int i = 0; i < vectors; i++) sum[i] += load(target + i * LANES);
    UNROLL for (int i = 0; i < vectors - 1; i++) store(target + i * LANES, sum[i]);
    store_some(target + (vectors - 1) * LANES, sum[vectors - 1], width - (vectors - 1) * LANES);
}

INLINE void add_term(const int vectors, const mirlk_term *term, const float *in, vec *sum) {
    ptrdiff_t offset;
    vec weight = read_term(term, &offset);
    UNROLL for (int i = 0; i < vectors; i++)
        sum[i] = multiply_add(weight, load(in + offset + i * LANES), sum[i]);
}

INLINE void multiply_group(const int vectors, const int count, uint32_t terms, uint32_t rows, const int32_t *outs,
                           const mirlk_term *term, const float *in, float *out, uint32_t width, int accumulate) {
    uint32_t r = 0;
    if (count == ANY && PAIRS)
        for (; r + 1 < rows; r += 2, term += terms) {
            vec even[VECTORS], odd[VECTORS];
            UNROLL for (int i = 0; i < vectors; i++) even[i] = odd[i] = (vec){};
            for (uint32_t j = 0; j < terms; j++, term++) {
                add_term(vectors, term, in, even);
                add_term(vectors, term + terms, in, odd);
            }
            finish_row(vectors, even, out + outs[r], width, accumulate);
            finish_row(vectors, odd, out + outs[r + 1], width, accumulate);
        }
    for (; r < rows; r++) {
        vec sum[VECTORS];
        UNROLL for (int i = 0; i < vectors; i++) sum[i] = (vec){};
        if (count == ANY)
            for (uint32_t j = 0; j < terms; j++, term++) add_term(vectors, term, in, sum);
        else
            UNROLL for (int j = 0; j < count; j++, term++) add_term(vectors, term, in, sum);
        finish_row(vectors, sum, out + outs[r], width, accumulate);
    }
}

/* Short rows are most of a pruned network; with their number of terms known they need no loop. */
INLINE void multiply_groups(const int vectors, const mirlk_product *p, const float *in, float *out, uint32_t width,
                            int accumulate) {
    const int32_t *outs = p->outs;
    const mirlk_term *term = p->terms;
    for (uint32_t g = 0; g < p->group_count; g++) {
        uint32_t terms = p->groups[g].terms, rows = p->groups[g].rows;
        int adds = accumulate || p->groups[g].adds;
        switch (terms) {
        case 0: multiply_group(vectors, 0, 0, rows, outs, term, in, out, width, adds); break;
        case 1: multiply_group(vectors, 1, 1, rows, outs, term, in, out, width, adds); break;
        case 2: multiply_group(vectors, 2, 2, rows, outs, term, in, out, width, adds); break;
        case 3: multiply_group(vectors, 3, 3, rows, outs, term, in, out, width, adds); break;
        case 4: multiply_group(vectors, 4, 4, rows, outs, term, in, out, width, adds); break;
        default: multiply_group(vectors, ANY, terms, rows, outs, term, in, out, width, adds);
        }
        outs += rows;
        term += (size_t)terms * rows;
    }
}

static void multiply(const mirlk_product *p, const float *in, float *out, uint32_t width, int accumulate) {
    for (uint32_t x = 0; x < width; x += VECTORS * LANES) {
        uint32_t part = width - x < VECTORS * LANES ? width - x : VECTORS * LANES;
        switch ((part - 1) / LANES) {
        case 0: multiply_groups(1, p, in + x, out + x, part, accumulate); break;
        case 1: multiply_groups(2, p, in + x, out + x, part, accumulate); break;
        case 2: multiply_groups(3, p, in + x, out + x, part, accumulate); break;
        case 3: multiply_groups(4, p, in + x, out + x, part, accumulate); break;
        case 4: multiply_groups(5, p, in + x, out + x, part, accumulate); break;
#if LANES < 16
        case 5: multiply_groups(6, p, in + x, out + x, part, accumulate); break;
        case 6: multiply_groups(7, p, in + x, out + x, part, accumulate); break;
        case 7: multiply_groups(8, p, in + x, out + x, part, accumulate); break;
        case 8: multiply_groups(9, p, in + x, out + x, part, accumulate); break;
        default: multiply_groups(10, p, in + x, out + x, part, accumulate);
#endif
        }
    }
}
