/* CRC-32C: 256 bytes a step by products of polynomials where AVX-512 has them, three interleaved streams of the crc32
 * instruction where there is only that, four bytes a step elsewhere. */
#include "crc32c.h"
#include <stdbool.h>
#include <string.h>

/* STEP appends a zero bit to the message (bit-reversed polynomial 0x1EDC6F41). A table entry is the register after
 * a byte and up to three zero bytes; being linear, it is the sum of the entries B0 ... B31 of single bits. */
#define STEP(r) ((r) >> 1 ^ ((r) & 1 ? 0x82F63B78u : 0))
enum : uint32_t {
    B0 = 0x82F63B78u,
    B1 = STEP(B0), B2 = STEP(B1), B3 = STEP(B2), B4 = STEP(B3), B5 = STEP(B4), B6 = STEP(B5), B7 = STEP(B6),
    B8 = STEP(B7), B9 = STEP(B8), B10 = STEP(B9), B11 = STEP(B10), B12 = STEP(B11), B13 = STEP(B12),
    B14 = STEP(B13), B15 = STEP(B14), B16 = STEP(B15), B17 = STEP(B16), B18 = STEP(B17), B19 = STEP(B18),
    B20 = STEP(B19), B21 = STEP(B20), B22 = STEP(B21), B23 = STEP(B22), B24 = STEP(B23), B25 = STEP(B24),
    B26 = STEP(B25), B27 = STEP(B26), B28 = STEP(B27), B29 = STEP(B28), B30 = STEP(B29), B31 = STEP(B30),
};
#define PAIR(x, b) (x), (x) ^ (b)
#define FOUR(x, b, c) PAIR(x, b), PAIR((x) ^ (c), b)
#define SIXTEEN(x, b, c, d, e) FOUR(x, b, c), FOUR((x) ^ (d), b, c), FOUR((x) ^ (e), b, c), FOUR((x) ^ (d) ^ (e), b, c)
#define QUARTER(x, b, c, d, e, f, g) \
    SIXTEEN(x, b, c, d, e), SIXTEEN((x) ^ (f), b, c, d, e), SIXTEEN((x) ^ (g), b, c, d, e), \
        SIXTEEN((x) ^ (f) ^ (g), b, c, d, e)
#define TABLE(b, c, d, e, f, g, h, i) QUARTER(0u, b, c, d, e, f, g), QUARTER(h, b, c, d, e, f, g), \
        QUARTER(i, b, c, d, e, f, g), QUARTER((h) ^ (i), b, c, d, e, f, g)

static const uint32_t table[4][256] = {
    { TABLE(B7, B6, B5, B4, B3, B2, B1, B0) },
    { TABLE(B15, B14, B13, B12, B11, B10, B9, B8) },
    { TABLE(B23, B22, B21, B20, B19, B18, B17, B16) },
    { TABLE(B31, B30, B29, B28, B27, B26, B25, B24) },
};

static uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size) {
    const unsigned char *p = data;
    crc = ~crc;
    for (; size >= 4; p += 4, size -= 4) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = table[3][crc & 255] ^ table[2][crc >> 8 & 255] ^ table[1][crc >> 16 & 255] ^ table[0][crc >> 24];
    }
    for (; size; p++, size--) crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
    return ~crc;
}

#if defined __x86_64__
#include <immintrin.h>

enum {
    STREAM = 1024, /* bytes; the two constants below belong to it */
    LINE = 64,
    AHEAD = 4 * 3 * STREAM, /* how far to prefetch, without which memory takes twice as long as the instructions */
};

