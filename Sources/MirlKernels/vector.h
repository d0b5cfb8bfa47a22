/* Vectors of LANES floats, for the body of one instruction set. */
#include "MirlKernels.h"

#include <string.h>

typedef float vec __attribute__((vector_size(4 * LANES)));
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

static inline float scalar_multiply_add(float a, float b, float c) {
#if FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
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

/* Blocks of registers are written once, as loops over constants that must vanish: every call site of an INLINE
 * function passes literals for the counts. */
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
