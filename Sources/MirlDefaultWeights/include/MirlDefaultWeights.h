/* The weights that mirl uses when none are named. */
#pragma once
#include <stddef.h>

/* The bytes of a .mirl file, 64-byte aligned, and their number. */
const void *mirl_default_weights(size_t *size);
