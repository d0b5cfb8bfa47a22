/* Brings an image of any colour space to those that are restored, grey and RGB; the vips plugin does so too. */
#pragma once
#include "vips-library.h"

typedef enum vips_srgb_result {
    VIPS_SRGB_KEPT,      /* it is grey or RGB already */
    VIPS_SRGB_CONVERTED, /* *image is another image now */
    VIPS_SRGB_REFUSED,   /* nothing is known of its colours */
    VIPS_SRGB_FAILED,    /* libvips says why; *image is NULL */
} vips_srgb_result;

/* Converts with the profile of inks, and without one where the space says all. `opaque` is what alpha beside linear
 * colours counts to; beside others it is 255, in libvips as in files. */
vips_srgb_result vips_to_srgb(const vips_library *vips, VipsImage **image, double opaque);
