/* The gate of the feed-forward layer, gelu(a) * b. */

/* The `index` modulo 16 of 16 values, in each lane. */
static inline vec look_up(const float *values, ints index) {
#if LANES == 16
    return (vec)_mm512_permutexvar_ps((__m512i)index, (__m512)load(values));
#elif LANES == 8
    vec low = (vec)_mm256_permutevar8x32_ps((__m256)load(values), (__m256i)index);
    vec high = (vec)_mm256_permutevar8x32_ps((__m256)load(values + 8), (__m256i)index);
    return (vec)_mm256_blendv_ps((__m256)low, (__m256)high, (__m256)(index << 28));
#else
    index &= 15;
    return (vec){values[index[0]], values[index[1]], values[index[2]], values[index[3]]};
#endif
}

/* GELU x * Phi(x) as max(x, 0) - t * Phi(-t), t = |x|. What is subtracted is a polynomial in d for t = (i + d) * 0.375,
 * |d| <= 1/2, for each i < 16, and less than 3e-8 where t is beyond that. The polynomials are least-squares fits at
 * Chebyshev nodes, reweighted towards the smallest largest error (9.1e-9 before rounding). */
static inline vec gelu(vec x) {
    static const float p[][16] = {
        {0.0f, 0.13268633f, 0.16997051f, 0.14658134f, 0.10021081f, 0.05699318f, 0.02750506f, 0.011372674f,
         0.0040496932f, 0.0012456396f, 0.00033156504f, 7.646422e-05f, 1.5289612e-05f, 2.6522353e-06f, 3.9926846e-07f,
         5.21759e-08f},
        {0.18749999f, 0.08039422f, 0.00029036272f, -0.040525015f, -0.04780095f, -0.03696672f, -0.022196155f,
         -0.010900698f, -0.0044796164f, -0.0015589487f, -0.00046268114f, -0.00011763481f, -2.56985e-05f,
         -4.8342213e-06f, -7.8428377e-07f, -1.098658e-07f},
        {-0.056100667f, -0.048614774f, -0.030437464f, -0.010941063f, 0.002276201f, 0.0073303077f, 0.0068347347f,
         0.0043756613f, 0.0021813763f, 0.0008855183f, 0.00029903714f, 8.5021e-05f, 2.0504382e-05f, 4.2155775e-06f,
         7.4145913e-07f, 1.11855925e-07f},
        {-5.4540433e-06f, 0.0047298158f, 0.0068233507f, 0.00572841f, 0.0029882523f, 0.0005491786f, -0.000666862f,
         -0.0008486041f, -0.0005843049f, -0.00029402468f, -0.00011693981f, -3.800344e-05f, -1.0271108e-05f,
         -2.3332361e-06f, -4.4861727e-07f, -7.336383e-08f},
        {0.0013368754f, 0.00092406943f, 9.651935e-05f, -0.00056170614f, -0.0007086071f, -0.00046687628f,
         -0.00015374001f, 3.2214775e-05f, 7.9527505e-05f, 5.96152e-05f, 3.0176556e-05f, 1.17085e-05f, 3.6504166e-06f,
         9.3629046e-07f, 2.0029447e-07f, 3.6054654e-08f},
        {-4.038356e-05f, -0.00014045998f, -0.00016784496f, -8.347609e-05f, 1.948646e-05f, 6.551181e-05f, 5.300913e-05f,
         2.1447428e-05f, 1.891634e-07f, -6.192229e-06f, -4.979635e-06f, -2.484529e-06f, -9.2368737e-07f,
         -2.7186917e-07f, -6.519934e-08f, -1.2950522e-08f},
    };
    vec t = __builtin_elementwise_min(__builtin_elementwise_abs(x), splat(5.8f));
    vec whole = multiply_add(t, splat(1 / 0.375f), splat(0x1.8p23f)); /* i in its last bits */
    vec d = multiply_add(t, splat(1 / 0.375f), splat(0x1.8p23f) - whole);
    vec sum = look_up(p[5], (ints)whole);
    for (int i = 4; i >= 0; i--)
        sum = multiply_add(sum, d, look_up(p[i], (ints)whole));
    return __builtin_elementwise_max(x, (vec){}) - sum;
}

