/* Which colour spaces are kept, and which are converted how. */
#include "vips-srgb.h"

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
        failed = vips->colourspace(*image, &changed, VIPS_INTERPRETATION_RGB16, NULL);
        if (!failed) vips->image_remove(changed, VIPS_META_ICC_NAME);
        break;
    default:
        return VIPS_SRGB_REFUSED;
    }
    vips->object_unref(*image);
    *image = failed ? NULL : changed;
    return failed ? VIPS_SRGB_FAILED : VIPS_SRGB_CONVERTED;
}
