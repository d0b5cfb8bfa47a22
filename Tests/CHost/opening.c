/* opening.c - the built-in weights, their file and its bytes in memory are the same model, and leave nothing behind. */
#define _GNU_SOURCE
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

/* Weights for one task. */
static const char *const path = "weights/lite-dehaze.mirl";
static const mirl_task task = MIRL_DEHAZE;

static mirl_image restored_with(mirl_model *model, const mirl_image *image)
{
    mirl_session *session = NULL;
    CHECK_STATUS(mirl_session_new(model, NULL, &session, NULL), MIRL_OK);
    mirl_model_free(model);
    mirl_image output = new_image(image->format, image->width, image->height, 0);
    mirl_restore_options options = { sizeof options, task, 1.0f, NULL, NULL };
    CHECK_STATUS(mirl_restore(session, image, &output, &options, NULL), MIRL_OK);
    mirl_session_free(session);
    return output;
}

/* The bytes are gone before the model is used. */
static mirl_model *opened_from_memory(void)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    char *bytes = malloc(size);
    rewind(file);
    CHECK(bytes != NULL && fread(bytes, 1, size, file) == size && fclose(file) == 0);
    mirl_model *model = NULL;
    CHECK_STATUS(mirl_model_open_memory(bytes, size, &model, NULL), MIRL_OK);
    memset(bytes, 0, size);
    free(bytes);
    return model;
}

/* Whether the weight file is mapped into this process. */
static bool is_mapped(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    char line[4096];
    bool found = false;
    while (fgets(line, sizeof line, maps) != NULL)
        found |= strstr(line, path) != NULL;
    fclose(maps);
    return found;
}

void check_opening(void)
{
    mirl_image image = new_image(MIRL_RGB16, 40, 30, 0);
    int descriptors = open_descriptors();
    mirl_model *by_path = NULL;
    CHECK_STATUS(mirl_model_open(path, &by_path, NULL), MIRL_OK);
    CHECK(open_descriptors() == descriptors && is_mapped());
    mirl_image built_in = restored_with(default_model(), &image), file = restored_with(by_path, &image);
    mirl_image memory = restored_with(opened_from_memory(), &image);
    CHECK(same_bytes(&file, &built_in) && same_bytes(&memory, &built_in));
    CHECK(open_descriptors() == descriptors && !is_mapped());
    free(image.data);
    free(built_in.data);
    free(file.data);
    free(memory.data);
}
