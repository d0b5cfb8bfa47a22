/* fork.c - parent and child go on with the session that was made before the fork, and can free it. */
#define _GNU_SOURCE
#include "host.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void restore_and_free(mirl_session *session, const mirl_image *image, const mirl_image *expected)
{
    mirl_image output = restored_by(session, image);
    CHECK(same_bytes(&output, expected));
    free(output.data);
    mirl_session_free(session);
}

void check_fork(void)
{
    mirl_image image = new_image(MIRL_RGB8, 37, 23, 0);
    mirl_session *used = default_session(3), *unused = default_session(3), *freed = default_session(3);
    mirl_image expected = restored_by(used, &image);
    pid_t child = fork();
    CHECK(child >= 0);
    restore_and_free(used, &image, &expected);
    restore_and_free(unused, &image, &expected);
    mirl_session_free(freed);
    restore_and_free(default_session(2), &image, &expected);
    if (child == 0)
        exit(0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    free(image.data);
    free(expected.data);
}
