/* Which colour spaces are kept, and which are converted how. */
#include "vips-srgb.h"

/* A copy is changed, as libvips may give the same image to others. */
static int without_profile(const vips_library *vips, VipsImage *image, VipsImage **copy) {
    if (vips->copy(image, copy, NULL) != 0) return -1;
    vips->image_remove(*copy, VIPS_META_ICC_NAME);
    return 0;
}

/* What has a colour space of its own needs no profile, and the one that it may have is not that of sRGB. */
static int to_rgb16(const vips_library *vips, VipsImage *image, VipsImage **changed) {
    VipsImage *rgb;
    if (vips->colourspace(image, &rgb, VIPS_INTERPRETATION_RGB16, NULL) != 0) return -1;
    int failed = without_profile(vips, rgb, changed);
    vips->object_unref(rgb);
    return failed;
}

vips_srgb_result vips_to_srgb(const vips_library *vips, VipsImage **image) {
    VipsImage *changed = NULL;
    int failed = 0;
    switch (vips->image_guess_interpretation(*image)) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB16:
        return VIPS_SRGB_KEPT;
    case VIPS_INTERPRETATION_CMYK:
        failed = vips->icc_transform(*image, &changed, "srgb", "embedded", TRUE, "input_profile", "cmyk", "depth",
                                     vips->image_get_format(*image) == VIPS_FORMAT_UCHAR ? 8 : 16, NULL);
        break;
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABQ:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_LCH:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_YXY:
    case VIPS_INTERPRETATION_HSV:
    case VIPS_INTERPRETATION_scRGB:
        failed = to_rgb16(vips, *image, &changed);
        break;
    default:
        return VIPS_SRGB_REFUSED;
    }
    vips->object_unref(*image);
    *image = failed ? NULL : changed;
    return failed ? VIPS_SRGB_FAILED : VIPS_SRGB_CONVERTED;
}
