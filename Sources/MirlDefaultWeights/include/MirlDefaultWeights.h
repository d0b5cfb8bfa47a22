/* The weights that mirl uses when none are named: the bytes of .mirl files, 64-byte aligned, and their number. */
#pragma once
#include <stddef.h>

/* Those for every task. */
const void *mirl_default_weights(size_t *size);

/* Those for one task alone, by its name; NULL if it has none of its own. */
const void *mirl_default_weights_for(const char *task, size_t *size);
