/* A check of weight files, 16 columns at a time, as most cells are too short for more. */
#include "cells.h"
#include <string.h>

typedef uint8_t bytes __attribute__((vector_size(16)));

uint8_t mirlk_largest_in_last_cells(const uint8_t *columns, const uint32_t *starts, size_t rows, size_t cells) {
    const bytes lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    bytes largest = {0};
    for (size_t row = 1; row <= rows; row++) {
        size_t begin = starts[row * cells - 1], end = starts[row * cells];
        while (end > begin) {
            size_t count = end - begin < 16 ? end - begin : 16;
            bytes last;
            memcpy(&last, columns + end - 16, sizeof last);
            last &= (bytes)(lanes >= (bytes){0} + (uint8_t)(16 - count));
            largest = __builtin_elementwise_max(largest, last);
            end -= count;
        }
    }
    return __builtin_reduce_max(largest);
}
