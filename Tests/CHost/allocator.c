/* allocator.c - the host's allocator gives all memory that grows with the image, gets every block back with what it
 * was asked for, and may refuse. */
#define _GNU_SOURCE
#include "host.h"

#include <stdlib.h>

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

void check_allocator(void)
{
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
