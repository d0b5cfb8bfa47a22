/* Restoring a whole image that libvips holds. */
#pragma once
#include "progress.h"

#include <mirl.h>

typedef struct restoration {
    mirl_model *model;
    mirl_task task;
    float strength;   /* 0..1 */
    uint32_t threads; /* 0: libmirl's default */
    uint64_t memory;  /* mirl_session_options.memory_limit */
} restoration;

/* Whether the image, which is grey or RGB, can be restored; if not, libvips' error buffer says why. */
gboolean restoration_accepts(const restoration *how, VipsImage *image);

/* Computes all pixels of the image and restores them. The result is alike in size, bands and format; its metadata mean
 * nothing. NULL after a failure, or when `progress` was told to stop. */
VipsImage *restoration_run(const restoration *how, VipsImage *image, progress *progress);

/* Hands what libmirl says to libvips. */
void restoration_fail(const mirl_error *error);
