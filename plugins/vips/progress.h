/* Eval signals: tells whoever listens to an image how far its pixels are, and hears who wants them no more. */
#pragma once
#include <vips/vips.h>

typedef struct progress {
    VipsImage *image;    /* being computed */
    VipsImage *listener; /* the image whose signals are listened to; NULL where nobody does */
    VipsProgress state;
    double told; /* seconds since the start, when the last signal was sent */
} progress;

/* Sends preeval. */
void progress_begin(progress *progress, VipsImage *image);

/* Sends eval where that is news; `done` is 0..1. False, with a message in libvips' error buffer, when the image or its
 * listener was killed. */
gboolean progress_go_on(progress *progress, double done);

/* Sends posteval. */
void progress_end(progress *progress);
