/* The arithmetic of the network on tiles, one table of functions per instruction set.
 *
 * A tile is a stretch of at most MIRLK_TILE pixels of one image row, those beside it included, in many channels:
 * channel c lies at `tile + c * stride`, its pixels contiguous. Widths are exact: nothing past `width` is written, but
 * whole vectors are read, so every buffer has MIRLK_SLACK readable floats behind it.
 *
 * Three kernels compute long with little memory, and meanwhile fetch into the cache what will soon be read: the tile's
 * width from ahead[c] on, where c counts the rows of q, the channels to mix, or the gates.
 *
 * Kernels trust their arguments; loading validates once. Each output is summed in one order on every instruction
 * set, so tables differ only where one has fused multiply-add and another has not.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "crc32c.h"

enum { MIRLK_TILE = 80, MIRLK_SLACK = 64, MIRLK_SQUARES = 16 };

/* One weight, and how many floats after the start of a tile its input lies. */
typedef struct mirlk_term {
    int32_t offset;
    float weight;
} mirlk_term;

/* A matrix made ready for tiles of one layout. Its rows come in groups of equal numbers of terms, so that loops do not
 * end where the processor did not expect it: `outs` says where each row's sums go, floats after the start of the
 * output, and `terms` are the rows' terms one after another. A row may come in several parts, of which the groups after
 * its first have `adds` set: their sums are added to what the parts before have left. */
typedef struct mirlk_product {
    const struct mirlk_group {
        uint32_t terms, rows, adds;
    } *groups;
    uint32_t group_count;
    const int32_t *outs;
    const mirlk_term *terms;
} mirlk_product;

typedef struct mirlk_kernels {
    const char *name;

    /* For each row, the sum of weight * in[offset + x] for x < width, added to what `out` holds if `accumulate`. */
    void (*multiply)(const mirlk_product *product, const float *in, float *out, uint32_t width, int accumulate);

    /* IEEE half to float. */
    void (*decode_half)(const void *half, float *out, size_t count);

    /* Copies `width` pixels of each of `channels` channels. The same pixels `next` floats further on will be copied
     * soon: a copy would else mostly wait for memory. */
    void (*copy)(const float *in, ptrdiff_t in_stride, float *out, ptrdiff_t out_stride, uint32_t channels,
                 uint32_t width, ptrdiff_t next);

    /* LayerNorm over `channels` (biased variance, epsilon 1e-5) of the pixels from in[c] on, to a tile. */
    void (*normalize)(const float *const *in, float *tile, ptrdiff_t stride, uint32_t channels, uint32_t width,
                      const float *weight, const float *bias);

    /* For each row, gelu(sum of the gate's row) * sum of the value's row, as `multiply` sums; both products have the
     * same rows in one order, each in one part, and the gate's say where the results go. GELU within 1e-6 of the exact
     * (erf) form, for any finite gate. */
    void (*multiply_gated)(const mirlk_product *gate, const mirlk_product *value, const float *in, float *out,
                           uint32_t width, const float *const *ahead);

    /* Adds the products of all pairs of rows of q and k, gram[i * k_rows + j] += sum over pixels of q[i] * k[j], and
     * their squares: the squared norm of row i is the sum of the MIRLK_SQUARES floats at
     * q_squares[i * MIRLK_SQUARES]. `room` holds MIRLK_TILE * (q_rows + k_rows + 16). */
    void (*gram)(const float *q, uint32_t q_rows, const float *k, uint32_t k_rows, ptrdiff_t stride, uint32_t width,
                 float *gram, float *q_squares, float *k_squares, float *room, const float *const *ahead);

    /* Makes a matrix ready to be the weights of `mix`, in place. */
    void (*prepare_mix)(float *weights, uint32_t rows, uint32_t channels);

    /* out[i] = sum over j of weights[i * channels + j] * in[j], i < rows, j < channels. `room` holds
     * MIRLK_TILE / 2 * (channels + 1). */
    void (*mix)(const float *weights, uint32_t rows, uint32_t channels, const float *in, ptrdiff_t stride, float *out,
                ptrdiff_t out_stride, uint32_t width, float *room, const float *const *ahead);
} mirlk_kernels;

/* Line y of the pixel shuffle: channels 4 c + 2 dy + dx of `in` become pixel (2 x + dx, dy) of channel c, for `width`
 * pixels of `in` and `channels` channels of `out`, whose two lines lie `row_stride` apart; and its inverse for one of
 * the two lines dy, where `width` counts the pixels of `out`. */
void mirlk_shuffle(const float *in, ptrdiff_t in_stride, float *out, ptrdiff_t out_stride, ptrdiff_t row_stride,
                   uint32_t channels, uint32_t width);
void mirlk_unshuffle(const float *in, ptrdiff_t in_stride, float *out, ptrdiff_t out_stride, uint32_t dy,
                     uint32_t channels, uint32_t width);

/* A line between two lines of a map, stretched: out[x] mixes columns left[x] and left[x] + 1 (at most `last`) of the
 * lines `above` and `below` by the shares right_share[x] and below_share. */
void mirlk_stretch(const float *above, const float *below, float below_share, ptrdiff_t in_stride, uint32_t last,
                   const int32_t *left, const float *right_share, float *out, ptrdiff_t out_stride, uint32_t channels,
                   uint32_t width);

/* The tables that this processor can run, best first, NULL at the end. */
const mirlk_kernels *const *mirlk_available(void);

/* Kernels like these whose gram and mix round their factors to bf16, which takes half the time on Zen 4 and more on
 * others; the same unless they are those for AVX-512 and this processor has instructions for that. */
mirlk_kernels mirlk_bf16(mirlk_kernels kernels);

/* The processors of the calling thread's affinity mask, or fewer where its control group has a quota of fewer; 0 if the
 * system will not say. */
uint32_t mirlk_processors(void);

/* The processors, rounded up, that the control group (version 2) which `groups` names, as /proc/self/cgroup does, and
 * those around it may use, as told below `root`; UINT32_MAX without a limit. */
uint32_t mirlk_quota(const char *groups, const char *root);

/* Tells the processor that this thread is waiting for another. */
static inline void mirlk_pause(void) {
#if __x86_64__
    __builtin_ia32_pause();
#elif __aarch64__
    __asm__ volatile("isb");
#endif
}

/* Between enter and leave, this thread computes as the network expects, whatever its host has set: it rounds to
 * nearest, traps nothing, and flushes denormals to zero, as they cost a hundred times a normal number and add nothing.
 * `enter` returns what `leave` restores. */
typedef struct mirlk_arithmetic {
    uint32_t words[8];
} mirlk_arithmetic;
mirlk_arithmetic mirlk_enter_arithmetic(void);
void mirlk_leave_arithmetic(mirlk_arithmetic saved);
