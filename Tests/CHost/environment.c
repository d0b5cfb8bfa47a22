/* environment.c - MIRL_KERNELS chooses the kernels of sessions that name none, and nothing else does. */
#define _GNU_SOURCE
#include "host.h"

#include <stdlib.h>

/* The image as a session restores it whose options name these kernels, or none. */
static mirl_image restored_by_kernels(const char *kernels, const mirl_image *image)
{
    mirl_model *model = default_model();
    mirl_session *session = NULL;
    mirl_session_options options = { .struct_size = sizeof options, .threads = 1, .kernels = kernels };
    CHECK_STATUS(mirl_session_new(model, &options, &session, NULL), MIRL_OK);
    mirl_image output = restored_by(session, image);
    mirl_session_free(session);
    mirl_model_free(model);
    return output;
}

/* Whether sessions compute with these kernels while the variable has this value. */
static bool chooses(const char *value, const char *kernels, const mirl_image *image)
{
    mirl_image expected = restored_by_kernels(kernels, image);
    CHECK(setenv("MIRL_KERNELS", value, 1) == 0);
    mirl_image output = restored_by_kernels(NULL, image), named = restored_by_kernels(kernels, image);
    CHECK(unsetenv("MIRL_KERNELS") == 0);
    CHECK(same_bytes(&named, &expected));
    bool same = same_bytes(&output, &expected);
    free(expected.data);
    free(output.data);
    free(named.data);
    return same;
}

void check_environment(void)
{
    mirl_image image = new_image(MIRL_RGBF, 64, 48, 0);
    const char *best = mirl_kernels_name(0), *name;
    CHECK(unsetenv("MIRL_KERNELS") == 0);
    for (uint32_t i = 0; (name = mirl_kernels_name(i)) != NULL; i++) {
        CHECK(chooses(name, name, &image));
        /* Portable kernels do not fuse, which shows in the last bits of floats. */
        CHECK(strcmp(name, "portable") != 0 || i == 0 || !chooses(name, best, &image));
    }
    CHECK(chooses("abacus", best, &image) && chooses("", best, &image));
    free(image.data);
}
