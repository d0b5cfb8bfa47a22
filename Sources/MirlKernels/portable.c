/* Kernels for any processor: SSE2 on x86-64, NEON on 64-bit Arm. */
#define LANES 4
#if __aarch64__
#define FUSED 1
#define GRAM_ROWS 8
#define MIX_ROWS 6
#else
#define FUSED 0
#define GRAM_ROWS 4
#define MIX_ROWS 3
#endif
#define BF16 0
#define ISA "portable"
#define TABLE mirlk_portable
#include "body.h"
