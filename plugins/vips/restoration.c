/* From an image of any band format to memory that libmirl restores, and back. */
#include "restoration.h"

/* --- What the samples mean ---------------------------------------------------------------------------- */

/* Bands after these, such as alpha, pass through. */
static int count_colours(VipsImage *image) {
    VipsInterpretation space = vips_image_guess_interpretation(image);
    return space == VIPS_INTERPRETATION_B_W || space == VIPS_INTERPRETATION_GREY16 ? 1 : 3;
}

/* The sample that is white; black is 0. */
static double white(VipsImage *image) {
    switch (vips_image_guess_interpretation(image)) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_sRGB: return 255;
    case VIPS_INTERPRETATION_GREY16:
    case VIPS_INTERPRETATION_RGB16: return 65535;
    default: return vips_image_get_format(image) == VIPS_FORMAT_USHORT ? 65535 : 255;
    }
}

/* The format in which libmirl can restore the image as it lies in memory; 0 where there is none. */
static mirl_format direct_format(VipsImage *image) {
    int bands = vips_image_get_bands(image);
    VipsBandFormat format = vips_image_get_format(image);
    if (bands > count_colours(image) + 1) return 0;
    if (format == VIPS_FORMAT_UCHAR && white(image) == 255) return MIRL_GREY8 + bands - 1;
    if (format == VIPS_FORMAT_USHORT && white(image) == 65535) return MIRL_GREY16 + bands - 1;
    return 0;
}

/* An animation is one tall image of many pages, which have nothing to do with one another. */
static int count_pages(VipsImage *image) {
    return vips_image_get_height(image) / vips_image_get_page_height(image);
}

gboolean restoration_accepts(const restoration *how, VipsImage *image) {
    int bands = vips_image_get_bands(image), width = vips_image_get_width(image);
    int height = vips_image_get_page_height(image);
    if (vips_check_uncoded("mirl", image) || vips_check_noncomplex("mirl", image)) return FALSE;
    if (bands < count_colours(image)) {
        vips_error("mirl", "%d bands are too few for a colour image", bands);
        return FALSE;
    }
    if (mirl_memory_estimate(how->model, (uint32_t)width, (uint32_t)height, how->threads) == 0) {
        vips_error("mirl", "an image of %dx%d pixels is too large", width, height);
        return FALSE;
    }
    return TRUE;
}

/* --- Pages of memory ---------------------------------------------------------------------------------- */

typedef struct page_progress {
    progress *progress;
    int page, pages;
} page_progress;

static int on_page_progress(void *data, float done) {
    page_progress *at = data;
    return progress_go_on(at->progress, (at->page + (double)done) / at->pages) ? 0 : 1;
}

void restoration_fail(const mirl_error *error) {
    /* What was cancelled was killed, and that has been said. */
    if (error->status != MIRL_ERROR_CANCELLED) vips_error("mirl", "%s", error->message);
}

static mirl_status restore_pages(const restoration *how, mirl_session *session, VipsImage *memory, mirl_format format,
                                 page_progress *at, mirl_error *error) {
    mirl_restore_options options = {sizeof options, how->task, how->strength, on_page_progress, at};
    uint32_t height = (uint32_t)(vips_image_get_height(memory) / at->pages);
    for (; at->page < at->pages; at->page++) {
        mirl_image image = {
            sizeof image,
            format,
            (uint32_t)vips_image_get_width(memory),
            height,
            VIPS_IMAGE_SIZEOF_LINE(memory),
            VIPS_IMAGE_ADDR(memory, 0, at->page * (int)height),
        };
        mirl_status status = mirl_restore(session, &image, &image, &options, error);
        if (status != MIRL_OK) return status;
    }
    return MIRL_OK;
}

/* Restores in place. */
static gboolean restore_memory(const restoration *how, VipsImage *memory, mirl_format format, int pages,
                               progress *progress) {
    mirl_error error = {.struct_size = sizeof error};
    mirl_session_options options = {
        .struct_size = sizeof options, .threads = how->threads, .memory_limit = how->memory};
    mirl_session *session = NULL;
    page_progress at = {progress, 0, pages};
    mirl_status status = mirl_session_new(how->model, &options, &session, &error);
    if (status == MIRL_OK) status = restore_pages(how, session, memory, format, &at, &error);
    mirl_session_free(session);
    if (status != MIRL_OK) restoration_fail(&error);
    return status == MIRL_OK;
}

/* --- Images ------------------------------------------------------------------------------------------- */

