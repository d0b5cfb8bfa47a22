/* What this machine could do at best, for comparison: measured, by loops that do nothing else. */
#pragma once
#include <stddef.h>

/* Floats in a vector of the instruction sets that can be measured here, widest first, 0 at the end. */
const int *mirlm_lanes(void);

/* Does `rounds` times some fused multiply-adds of vectors of so many floats, in registers, as many at a time as keep
 * the units busy; returns the floating-point operations done, two to a multiply-add. */
double mirlm_multiply_add(int lanes, long rounds);

/* Reads `count` floats, a multiple of 64; returns a sum of them. */
float mirlm_read(const float *values, size_t count);
