/* arguments.c - whatever is passed in, there is a status and a message, never a crash, and outputs stay the same. */
#include "host.h"

#include <math.h>
#include <stdlib.h>

static mirl_error error = { .struct_size = sizeof error };

/* Expects that the call before was refused with words that name the `place`. */
static void refused(mirl_status status, const char *place)
{
    CHECK_STATUS(status, MIRL_ERROR_ARGUMENT);
    CHECK(error.status == MIRL_ERROR_ARGUMENT);
    CHECK(strstr(error.message, place) != NULL);
}

static void check_models(mirl_model *model)
{
    mirl_model *untouched = model;
    refused(mirl_model_open(NULL, &untouched, &error), "path");
    refused(mirl_model_open("x.mirl", NULL, &error), "model");
    refused(mirl_model_open("\xff.mirl", &untouched, &error), "UTF-8");
    refused(mirl_model_open_memory(NULL, 64, &untouched, &error), "data");
    refused(mirl_model_open_memory("", SIZE_MAX, &untouched, &error), "size");
    refused(mirl_model_open_memory("", 1, NULL, &error), "model");
    refused(mirl_model_open_default(NULL, &error), "model");
    CHECK(untouched == model);
    mirl_model_free(NULL);
    CHECK(mirl_model_knows(NULL, MIRL_AUTO) == 0);

    CHECK(mirl_memory_estimate(NULL, 64, 64, 1) == 0);
    CHECK(mirl_memory_estimate(model, 0, 64, 1) == 0);
    CHECK(mirl_memory_estimate(model, 64, UINT32_MAX, 1) == 0);
    CHECK(mirl_memory_estimate(model, 64, 64, UINT32_MAX) == 0);
    CHECK(mirl_memory_estimate(model, 64, 64, 0) > 0);
    CHECK(mirl_memory_estimate(model, 64, 64, 1) > 0);
}

static void *refuse_memory(void *data, size_t size, size_t alignment)
{
    (void)data, (void)size, (void)alignment;
    return NULL;
}

static void check_sessions(mirl_model *model)
{
    mirl_session *session = NULL;
    mirl_session_options options = { .struct_size = sizeof options, .threads = 1 };
    refused(mirl_session_new(NULL, &options, &session, &error), "model");
    refused(mirl_session_new(model, &options, NULL, &error), "session");
    options.threads = UINT32_MAX;
    refused(mirl_session_new(model, &options, &session, &error), "threads");
    options.threads = 1;
    options.kernels = "abacus";
    refused(mirl_session_new(model, &options, &session, &error), "abacus");
    options.kernels = NULL;
    options.allocate = refuse_memory;
    refused(mirl_session_new(model, &options, &session, &error), "deallocate");
    options.allocate = NULL;
    options.struct_size = 0;
    refused(mirl_session_new(model, &options, &session, &error), "struct_size");
    options.struct_size = SIZE_MAX;
    refused(mirl_session_new(model, &options, &session, &error), "struct_size");
    options.struct_size = sizeof options;
    options.precision = MIRL_BF16 + 1;
    refused(mirl_session_new(model, &options, &session, &error), "precision");
    options.precision = MIRL_BF16;
    options.reserved = 1;
    refused(mirl_session_new(model, &options, &session, &error), "options");
    CHECK(session == NULL);
    mirl_session_free(NULL);

    float confidence = -1;
    CHECK(mirl_session_seen(NULL, &confidence) == MIRL_AUTO && confidence == 0);
    CHECK(mirl_session_seen(NULL, NULL) == MIRL_AUTO);
}

/* A struct of a later version is taken if it asks for nothing new. */
static void check_later_version(mirl_model *model)
{
    struct {
        mirl_session_options known;
        uint64_t appended;
    } later = { { .struct_size = sizeof later, .threads = 1 }, 0 };
    mirl_session *session = NULL;
    CHECK_STATUS(mirl_session_new(model, &later.known, &session, &error), MIRL_OK);
    mirl_session_free(session);
    later.appended = 1;
    refused(mirl_session_new(model, &later.known, &session, &error), "options");
}

