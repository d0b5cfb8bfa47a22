/* The weights that mirl uses when none are named. */
#pragma once
#include <stddef.h>

/* The bytes of the .mirl file for `task`, 64-byte aligned, and their number; NULL if the task has none of its own. That
 * for "auto" does every task. */
const void *mirl_default_weights(const char *task, size_t *size);