static inline uint64_t word(const unsigned char *p) {
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

/* The register `crc` moved on over n zero bytes, with factor = x^(8n - 33): the product of two reversed polynomials
 * comes out one place low, and the crc32 instruction multiplies by x^32. */
__attribute__((target("sse4.2,pclmul"))) static inline uint64_t shifted(uint64_t crc, uint32_t factor) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi64_si128(factor), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* The instruction takes three cycles but one can start every cycle, hence three streams. */
__attribute__((target("sse4.2,pclmul"))) static uint32_t crc32c_sse42(uint32_t start, const void *data, size_t size) {
    const unsigned char *p = data;
    uint64_t crc = ~start;
    for (; size >= 3 * STREAM; p += 3 * STREAM, size -= 3 * STREAM) {
        uint64_t second = 0, third = 0;
        for (size_t line = 0; line < STREAM; line += LINE) {
            for (size_t stream = 0; stream < 3; stream++) __builtin_prefetch(p + AHEAD + stream * STREAM + line);
            for (size_t i = line; i < line + LINE; i += 8) {
                crc = _mm_crc32_u64(crc, word(p + i));
                second = _mm_crc32_u64(second, word(p + STREAM + i));
                third = _mm_crc32_u64(third, word(p + 2 * STREAM + i));
            }
        }
        crc = shifted(crc, 0xa51b6135u) ^ shifted(second, 0x170076fau) ^ third;
    }
    for (; size >= 8; p += 8, size -= 8) crc = _mm_crc32_u64(crc, word(p));
    for (; size; p++, size--) crc = _mm_crc32_u8((uint32_t)crc, *p);
    return ~(uint32_t)crc;
}

/* Each 16 bytes of `sum` moved on by as many bits as `factors` say, to where `next` lies in the message: the first
 * 8 bytes times x^(bits + 63), the others times x^(bits - 1), as reversed polynomials, in the upper half of each. */
#define FOLDING __attribute__((target("avx512f,vpclmulqdq,sse4.2,pclmul")))
FOLDING static inline __m512i folded(__m512i sum, __m512i factors, __m512i next) {
    __m512i first = _mm512_clmulepi64_epi128(sum, factors, 0x00), second = _mm512_clmulepi64_epi128(sum, factors, 0x11);
    return _mm512_ternarylogic_epi64(first, second, next, 0x96); /* the sum of all three */
}

FOLDING static inline __m512i factors(uint32_t first, uint32_t second) {
    return _mm512_broadcast_i32x4(_mm_set_epi32((int)second, 0, (int)first, 0));
}

FOLDING static uint32_t crc32c_avx512(uint32_t start, const void *data, size_t size) {
    enum { STEP_BYTES = 4 * sizeof(__m512i), AHEAD = 4096 };
    if (size < 2 * STEP_BYTES) return crc32c_sse42(start, data, size);
    const unsigned char *p = data;
    __m512i sums[4], by_step = factors(0xe9a5d8beu, 0x1426a815u), by_line = factors(0x1c19243bu, 0x75bba45bu);
    for (int i = 0; i < 4; i++) sums[i] = _mm512_loadu_si512(p + i * LINE);
    sums[0] = _mm512_xor_si512(sums[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~start)));
    for (p += STEP_BYTES, size -= STEP_BYTES; size >= STEP_BYTES; p += STEP_BYTES, size -= STEP_BYTES) {
        for (int i = 0; i < 4; i++) {
            __builtin_prefetch(p + AHEAD + i * LINE);
            sums[i] = folded(sums[i], by_step, _mm512_loadu_si512(p + i * LINE));
        }
    }
    __m512i sum = sums[0];
    for (int i = 1; i < 4; i++) sum = folded(sum, by_line, sums[i]);
    uint64_t words[8], crc = 0;
    _mm512_storeu_si512(words, sum);
    for (int i = 0; i < 8; i++) crc = _mm_crc32_u64(crc, words[i]);
    return crc32c_sse42(~(uint32_t)crc, p, size);
}

mirlk_crc32c_way *mirlk_crc32c_ways(int index) {
    bool hardware = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
    bool wide = hardware && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
    mirlk_crc32c_way *ways[] = { crc32c_portable, hardware ? crc32c_sse42 : NULL, wide ? crc32c_avx512 : NULL };
    return ways[index];
}
#else
mirlk_crc32c_way *mirlk_crc32c_ways(int index) { return index == 0 ? crc32c_portable : NULL; }
#endif

uint32_t mirlk_crc32c(uint32_t crc, const void *data, size_t size) {
    mirlk_crc32c_way *best = crc32c_portable;
    for (int i = 1; i < MIRLK_CRC32C_WAYS && mirlk_crc32c_ways(i) != NULL; i++) best = mirlk_crc32c_ways(i);
    return best(crc, data, size);
}
