/* The weights that mirl uses when none are named, as the bytes of a .mirl file. */
#pragma once
#include <stddef.h>

extern const unsigned char mirl_default_weights[];
extern const size_t mirl_default_weights_size;
