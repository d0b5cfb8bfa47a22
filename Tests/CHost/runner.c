/* runner.c - the host's parallel-for gives the pixels of the session's own threads, however it runs the work, and may
 * fail. */
#include "host.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct {
    int (*run)(mirl_work work, void *work_data, uint32_t count);
    uint32_t most; /* the largest count seen */
    int calls;
} tally;

static int counted(void *runner_data, mirl_work work, void *work_data, uint32_t count)
{
    tally *t = runner_data;
    t->calls++;
    t->most = count > t->most ? count : t->most;
    return t->run(work, work_data, count);
}

static int backwards(mirl_work work, void *work_data, uint32_t count)
{
    while (count-- > 0)
        work(work_data, count);
    return 0;
}

typedef struct {
    mirl_work work;
    void *data;
    uint32_t index;
    pthread_t thread;
} part;

static void *run_part(void *user_data)
{
    part *p = user_data;
    p->work(p->data, p->index);
    return NULL;
}

/* A thread for each part; the caller's does none of them. */
static int elsewhere(mirl_work work, void *work_data, uint32_t count)
{
    part parts[16];
    CHECK(count <= 16);
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = (part){ .work = work, .data = work_data, .index = i };
        CHECK(pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0);
    }
    for (uint32_t i = 0; i < count; i++)
        CHECK(pthread_join(parts[i].thread, NULL) == 0);
    return 0;
}

/* Breaks the contract: the same index over and over, more often than asked, and at the same time. */
static int greedily(mirl_work work, void *work_data, uint32_t count)
{
    part parts[16];
    for (uint32_t i = 0; i < 16; i++) {
        parts[i] = (part){ .work = work, .data = work_data, .index = count / 2 };
        CHECK(pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0);
    }
    for (uint32_t i = 0; i < 16; i++)
        CHECK(pthread_join(parts[i].thread, NULL) == 0);
    return 0;
}

static int fails(mirl_work work, void *work_data, uint32_t count)
{
    (void)work, (void)work_data, (void)count;
    return -7;
}

static int forgets(mirl_work work, void *work_data, uint32_t count)
{
    (void)work, (void)work_data, (void)count;
    return 0;
}

static mirl_session *session_run_by(tally *t, uint32_t threads)
{
    mirl_model *model = default_model();
    mirl_session *session = NULL;
    mirl_session_options options = {
        .struct_size = sizeof options, .threads = threads, .runner = counted, .runner_data = t
    };
    CHECK_STATUS(mirl_session_new(model, &options, &session, NULL), MIRL_OK);
    mirl_model_free(model);
    return session;
}

static void check_same_pixels(const mirl_image *image, const mirl_image *expected)
{
    static int (*const runs[])(mirl_work, void *, uint32_t) = { backwards, elsewhere, greedily };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        tally t = { .run = runs[i] };
        mirl_session *session = session_run_by(&t, 3);
        mirl_image output = restored_by(session, image);
        CHECK(same_bytes(&output, expected));
        CHECK(t.calls > 1 && t.most == 3);
        free(output.data);
        mirl_session_free(session);
    }
}

static void check_failures(mirl_image *image, const char *words, int (*run)(mirl_work, void *, uint32_t))
{
    tally t = { .run = run };
    mirl_error error = { .struct_size = sizeof error };
    mirl_session *session = session_run_by(&t, 3);
    mirl_image before = copy_of(image);
    CHECK_STATUS(mirl_restore(session, image, image, NULL, &error), MIRL_ERROR_SYSTEM);
    CHECK(strstr(error.message, words) != NULL);
    CHECK(same_bytes(image, &before));

    t.run = backwards;
    CHECK_STATUS(mirl_restore(session, &before, &before, NULL, &error), MIRL_OK);
    free(before.data);
    mirl_session_free(session);
}

typedef struct {
    pthread_t caller;
    float last, cancel_from;
} watch;

static int watching(void *user_data, float done)
{
    watch *w = user_data;
    CHECK(pthread_equal(w->caller, pthread_self()) && done >= w->last && done <= 1);
    w->last = done;
    return done >= w->cancel_from;
}

/* Progress comes on the caller's thread and cancels, whether that thread takes part or not. */
static void check_watched(mirl_image *image, int (*run)(mirl_work, void *, uint32_t))
{
    tally t = { .run = run };
    mirl_session *session = session_run_by(&t, 2);
    mirl_image output = copy_of(image);
    watch w = { .caller = pthread_self(), .cancel_from = 2 };
    mirl_restore_options options = { sizeof options, MIRL_AUTO, 1, watching, &w };
    CHECK_STATUS(mirl_restore(session, image, &output, &options, NULL), MIRL_OK);
    CHECK(w.last == 1);

    w = (watch){ .caller = pthread_self(), .cancel_from = 0.5f };
    CHECK_STATUS(mirl_restore(session, image, &output, &options, NULL), MIRL_ERROR_CANCELLED);
    CHECK(w.last >= 0.5f && w.last < 1);
    free(output.data);
    mirl_session_free(session);
}

void check_runner(void)
{
    mirl_image image = new_image(MIRL_RGB16, 45, 38, 0);
    mirl_session *own = default_session(1);
    mirl_image expected = restored_by(own, &image);
    check_same_pixels(&image, &expected);
    check_failures(&image, "-7", fails);
    check_failures(&image, "not done", forgets);
    check_watched(&image, backwards);
    check_watched(&image, elsewhere);
    mirl_session_free(own);
    free(image.data);
    free(expected.data);
}
