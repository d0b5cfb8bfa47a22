/* threads.c - threads change nothing but the time: not their number in a session, not sessions side by side. */
#define _POSIX_C_SOURCE 200809L
#include "host.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static mirl_image restored_with(uint32_t threads, const mirl_image *image)
{
    mirl_session *session = default_session(threads);
    mirl_image output = restored_by(session, image);
    mirl_session_free(session);
    return output;
}

void check_thread_counts(void)
{
    static const uint32_t counts[] = { 0, 2, 3, 7, 64 };
    mirl_image image = new_image(MIRL_RGBF, 37, 23, 0);
    mirl_image expected = restored_with(1, &image);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        mirl_image output = restored_with(counts[i], &image);
        CHECK(same_bytes(&output, &expected));
        free(output.data);
    }
    free(image.data);
    free(expected.data);
}

typedef struct {
    mirl_session *session;
    mirl_image image, expected;
    atomic_bool done;
} job;

static void *work(void *user_data)
{
    job *j = user_data;
    for (int i = 0; i < 3; i++) {
        mirl_image output = restored_by(j->session, &j->image);
        CHECK(same_bytes(&output, &j->expected));
        free(output.data);
    }
    return NULL;
}

/* Two sessions of one model, which the host frees while they still have all their work before them. */
void check_shared_model(void)
{
    mirl_model *model = default_model();
    pthread_t threads[2];
    job jobs[2];
    for (uint32_t i = 0; i < 2; i++) {
        jobs[i].image = new_image(MIRL_RGB8, 24 + 9 * i, 17, 0);
        jobs[i].expected = restored_with(1, &jobs[i].image);
        CHECK_STATUS(mirl_session_new(model, NULL, &jobs[i].session, NULL), MIRL_OK);
    }
    mirl_model_free(model);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, work, &jobs[i]) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        mirl_session_free(jobs[i].session);
        free(jobs[i].image.data);
        free(jobs[i].expected.data);
    }
}

static void *look(void *user_data)
{
    job *j = user_data;
    float confidence;
    do {
        mirl_task seen = mirl_session_seen(j->session, &confidence);
        CHECK(seen == MIRL_AUTO || confidence > 0);
    } while (!j->done);
    return NULL;
}

/* Asking what a session saw, over and over, does not keep it from its work. */
void check_looking_on(void)
{
    mirl_image image = new_image(MIRL_RGB8, 8, 8, 0);
    job j = { .session = default_session(1), .image = image, .expected = restored_with(1, &image) };
    pthread_t onlooker;
    CHECK(pthread_create(&onlooker, NULL, look, &j) == 0);
    for (int i = 0; i < 30; i++)
        work(&j);
    j.done = true;
    CHECK(pthread_join(onlooker, NULL) == 0);
    float confidence;
    mirl_session_seen(j.session, &confidence);
    CHECK(confidence > 0);
    mirl_session_free(j.session);
    free(image.data);
    free(j.expected.data);
}

/* How many threads this process has. */
static int count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    int count = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;)
        count += task->d_name[0] != '.';
    closedir(tasks);
    return count;
}

/* A session takes its threads with it. */
void check_threads_end(void)
{
    mirl_image image = new_image(MIRL_RGB8, 8, 8, 0);
    int before = count_threads();
    for (int i = 0; i < 5; i++)
        free(restored_with(3, &image).data);
    for (int i = 0; i < 1000 && count_threads() > before; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); /* one that was joined is listed a little longer */
    CHECK(count_threads() == before);
    free(image.data);
}

static void *restore_while_cancelled(void *user_data)
{
    job *j = user_data;
    CHECK(pthread_cancel(pthread_self()) == 0);
    mirl_model *model = default_model();
    CHECK(mirl_memory_estimate(model, 64, 64, 0) > 0);
    mirl_model_free(model);
    mirl_image output = j->image;
    CHECK_STATUS(mirl_restore(j->session, &output, &output, NULL, NULL), MIRL_OK);
    atomic_store(&j->done, true);
    pthread_testcancel();
    return NULL;
}

/* A thread that is cancelled ends after its call, not within. */
void check_cancelled_thread(void)
{
    job j = { .session = default_session(2), .image = new_image(MIRL_RGB8, 40, 30, 0) };
    mirl_image expected = restored_by(j.session, &j.image);
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, NULL, restore_while_cancelled, &j) == 0 && pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED && atomic_load(&j.done));
    CHECK(same_bytes(&j.image, &expected));
    mirl_session_free(j.session);
    free(j.image.data);
    free(expected.data);
}

static void *restore_all_alone(void *user_data)
{
    free(restored_with(2, user_data).data);
    return NULL;
}

/* The first to call the library, at that. */
void check_small_stack(void)
{
    mirl_image image = new_image(MIRL_RGB8, 40, 30, 0);
    pthread_attr_t small;
    pthread_t thread;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 64 << 10) == 0);
    CHECK(pthread_create(&thread, &small, restore_all_alone, &image) == 0 && pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&small);
    free(image.data);
}
