/* allocator.c - the host's allocator gives all memory that grows with the image, gets every block back with what it
 * was asked for, and may refuse. */
#define _GNU_SOURCE
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    size_t held, most, largest; /* bytes now, at most, and in the largest block */
    size_t alignment;
    size_t shift;               /* bytes that blocks begin too late */
    bool refuses;
} account;

static void *take(void *allocator_data, size_t size, size_t alignment)
{
    account *a = allocator_data;
    void *block = NULL;
    CHECK(alignment > 0 && (alignment & (alignment - 1)) == 0 && size > 0);
    if (a->refuses)
        return NULL;
    CHECK(posix_memalign(&block, alignment, size + a->shift) == 0);
    a->alignment = alignment;
    a->held += size;
    a->most = a->held > a->most ? a->held : a->most;
    a->largest = size > a->largest ? size : a->largest;
    return (char *)block + a->shift;
}

static void give_back(void *allocator_data, void *block, size_t size, size_t alignment)
{
    account *a = allocator_data;
    CHECK(block != NULL && size <= a->held && alignment == a->alignment);
    a->held -= size;
    free((char *)block - a->shift);
}

typedef struct {
    float last, cancel_from;
} watch;

static int watching(void *user_data, float done)
{
    watch *w = user_data;
    CHECK(done >= w->last && done <= 1);
    w->last = done;
    return done >= w->cancel_from;
}

/* With a limit of memory a large image comes in tiles, which keep to it; too small a limit is an error. */
void check_memory_limit(void)
{
    mirl_error error = { .struct_size = sizeof error };
    mirl_model *model = default_model();
    mirl_image large = new_image(MIRL_RGB8, 200, 400, 0), before = copy_of(&large), whole = { 0 };
    const uint64_t needed = mirl_memory_estimate(model, large.width, large.height, 2);
    const uint64_t limits[] = { 0, needed, needed * 9 / 10, 1 << 20 };
    for (int i = 0; i < 4; i++) {
        account a = { 0 };
        mirl_session *session = NULL;
        mirl_session_options options = {
            .struct_size = sizeof options, .threads = 2, .allocate = take, .deallocate = give_back,
            .allocator_data = &a, .memory_limit = limits[i]
        };
        CHECK_STATUS(mirl_session_new(model, &options, &session, &error), MIRL_OK);
        watch w = { 0, 2 };
        mirl_restore_options watched = { sizeof watched, MIRL_AUTO, 1, watching, &w };
        mirl_image output = copy_of(&large);
        mirl_status status = mirl_restore(session, &large, &output, &watched, &error);
        CHECK_STATUS(status, i == 3 ? MIRL_ERROR_MEMORY : MIRL_OK);
        CHECK(limits[i] == 0 || a.most <= limits[i]);
        if (i == 0)
            whole = copy_of(&output);
        if (i == 3)
            CHECK(strstr(error.message, "limit of 1048576") != NULL && same_bytes(&output, &before));
        else
            CHECK(w.last == 1 && same_bytes(&output, &whole) == (i < 2));
        if (i == 2) {
            w = (watch){ 0, 0.8f };
            CHECK_STATUS(mirl_restore(session, &large, &large, &watched, &error), MIRL_ERROR_CANCELLED);
            CHECK(w.last < 1 && same_bytes(&large, &before));
        }
        mirl_session_free(session);
        CHECK(a.held == 0);
        free(output.data);
    }
    mirl_model_free(model);
    free(large.data);
    free(before.data);
    free(whole.data);
}

/* Whether the kernel was advised to give any of this process's memory huge pages. */
static bool has_advised_memory(void)
{
    char line[256];
    bool advised = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL)
        advised |= strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg") != NULL;
    fclose(maps);
    return advised;
}

/* Without an allocator of the host, what a session took and asked of the kernel ends with it, whatever blocks the
 * host's malloc would keep. */
static void check_own_memory(void)
{
    for (uint32_t side = 300; side >= 180; side -= 40) {
        mirl_image image = new_image(MIRL_RGB8, side, side, 0);
        mirl_session *session = default_session(1);
        free(restored_by(session, &image).data);
        CHECK(has_advised_memory() || access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0);
        mirl_session_free(session);
        CHECK(!has_advised_memory());
        free(image.data);
    }
}

void check_allocator(void)
{
    check_own_memory();
    account a = { 0 };
    mirl_error error = { .struct_size = sizeof error };
    mirl_model *model = default_model();
    mirl_session *session = NULL, *own = default_session(1);
    mirl_session_options options = {
        .struct_size = sizeof options, .threads = 1, .allocate = take, .deallocate = give_back, .allocator_data = &a
    };
    CHECK_STATUS(mirl_session_new(model, &options, &session, &error), MIRL_OK);

    mirl_image small = new_image(MIRL_RGB8, 16, 16, 0), large = new_image(MIRL_RGB8, 60, 50, 0);
    mirl_image expected = restored_by(own, &large), before = copy_of(&large);
    free(restored_by(session, &small).data);
    size_t first = a.most;

    a.refuses = true;
    CHECK_STATUS(mirl_restore(session, &large, &large, NULL, &error), MIRL_ERROR_MEMORY);
    CHECK(error.message[0] != 0 && same_bytes(&large, &before));
    a.refuses = false;
    a.shift = 8;
    CHECK_STATUS(mirl_restore(session, &large, &large, NULL, &error), MIRL_ERROR_ARGUMENT);
    CHECK(strstr(error.message, "allocator") != NULL && same_bytes(&large, &before));
    CHECK(a.held == 0);
    a.shift = 0;
    mirl_image output = restored_by(session, &large);
    CHECK(same_bytes(&output, &expected));
    CHECK(first > 0 && a.most > first);
    CHECK(a.most <= mirl_memory_estimate(model, 60, 50, 1));
    mirl_session_free(session);
    CHECK(a.held == 0);

    mirl_session_free(own);
    mirl_model_free(model);
    free(small.data);
    free(large.data);
    free(before.data);
    free(expected.data);
    free(output.data);
}
