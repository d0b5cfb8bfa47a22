/* fork.c - parent and child go on with the session that was made before the fork, and can free it; so does a child to
 * which the system refuses threads, once it grants them. */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void restore_and_free(mirl_session *session, const mirl_image *image, const mirl_image *expected)
{
    mirl_image output = restored_by(session, image);
    CHECK(same_bytes(&output, expected));
    free(output.data);
    mirl_session_free(session);
}

/* Waits until a child has come to a good end. */
static void await(pid_t child)
{
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Threads whose stacks do not fit in memory: the dead threads' stacks that a child inherits are too small for them. */
static void limit_threads(bool limited)
{
    struct rlimit limit = { limited ? (rlim_t)1 << 30 : RLIM_INFINITY, RLIM_INFINITY };
    pthread_attr_t attributes;
    CHECK(pthread_getattr_default_np(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, limited ? (size_t)2 << 30 : (size_t)1 << 23) == 0);
    CHECK(pthread_setattr_default_np(&attributes) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void check_without_threads(mirl_session *session, const mirl_image *image, const mirl_image *expected)
{
    mirl_error error = { .struct_size = sizeof error };
    mirl_image output = copy_of(image);
    limit_threads(true);
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(mirl_restore(session, image, &output, NULL, &error), MIRL_ERROR_SYSTEM);
        CHECK(strstr(error.message, "thread") != NULL && same_bytes(&output, image));
    }
    pid_t child = fork();
    CHECK(child >= 0);
    limit_threads(false);
    restore_and_free(session, image, expected);
    if (child == 0)
        exit(0);
    await(child);
    free(output.data);
}

void check_fork(void)
{
    alarm(60); /* instead of hanging */
    mirl_image image = new_image(MIRL_RGB8, 37, 23, 0);
    mirl_session *used = default_session(3), *unused = default_session(3), *freed = default_session(3);
    mirl_session *last = default_session(3);
    mirl_image expected = restored_by(used, &image);
    free(restored_by(last, &image).data);
    pid_t child = fork();
    CHECK(child >= 0);
    restore_and_free(used, &image, &expected);
    restore_and_free(unused, &image, &expected);
    mirl_session_free(freed);
    restore_and_free(default_session(2), &image, &expected);
    if (child == 0) {
        check_without_threads(last, &image, &expected);
        exit(0);
    }
    mirl_session_free(last);
    await(child);
    free(image.data);
    free(expected.data);
}
