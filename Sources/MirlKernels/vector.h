/* Vectors of LANES floats, for the body of one instruction set. */
#include "MirlKernels.h"

#include <string.h>

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef float loose_vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline vec load(const float *p) { return *(const loose_vec *)p; }
static inline void store(float *p, vec v) { *(loose_vec *)p = v; }
static inline vec splat(float x) { return x - (vec){}; }

static inline vec multiply_add(vec a, vec b, vec c) {
#if FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* In bf16 tables, a lane of `gram` and `mix` holds two neighbouring factors, the first in its lower half. */
static inline vec multiply_add_lanes(vec a, vec b, vec c) {
#if BF16
    return (vec)_mm512_dpbf16_ps((__m512)c, (__m512bh)a, (__m512bh)b);
#else
    return multiply_add(a, b, c);
#endif
}

/* The same bits in each lane, whatever they mean. */
static inline vec broadcast(const float *p) {
    int32_t bits;
    memcpy(&bits, p, sizeof bits);
    return (vec)((ints){} + bits);
}

/* A term's weight in all lanes. Products are bound by their loads, of which AVX-512 has few for each term: there both
 * halves of a term are one, which the compiler would split again if it saw through it. */
static inline vec read_term(const mirlk_term *term, ptrdiff_t *offset) {
#if LANES == 16
    uint64_t both;
    memcpy(&both, term, sizeof both);
    __asm__("" : "+r"(both));
    *offset = (int32_t)both;
    return (vec)_mm512_set1_epi32((int32_t)(both >> 32));
#else
    *offset = term->offset;
    return splat(term->weight);
#endif
}

/* The first `count` floats of a vector, and zeros; none if `count` is not positive. */
static inline vec load_some(const float *p, int32_t count) {
    ints lane;
    for (int i = 0; i < LANES; i++)
        lane[i] = i;
    return (vec)((ints)load(p) & (lane < count));
}

/* The last vector of a row, of which only `count` floats may be written. */
static inline void store_some(float *p, vec v, uint32_t count) {
    if (count >= LANES) {
        store(p, v);
        return;
    }
#if LANES == 16
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#elif LANES == 8
    __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lane), (__m256)v);
#else
    for (uint32_t i = 0; i < count; i++)
        p[i] = v[i];
#endif
}

/* Fetches one of the cache lines of a strip that will be read soon, of which few strips have more than five. */
static inline void fetch(const float *strip, uint32_t line) {
    if (line < 5)
        __builtin_prefetch(strip + 16 * line, 0, 3);
}

/* Blocks of registers are written once, as loops over constants that must vanish: every call site of an INLINE
 * function passes literals for the counts. */
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
