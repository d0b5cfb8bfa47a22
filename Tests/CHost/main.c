/* main.c - run one check of a C host by its name; without a name, list them. */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    void (*check)(void);
} checks[] = {
    { "layout", check_layout },
    { "features", check_features },
    { "arguments", check_arguments },
    { "statuses", check_statuses },
    { "formats", check_formats },
    { "blue-first", check_blue_first },
    { "sharing-memory", check_sharing_memory },
    { "strength", check_strength },
    { "progress", check_progress },
    { "cancel", check_cancel },
    { "thread-counts", check_thread_counts },
    { "threads-end", check_threads_end },
    { "looking-on", check_looking_on },
    { "shared-model", check_shared_model },
    { "cancelled-thread", check_cancelled_thread },
    { "small-stack", check_small_stack },
    { "runner", check_runner },
    { "allocator", check_allocator },
    { "memory-limit", check_memory_limit },
    { "fork", check_fork },
    { "surroundings", check_surroundings },
    { "environment", check_environment },
    { "opening", check_opening },
};

int main(int count, char **arguments)
{
    for (size_t i = 0; count == 1 && i < sizeof checks / sizeof *checks; i++)
        puts(checks[i].name);
    if (count == 1)
        return 0;
    for (size_t i = 0; count == 2 && i < sizeof checks / sizeof *checks; i++)
        if (strcmp(arguments[1], checks[i].name) == 0) {
            checks[i].check();
            return 0;
        }
    fprintf(stderr, "usage: host [CHECK]\n");
    return 64;
}

void check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
    exit(1);
}

void check_status(const char *file, int line, const char *call, mirl_status status, mirl_status expected)
{
    if (status == expected)
        return;
    fprintf(stderr, "%s:%d: %s gave status %d, not %d\n", file, line, call, status, expected);
    exit(1);
}

mirl_model *default_model(void)
{
    mirl_model *model = NULL;
    CHECK_STATUS(mirl_model_open_default(&model, NULL), MIRL_OK);
    CHECK(model != NULL);
    return model;
}

mirl_session *default_session(uint32_t threads)
{
    mirl_model *model = default_model();
    mirl_session *session = NULL;
    mirl_session_options options = { .struct_size = sizeof options, .threads = threads };
    CHECK_STATUS(mirl_session_new(model, &options, &session, NULL), MIRL_OK);
    mirl_model_free(model);
    return session;
}
