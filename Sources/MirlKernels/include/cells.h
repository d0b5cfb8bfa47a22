/* Sparse matrices in weight files, see mirl-weights(5). */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The largest column in any row's last cell, of `cells` in each of `rows`; 0 if there is none. At least 16 bytes before
 * `columns` can be read. */
uint8_t mirlk_largest_in_last_cells(const uint8_t *columns, const uint32_t *starts, size_t rows, size_t cells);