/* The sums of one row over `vectors` vectors; returns the term after its last. */
INLINE const mirlk_term *sum_terms(const int vectors, uint32_t terms, const mirlk_term *term, const float *in,
                                   vec *sum) {
    UNROLL for (int i = 0; i < vectors; i++) sum[i] = (vec){};
    for (const mirlk_term *end = term + terms; term < end; term++)
        UNROLL for (int i = 0; i < vectors; i++)
            sum[i] = multiply_add(splat(term->weight), load(in + term->offset + i * LANES), sum[i]);
    return term;
}

/* Rows that both products have in one group each are computed together, so that loops end as the processor expects. */
INLINE void multiply_gated_rows(const int vectors, const mirlk_product *gate, const mirlk_product *value,
                                const float *in, float *out, uint32_t width, const float *const *ahead, uint32_t x) {
    const struct mirlk_group *gates = gate->groups, *values = value->groups;
    const mirlk_term *gate_term = gate->terms, *value_term = value->terms;
    const int32_t *outs = gate->outs;
    uint32_t gates_done = 0, values_done = 0;
    while (gates < gate->groups + gate->group_count) {
        uint32_t gates_left = gates->rows - gates_done, values_left = values->rows - values_done;
        uint32_t rows = gates_left < values_left ? gates_left : values_left;
        for (uint32_t r = 0; r < rows; r++, outs++, ahead++) {
            vec left[VECTORS], right[VECTORS];
            gate_term = sum_terms(vectors, gates->terms, gate_term, in, left);
            value_term = sum_terms(vectors, values->terms, value_term, in, right);
            UNROLL for (int i = 0; i < vectors; i++) {
                if ((x + i * LANES) % 16 == 0)
                    fetch(*ahead, (x + i * LANES) / 16);
                store_some(out + *outs + i * LANES, gelu(left[i]) * right[i],
                           i < vectors - 1 ? LANES : width - i * LANES);
            }
            fetch(*ahead, (x + width + 1) / 16);
        }
        gates_done += rows, values_done += rows;
        if (gates_done == gates->rows)
            gates++, gates_done = 0;
        if (values_done == values->rows)
            values++, values_done = 0;
    }
}

static void multiply_gated(const mirlk_product *gate, const mirlk_product *value, const float *in, float *out,
                           uint32_t width, const float *const *ahead) {
    for (uint32_t x = 0; x < width; x += VECTORS * LANES) {
        uint32_t part = width - x < VECTORS * LANES ? width - x : VECTORS * LANES;
        switch ((part - 1) / LANES) {
        case 0: multiply_gated_rows(1, gate, value, in + x, out + x, part, ahead, x); break;
        case 1: multiply_gated_rows(2, gate, value, in + x, out + x, part, ahead, x); break;
        case 2: multiply_gated_rows(3, gate, value, in + x, out + x, part, ahead, x); break;
        case 3: multiply_gated_rows(4, gate, value, in + x, out + x, part, ahead, x); break;
        case 4: multiply_gated_rows(5, gate, value, in + x, out + x, part, ahead, x); break;
#if LANES < 16
        case 5: multiply_gated_rows(6, gate, value, in + x, out + x, part, ahead, x); break;
        case 6: multiply_gated_rows(7, gate, value, in + x, out + x, part, ahead, x); break;
        case 7: multiply_gated_rows(8, gate, value, in + x, out + x, part, ahead, x); break;
        case 8: multiply_gated_rows(9, gate, value, in + x, out + x, part, ahead, x); break;
        default: multiply_gated_rows(10, gate, value, in + x, out + x, part, ahead, x);
#endif
        }
    }
}
