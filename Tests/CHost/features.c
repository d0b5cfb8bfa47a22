/* features.c - a program can ask what the library that it runs with can do, and choose among it. */
#include "host.h"

#include <stdlib.h>

static void check_kernels(void)
{
    uint32_t count = 0;
    while (mirl_kernels_name(count) != NULL)
        count++;
    CHECK(count >= 1 && strcmp(mirl_kernels_name(count - 1), "portable") == 0);
    CHECK(mirl_kernels_name(UINT32_MAX) == NULL);

    mirl_model *model = default_model();
    mirl_image image = new_image(MIRL_RGB8, 19, 14, 0);
    for (uint32_t i = 0; i < count; i++) {
        mirl_session *session = NULL;
        mirl_session_options options = { .struct_size = sizeof options, .kernels = mirl_kernels_name(i) };
        CHECK_STATUS(mirl_session_new(model, &options, &session, NULL), MIRL_OK);
        free(restored_by(session, &image).data);
        mirl_session_free(session);
    }
    free(image.data);
    mirl_model_free(model);
}

static void check_names(void)
{
    static const char *const tasks[] = { "auto", "denoise", "derain", "dehaze" };
    for (mirl_task task = MIRL_AUTO; task <= MIRL_DEHAZE; task++)
        CHECK(strcmp(mirl_task_name(task), tasks[task]) == 0);
    CHECK(mirl_task_name(-1) == NULL && mirl_task_name(MIRL_DEHAZE + 1) == NULL);

    const char *unknown = mirl_status_text(-1);
    CHECK(strcmp(mirl_status_text(MIRL_ERROR_SYSTEM + 1), unknown) == 0);
    for (mirl_status status = MIRL_OK; status <= MIRL_ERROR_SYSTEM; status++)
        CHECK(mirl_status_text(status)[0] != 0 && strcmp(mirl_status_text(status), unknown) != 0);
}

static void check_format_bytes(void)
{
    for (mirl_format format = MIRL_GREY8; format <= MIRL_BGRAF; format++)
        CHECK(mirl_format_bytes(format) == pixel_bytes(format));
    CHECK(mirl_format_bytes(0) == 0 && mirl_format_bytes(MIRL_BGRAF + 1) == 0 && mirl_format_bytes(INT32_MIN) == 0);
}

/* The built-in weights know all tasks, and say what they saw once there was something to see. */
static void check_sight(void)
{
    mirl_model *model = default_model();
    for (mirl_task task = MIRL_AUTO; task <= MIRL_DEHAZE; task++)
        CHECK(mirl_model_knows(model, task) == 1);
    CHECK(mirl_model_knows(model, MIRL_DEHAZE + 1) == 0);

    mirl_session *session = NULL;
    CHECK_STATUS(mirl_session_new(model, NULL, &session, NULL), MIRL_OK);
    float confidence = -1;
    CHECK(mirl_session_seen(session, &confidence) == MIRL_AUTO && confidence == 0);
    mirl_image image = new_image(MIRL_RGB8, 32, 32, 0);
    CHECK_STATUS(mirl_restore(session, &image, &image, NULL, NULL), MIRL_OK);
    mirl_task seen = mirl_session_seen(session, &confidence);
    CHECK(seen >= MIRL_AUTO && seen <= MIRL_DEHAZE && confidence > 0 && confidence <= 1);
    CHECK(mirl_session_seen(session, NULL) == seen);
    free(image.data);
    mirl_session_free(session);
    mirl_model_free(model);
}

void check_features(void)
{
    check_kernels();
    check_names();
    check_format_bytes();
    check_sight();
}
