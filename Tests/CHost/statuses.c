/* statuses.c - failures that are not the caller's: files, weights, memory; and that their messages fit. */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static mirl_error error = { .struct_size = sizeof error };

static void check_file_errors(void)
{
    mirl_model *model = NULL;
    CHECK_STATUS(mirl_model_open("/nonexistent/x.mirl", &model, &error), MIRL_ERROR_IO);
    CHECK(error.status == MIRL_ERROR_IO && strstr(error.message, "/nonexistent/x.mirl") != NULL);
    CHECK_STATUS(mirl_model_open("/", &model, &error), MIRL_ERROR_IO);
    CHECK_STATUS(mirl_model_open("/proc/self/exe", &model, &error), MIRL_ERROR_WEIGHTS);
    CHECK_STATUS(mirl_model_open_memory("not weights", 11, &model, &error), MIRL_ERROR_WEIGHTS);
    CHECK(error.message[0] != 0);
    CHECK_STATUS(mirl_model_open_memory("", 0, &model, NULL), MIRL_ERROR_WEIGHTS);
    CHECK_STATUS(mirl_model_open_memory("", 0, &model, &error), MIRL_ERROR_WEIGHTS);
    CHECK(strstr(error.message, "file length") != NULL);
    CHECK(model == NULL);
}

/* Whether the text up to `end` ends between characters: no lead byte misses its continuation bytes. */
static bool ends_whole(const char *text, size_t end)
{
    size_t tail = 0;
    while (tail < end && ((unsigned char)text[end - 1 - tail] & 0xC0) == 0x80)
        tail++;
    unsigned char lead = (unsigned char)text[end - 1 - tail];
    return tail == (lead >= 0xF0 ? 3u : lead >= 0xE0 ? 2u : lead >= 0xC0 ? 1u : 0u);
}

/* A message is longer than its room here, whichever byte of a character the cut falls on; it stays one line. */
static void check_long_messages(void)
{
    mirl_model *model = NULL;
    for (size_t shift = 0; shift < 3; shift++) {
        char path[1600] = "/nonexistent/\n";
        memset(path + strlen(path), 'x', shift);
        while (strlen(path) < 1200)
            strcat(path, "\xE2\x82\xAC");
        memset(error.message, 'A', sizeof error.message);
        CHECK_STATUS(mirl_model_open(path, &model, &error), MIRL_ERROR_IO);
        CHECK(memchr(error.message, 0, sizeof error.message) != NULL);
        const char *dots = strstr(error.message, "..."), *reason = ": cannot open: No such file or directory";
        CHECK(strlen(error.message) >= sizeof error.message - 8 && dots != NULL);
        CHECK(ends_whole(error.message, (size_t)(dots - error.message)));
        CHECK(((unsigned char)dots[3] & 0xC0) != 0x80);
        CHECK(strcmp(error.message + strlen(error.message) - strlen(reason), reason) == 0);
        CHECK(strchr(error.message, '\n') == NULL);
    }
}

/* An image larger than the memory that the process may use. */
static void check_memory_error(void)
{
    mirl_session *session = default_session(1);
    mirl_model *model = default_model();
    mirl_image image = { sizeof image, MIRL_GREY8, 16384, 16384, 16384, malloc((size_t)16384 * 16384) };
    CHECK(image.data != NULL);
    struct rlimit limit = { (rlim_t)1 << 30, RLIM_INFINITY };
    CHECK(mirl_memory_estimate(model, image.width, image.height, 1) > limit.rlim_cur);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK_STATUS(mirl_restore(session, &image, &image, NULL, &error), MIRL_ERROR_MEMORY);
    CHECK(error.message[0] != 0);

    mirl_image small = new_image(MIRL_GREY8, 8, 8, 0);
    CHECK_STATUS(mirl_restore(session, &small, &small, NULL, &error), MIRL_OK);
    free(small.data);
    free(image.data);
    mirl_model_free(model);
    mirl_session_free(session);
}

/* A file that is larger than the memory that the process may use. */
static void check_large_file(void)
{
    char path[] = "/tmp/mirl-large-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0 && ftruncate(file, (off_t)1 << 32) == 0);
    struct rlimit limit, little = { (rlim_t)1 << 30, RLIM_INFINITY };
    mirl_model *model = NULL;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0 && setrlimit(RLIMIT_AS, &little) == 0);
    CHECK_STATUS(mirl_model_open(path, &model, &error), MIRL_ERROR_MEMORY);
    CHECK(strstr(error.message, path) != NULL && strstr(error.message, "4294967296") != NULL && model == NULL);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    close(file);
    CHECK(unlink(path) == 0);
}

/* More threads than the memory for their stacks allows: nothing is left behind, and fewer can be had. */
static void check_system_error(void)
{
    mirl_model *model = default_model();
    mirl_session *session = NULL;
    mirl_session_options options = { .struct_size = sizeof options, .threads = 1024 };
    struct rlimit limit, little = { (rlim_t)1 << 30, RLIM_INFINITY };
    pthread_attr_t usual, large;
    CHECK(pthread_getattr_default_np(&usual) == 0 && pthread_getattr_default_np(&large) == 0);
    CHECK(pthread_attr_setstacksize(&large, 1 << 23) == 0 && pthread_setattr_default_np(&large) == 0);
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0 && setrlimit(RLIMIT_AS, &little) == 0);
    CHECK_STATUS(mirl_session_new(model, &options, &session, &error), MIRL_ERROR_SYSTEM);
    CHECK(session == NULL && error.status == MIRL_ERROR_SYSTEM && strstr(error.message, "thread") != NULL);
    options.threads = 2;
    CHECK_STATUS(mirl_session_new(model, &options, &session, &error), MIRL_OK);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0 && pthread_setattr_default_np(&usual) == 0);
    CHECK(pthread_attr_destroy(&usual) == 0 && pthread_attr_destroy(&large) == 0);
    mirl_session_free(session);
    mirl_model_free(model);
}

void check_statuses(void)
{
    check_file_errors();
    check_long_messages();
    check_large_file();
    check_system_error();
    check_memory_error();
}
