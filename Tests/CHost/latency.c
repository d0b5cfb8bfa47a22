/* latency.c - how long a restoration goes on after it was cancelled: latency WEIGHTS|- SIDE THREADS SHARE...
 *
 * Cancels a restoration of SIDE x SIDE pixels once in each SHARE of its work, at a moment of the clock and not when the
 * callback is asked, and writes the milliseconds from then to the return: median and worst. */
#include <mirl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_kills = 64 };

typedef struct {
    float share;
    double cancelled; /* the moment, in seconds; 0 until the share is reached */
} watch;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Some milliseconds after the share, as a user does not wait to be asked. */
static int watching(void *user_data, float done)
{
    watch *w = user_data;
    if (w->cancelled == 0 && done >= w->share)
        w->cancelled = seconds() + rand() % 20 / 1e3;
    return w->cancelled != 0 && seconds() >= w->cancelled;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
    int kills = count - 4;
    if (kills < 1 || kills > most_kills)
        return 64;
    mirl_model *model;
    mirl_session *session;
    mirl_session_options options = { .struct_size = sizeof options, .threads = (uint32_t)atoi(arguments[3]) };
    mirl_status status = strcmp(arguments[1], "-") == 0 ? mirl_model_open_default(&model, NULL)
                                                        : mirl_model_open(arguments[1], &model, NULL);
    if (status != MIRL_OK || mirl_session_new(model, &options, &session, NULL) != MIRL_OK)
        return 1;

    uint32_t side = (uint32_t)atoi(arguments[2]);
    size_t bytes = (size_t)side * side * 3;
    unsigned char *pixels = malloc(bytes);
    if (pixels == NULL)
        return 1;
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (unsigned char)(i * i % 251);
    mirl_image image = { sizeof image, MIRL_RGB8, side, side, (size_t)side * 3, pixels };

    double late[most_kills];
    for (int i = 0; i < kills; i++) {
        watch w = { .share = (float)atof(arguments[4 + i]) };
        mirl_restore_options restore = { sizeof restore, MIRL_AUTO, 1, watching, &w };
        if (mirl_restore(session, &image, &image, &restore, NULL) != MIRL_ERROR_CANCELLED)
            return 1;
        late[i] = (seconds() - w.cancelled) * 1e3;
    }
    qsort(late, (size_t)kills, sizeof *late, ascending);
    printf("%.1f %.1f\n", late[kills / 2], late[kills - 1]);
    free(pixels);
    mirl_session_free(session);
    mirl_model_free(model);
}
