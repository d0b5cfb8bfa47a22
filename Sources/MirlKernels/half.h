/* IEEE half to float. */

static inline vec load_half(const _Float16 *p) {
#if LANES == 16
    return (vec)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#elif LANES == 8
    return (vec)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
#else
    return (vec){(float)p[0], (float)p[1], (float)p[2], (float)p[3]};
#endif
}

/* Reads nothing past the last value: it may be the last of a mapped file. */
static void decode_half(const void *values, float *out, size_t count) {
    const _Float16 *half = values;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store(out + i, load_half(half + i));
    _Float16 rest[LANES] = {0};
    if (i < count) {
        memcpy(rest, half + i, (count - i) * sizeof *rest);
        store_some(out + i, load_half(rest), (uint32_t)(count - i));
    }
}
