/* Kernels for x86-64 with AVX2, FMA and half conversion (x86-64-v3). */
#if __x86_64__
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define LANES 8
#define FUSED 1
#define GRAM_ROWS 4
#define MIX_ROWS 3
#define BF16 0
#define ISA "avx2"
#define TABLE mirlk_avx2
#include "body.h"
#pragma clang attribute pop
#endif
