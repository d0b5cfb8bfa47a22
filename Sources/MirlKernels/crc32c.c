/* CRC-32C: three interleaved streams of the crc32 instruction where there is one, four bytes a step elsewhere. */
#include "crc32c.h"
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

uint32_t mirlk_crc32c_portable(uint32_t crc, const void *data, size_t size) {
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

uint32_t mirlk_crc32c(uint32_t crc, const void *data, size_t size) {
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) return crc32c_sse42(crc, data, size);
    return mirlk_crc32c_portable(crc, data, size);
}
#else
uint32_t mirlk_crc32c(uint32_t crc, const void *data, size_t size) { return mirlk_crc32c_portable(crc, data, size); }
#endif
