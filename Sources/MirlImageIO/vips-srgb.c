/* Which colour spaces are kept, and which are converted how. */
#include "vips-srgb.h"

/* A copy is changed, as libvips may give the same image to others. */
static int without_profile(const vips_library *vips, VipsImage *image, VipsImage **copy) {
    if (vips->copy(image, copy, NULL) != 0) return -1;
    vips->image_remove(*copy, VIPS_META_ICC_NAME);
    return 0;
}

/* Colours of 16 bits with what `source` has beside its own, multiplied by `scale`. */
static int with_others(const vips_library *vips, VipsImage *rgb, VipsImage *source, double scale, VipsImage **joined) {
    VipsImage *colours = NULL, *others = NULL, *scaled = NULL, *rounded = NULL;
    int failed = vips->extract_band(rgb, &colours, 0, "n", 3, NULL) != 0 ||
                 vips->extract_band(source, &others, 3, "n", vips->image_get_bands(source) - 3, NULL) != 0 ||
                 vips->linear1(others, &scaled, scale, 0.5, NULL) != 0 ||
                 vips->cast(scaled, &rounded, VIPS_FORMAT_USHORT, NULL) != 0 ||
                 vips->bandjoin2(colours, rounded, joined, NULL) != 0;
    VipsImage *used[] = {colours, others, scaled, rounded};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        if (used[i] != NULL) vips->object_unref(used[i]);
    return failed;
}

/* What has a colour space of its own needs no profile, and the one that it may have is not that of sRGB. Alpha and the
 * like libvips 8.14 multiplies by 256 whatever they count to, but for HSV. */
static int to_rgb16(const vips_library *vips, VipsImage *image, double opaque, VipsImage **changed) {
    VipsImage *rgb = NULL, *joined = NULL;
    int failed = vips->colourspace(image, &rgb, VIPS_INTERPRETATION_RGB16, NULL) != 0;
    /* Not the bands of `image`: LABQ packs three into four. */
    bool has_others = !failed && vips->image_get_bands(rgb) > 3 &&
                      vips->image_guess_interpretation(image) != VIPS_INTERPRETATION_HSV;
    if (has_others) failed = with_others(vips, rgb, image, 65535 / opaque, &joined);
    if (!failed) failed = without_profile(vips, joined != NULL ? joined : rgb, changed);
    if (joined != NULL) vips->object_unref(joined);
    if (rgb != NULL) vips->object_unref(rgb);
    return failed;
}

vips_srgb_result vips_to_srgb(const vips_library *vips, VipsImage **image, double opaque) {
    VipsImage *changed = NULL;
    int failed = 0;
    VipsInterpretation space = vips->image_guess_interpretation(*image);
    switch (space) {
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
        failed = to_rgb16(vips, *image, space == VIPS_INTERPRETATION_scRGB ? opaque : 255, &changed);
        break;
    default:
        return VIPS_SRGB_REFUSED;
    }
    vips->object_unref(*image);
    *image = failed ? NULL : changed;
    return failed ? VIPS_SRGB_FAILED : VIPS_SRGB_CONVERTED;
}