/* Restores with one field of an otherwise good image changed, as input and as output. */
#define REFUSED_IMAGE(field, wrong, place)                                      \
    do {                                                                        \
        mirl_image bad = good;                                                  \
        bad.field = (wrong);                                                    \
        refused(mirl_restore(session, &bad, &good, NULL, &error), place);       \
        refused(mirl_restore(session, &good, &bad, NULL, &error), place);       \
    } while (0)

static void check_images(mirl_session *session)
{
    mirl_image good = new_image(MIRL_RGB16, 6, 5, 0), before = copy_of(&good);
    refused(mirl_restore(NULL, &good, &good, NULL, &error), "session");
    refused(mirl_restore(session, NULL, &good, NULL, &error), "input");
    refused(mirl_restore(session, &good, NULL, NULL, &error), "output");
    REFUSED_IMAGE(struct_size, 0, "struct_size");
    REFUSED_IMAGE(struct_size, sizeof good - 1, "struct_size");
    REFUSED_IMAGE(format, 0, "format");
    REFUSED_IMAGE(format, -1, "format");
    REFUSED_IMAGE(format, 19, "format");
    REFUSED_IMAGE(format, INT32_MIN, "format");
    REFUSED_IMAGE(format, MIRL_RGB8, "put");
    REFUSED_IMAGE(width, 0, "0x5");
    REFUSED_IMAGE(height, 65536, "6x65536");
    REFUSED_IMAGE(width, 5, "put");
    REFUSED_IMAGE(stride, 35, "stride");
    REFUSED_IMAGE(stride, 37, "stride");
    REFUSED_IMAGE(stride, 0, "stride");
    REFUSED_IMAGE(stride, SIZE_MAX - 1, "stride");
    REFUSED_IMAGE(stride, SIZE_MAX / 2 - 1, "memory");
    REFUSED_IMAGE(stride, SIZE_MAX / 8, "put");
    REFUSED_IMAGE(data, NULL, "data");
    REFUSED_IMAGE(data, (char *)good.data + 1, "data");
    CHECK(same_bytes(&good, &before));
    free(good.data);
    free(before.data);
}

static void check_options(mirl_session *session)
{
    mirl_image image = new_image(MIRL_GREY8, 4, 4, 0);
    const float strengths[] = { -0.1f, 1.1f, NAN, INFINITY };
    mirl_restore_options options = { sizeof options, MIRL_AUTO, 1, NULL, NULL };
    for (size_t i = 0; i < sizeof strengths / sizeof *strengths; i++) {
        options.strength = strengths[i];
        refused(mirl_restore(session, &image, &image, &options, &error), "strength");
    }
    options.strength = 1;
    options.task = 4;
    refused(mirl_restore(session, &image, &image, &options, &error), "task");
    options.struct_size = 8;
    refused(mirl_restore(session, &image, &image, &options, &error), "struct_size");
    free(image.data);
}

static void check_errors(mirl_session *session)
{
    mirl_image image = new_image(MIRL_GREY8, 4, 4, 0);
    CHECK_STATUS(mirl_restore(session, NULL, NULL, NULL, NULL), MIRL_ERROR_ARGUMENT);
    CHECK_STATUS(mirl_restore(session, &image, &image, NULL, &error), MIRL_OK);
    CHECK(error.status == MIRL_OK && error.message[0] == 0);

    mirl_error wrong = { .struct_size = 12, .status = 77 };
    CHECK_STATUS(mirl_restore(session, &image, &image, NULL, &wrong), MIRL_ERROR_ARGUMENT);
    CHECK(wrong.status == 77);
    wrong.struct_size = 5000; /* more than a later version may have */
    CHECK_STATUS(mirl_restore(session, &image, &image, NULL, &wrong), MIRL_ERROR_ARGUMENT);
    CHECK(wrong.status == 77);
    free(image.data);
}

void check_arguments(void)
{
    mirl_model *model = default_model();
    mirl_session *session = default_session(1);
    check_models(model);
    check_sessions(model);
    check_later_version(model);
    check_images(session);
    check_options(session);
    check_errors(session);
    mirl_session_free(session);
    mirl_model_free(model);
}