static void on_reading(VipsImage *memory, VipsProgress *state, progress *progress) {
    (void)state;
    if (!progress_go_on(progress, 0)) vips_image_set_kill(memory, TRUE);
}

/* All pixels of the image, computed once. The computation stops when `progress` says so. */
static VipsImage *compute(VipsImage *image, progress *progress) {
    VipsImage *memory = vips_image_new_memory();
    vips_image_set_progress(memory, TRUE);
    g_signal_connect(memory, "eval", G_CALLBACK(on_reading), progress);
    int failed = vips_image_write(image, memory);
    /* The image outlives `progress`, and images made of it send their signals to it. */
    g_signal_handlers_disconnect_by_data(memory, progress);
    if (!failed) return memory;
    g_object_unref(memory);
    return NULL;
}

/* Restores the colours as floats, 0..1, and gives them their former range and format. */
static VipsImage *restore_floats(const restoration *how, VipsImage *image, int pages, progress *progress) {
    VipsImage *scope = vips_image_new();
    VipsImage **t = (VipsImage **)vips_object_local_array(VIPS_OBJECT(scope), 8);
    VipsBandFormat format = vips_image_get_format(image);
    int colours = count_colours(image), others = vips_image_get_bands(image) - colours;
    double range = white(image);
    VipsImage *restored = NULL;

    gboolean done = !vips_extract_band(image, &t[0], 0, "n", colours, NULL) && !vips_cast_float(t[0], &t[1], NULL) &&
                    !vips_linear1(t[1], &t[2], 1 / range, 0, NULL) && (t[3] = compute(t[2], progress)) != NULL &&
                    restore_memory(how, t[3], MIRL_GREYF + colours - 1, pages, progress) &&
                    !vips_linear1(t[3], &t[4], range, 0, NULL) &&
                    !(vips_band_format_isint(format) ? vips_rint(t[4], &t[5], NULL) : vips_copy(t[4], &t[5], NULL)) &&
                    !vips_cast(t[5], &t[6], format, NULL);
    if (done && others > 0)
        done = !vips_extract_band(image, &t[7], colours, "n", others, NULL) &&
               !vips_bandjoin2(t[6], t[7], &restored, NULL);
    else if (done)
        restored = g_object_ref(t[6]);
    g_object_unref(scope);
    return restored;
}

/* Takes over the image, which lies in memory. */
static VipsImage *restore_upright(const restoration *how, VipsImage *memory, int pages, progress *progress) {
    mirl_format format = direct_format(memory);
    VipsImage *restored = NULL;
    if (format == 0)
        restored = restore_floats(how, memory, pages, progress);
    else if (restore_memory(how, memory, format, pages, progress))
        restored = g_object_ref(memory);
    g_object_unref(memory);
    return restored;
}

/* --- Orientation -------------------------------------------------------------------------------------- */

/* Takes over the image, and turns it as EXIF's orientation tells a viewer to. */
static VipsImage *turn(VipsImage *image, int orientation) {
    VipsImage *tagged = NULL, *turned = NULL;
    if (vips_copy(image, &tagged, NULL) == 0) {
        vips_image_set_int(tagged, VIPS_META_ORIENTATION, orientation);
        vips_autorot(tagged, &turned, NULL);
        g_object_unref(tagged);
    }
    g_object_unref(image);
    return turned;
}

/* The orientation that takes back the given one: all but the quarter turns do so themselves. */
static int opposite(int orientation) { return orientation == 6 ? 8 : orientation == 8 ? 6 : orientation; }

/* Rain falls downwards, so the network sees the picture upright; it is given back as it lay. */
static VipsImage *restore_turned(const restoration *how, VipsImage *memory, int orientation, progress *progress) {
    VipsImage *turned = turn(memory, orientation);
    if (turned == NULL) return NULL;
    VipsImage *upright = compute(turned, progress);
    g_object_unref(turned);
    if (upright == NULL) return NULL;
    VipsImage *restored = restore_upright(how, upright, 1, progress);
    return restored != NULL ? turn(restored, opposite(orientation)) : NULL;
}

VipsImage *restoration_run(const restoration *how, VipsImage *image, progress *progress) {
    int pages = count_pages(image), orientation = vips_image_get_orientation(image);
    VipsImage *memory = compute(image, progress);
    if (memory == NULL || how->strength == 0) return memory;
    return orientation == 1 || pages > 1 ? restore_upright(how, memory, pages, progress)
                                         : restore_turned(how, memory, orientation, progress);
}
