/* Sends the signals that libvips sends for computations of its own; its functions for that are not public. */
#include "progress.h"

static void tell(progress *progress, const char *signal) {
    if (progress->listener != NULL) g_signal_emit_by_name(progress->listener, signal, &progress->state);
}

void progress_begin(progress *progress, VipsImage *image) {
    *progress = (struct progress){
        .image = image,
        .listener = image->progress_signal != NULL ? g_object_ref(image->progress_signal) : NULL,
        .state = {.im = image, .tpels = VIPS_IMAGE_N_PELS(image), .start = g_timer_new()},
    };
    tell(progress, "preeval");
}

/* A listener may be slow; it hears of every percent, and otherwise twenty times a second. */
static gboolean is_news(const progress *progress, int percent, double now) {
    return percent != progress->state.percent || now >= progress->told + 0.05;
}

gboolean progress_go_on(progress *progress, double done) {
    VipsProgress *state = &progress->state;
    double now = g_timer_elapsed(state->start, NULL);
    int percent = (int)(100 * done);
    if (is_news(progress, percent, now)) {
        progress->told = now;
        state->run = (int)now;
        state->npels = (gint64)(done * state->tpels);
        state->percent = percent;
        state->eta = done > 0.1 ? (int)(now / done - now) : 0;
        tell(progress, "eval");
    }
    gboolean killed = vips_image_iskilled(progress->image);
    if (progress->listener != NULL) killed |= vips_image_iskilled(progress->listener);
    return !killed;
}

void progress_end(progress *progress) {
    tell(progress, "posteval");
    g_timer_destroy(progress->state.start);
    if (progress->listener != NULL) g_object_unref(progress->listener);
}
