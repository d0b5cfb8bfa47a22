/* The functions of libvips that are used here, found at run time. */
#pragma once
#include "internal.h"

#include <vips/vips.h>

#define VIPS_LIBRARY_FUNCTIONS(use)                                                                                    \
    use(vips, init) use(vips, block_untrusted_set) use(vips, cache_set_max) use(vips, concurrency_set)                 \
    use(vips, error_buffer) use(vips, error_clear) use(vips, enum_nick) use(vips, interpretation_get_type)             \
    use(vips, band_format_get_type) use(vips, type_find) use(vips, blob_new) use(vips, area_unref) use(vips, call)     \
    use(vips, image_new_from_memory)                                                                                   \
    use(vips, image_write_to_memory) use(vips, image_write_to_buffer) use(vips, image_init_fields)                     \
    use(vips, image_get_width) use(vips, image_get_height) use(vips, image_get_bands) use(vips, image_get_format)      \
    use(vips, image_get_xres) use(vips, image_get_yres) use(vips, image_guess_interpretation)                          \
    use(vips, image_get_orientation) use(vips, image_get_n_pages) use(vips, image_get_typeof)                          \
    use(vips, image_get_string) use(vips, image_get_int) use(vips, image_get_blob)                                     \
    use(vips, image_set_blob_copy) use(vips, image_remove)                                                             \
    use(vips, icc_transform) use(vips, colourspace) use(vips, copy) use(vips, extract_band) use(vips, bandjoin2)       \
    use(vips, linear1) use(vips, cast) use(g, object_unref) use(g, log_set_default_handler)

/* Named as in libvips and GLib, less the prefix. */
typedef struct vips_library {
#define DECLARE(prefix, name) __typeof__(&prefix##_##name) name;
    VIPS_LIBRARY_FUNCTIONS(DECLARE)
#undef DECLARE
} vips_library;

/* Opens and starts libvips once; NULL, with a message, where it is not installed. Serves one thread. */
const vips_library *vips_library_open(mirl_picture_message *message);

/* Writes the first line of `reason`, some part of what libvips says went wrong, after `what`, and returns `status`. */
mirl_picture_status vips_library_fail(const vips_library *vips, mirl_picture_status status, const char *what,
                                      const char *reason, mirl_picture_message *message);
