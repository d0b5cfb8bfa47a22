/* Kernels for x86-64 with AVX-512 (F, BW, DQ, VL). */
#if __x86_64__
#include <immintrin.h>

#pragma clang attribute push(                                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"), min_vector_width(512))),               \
    apply_to = function)
#define LANES 16
#define FUSED 1
#define GRAM_ROWS 8
#define MIX_ROWS 6
#define BF16 0
#define ISA "avx512"
#define TABLE mirlk_avx512
#include "body.h"
#pragma clang attribute pop
#endif
