/* progress.c - the callback sees the work go on, can stop it, and cannot break the session that calls it. */
#include "host.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct {
    mirl_session *session;
    mirl_image *image;
    pthread_t caller;
    float last, cancel_from; /* a share beyond 1 is never reached */
    int calls, ends;
    mirl_status nested;
} watch;

static int watching(void *user_data, float done)
{
    watch *w = user_data;
    CHECK(pthread_equal(pthread_self(), w->caller));
    CHECK(done >= w->last && done <= 1);
    w->last = done;
    CHECK(mirl_session_seen(w->session, NULL) == MIRL_AUTO);
    w->nested = mirl_restore(w->session, w->image, w->image, NULL, NULL);
    w->calls++;
    w->ends += done == 1;
    return done >= w->cancel_from ? -1 : 0;
}

static mirl_status restore_watched(watch *w, const mirl_image *input, const mirl_image *output)
{
    mirl_restore_options options = { sizeof options, MIRL_AUTO, 1, watching, w };
    mirl_error error = { .struct_size = sizeof error };
    mirl_status status = mirl_restore(w->session, input, output, &options, &error);
    CHECK(error.status == status && (error.message[0] == 0) == (status == MIRL_OK));
    return status;
}

void check_progress(void)
{
    mirl_image image = new_image(MIRL_RGB8, 40, 30, 0), nested = copy_of(&image);
    watch w = { .session = default_session(0), .image = &nested, .caller = pthread_self(), .cancel_from = 2 };
    CHECK_STATUS(restore_watched(&w, &image, &image), MIRL_OK);
    CHECK(w.calls > 1 && w.last == 1 && w.ends == 1);
    CHECK_STATUS(w.nested, MIRL_ERROR_ARGUMENT);
    mirl_session_free(w.session);
    free(image.data);
    free(nested.data);
}

/* Whenever it is cancelled, even in place and at the last moment, the image is as it was; the session goes on. */
void check_cancel(void)
{
    static const float shares[] = { 0, 0.1f, 0.5f, 0.9f, 1 };
    mirl_image image = new_image(MIRL_RGB8, 40, 30, 0), before = copy_of(&image), nested = copy_of(&image);
    mirl_session *session = default_session(0);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        watch w = { .session = session, .image = &nested, .caller = pthread_self(), .cancel_from = shares[i] };
        CHECK_STATUS(restore_watched(&w, &image, &image), MIRL_ERROR_CANCELLED);
        CHECK(same_bytes(&image, &before));
    }
    mirl_session *fresh = default_session(0);
    CHECK_STATUS(mirl_restore(session, &image, &image, NULL, NULL), MIRL_OK);
    CHECK_STATUS(mirl_restore(fresh, &before, &before, NULL, NULL), MIRL_OK);
    CHECK(same_bytes(&image, &before));
    mirl_session_free(session);
    mirl_session_free(fresh);
    free(image.data);
    free(before.data);
    free(nested.data);
}
