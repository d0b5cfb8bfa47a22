/* surroundings.c - signals, descriptors, locale and floating-point state are after a call what they were before,
 * and the host's rounding mode does not reach the result. */
#define _GNU_SOURCE
#include "host.h"

#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
static unsigned float_state(void) { return _mm_getcsr(); /* control and sticky exception flags */ }
static void flush_denormals(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
#else
static unsigned float_state(void) { return 0; }
static void flush_denormals(void) { }
#endif

enum { signals = 32 };

typedef struct {
    struct sigaction actions[signals];
    sigset_t blocked;
} signal_state;

static signal_state signals_now(void)
{
    signal_state state;
    memset(&state, 0, sizeof state);
    for (int i = 1; i < signals; i++)
        CHECK(sigaction(i, NULL, &state.actions[i]) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &state.blocked) == 0);
    return state;
}

static bool same_signals(const signal_state *a, const signal_state *b)
{
    for (int i = 1; i < signals; i++)
        if (a->actions[i].sa_handler != b->actions[i].sa_handler || sigismember(&a->blocked, i) != sigismember(&b->blocked, i))
            return false;
    return true;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += lseek(i, 0, SEEK_CUR) != -1 || isatty(i);
    return count;
}

static mirl_image restored(const mirl_image *image)
{
    mirl_session *session = default_session(0);
    mirl_image output = restored_by(session, image);
    mirl_session_free(session);
    return output;
}

void check_surroundings(void)
{
    mirl_image image = new_image(MIRL_RGB16, 33, 18, 0);
    const char *locale = setlocale(LC_ALL, NULL);
    int descriptors = open_descriptors();
    signal_state before = signals_now();
    mirl_image expected = restored(&image);
    signal_state after = signals_now();
    CHECK(same_signals(&before, &after));
    CHECK(open_descriptors() == descriptors);
    CHECK(strcmp(setlocale(LC_ALL, NULL), locale) == 0);

    CHECK(fesetround(FE_UPWARD) == 0);
    flush_denormals();
    CHECK(feclearexcept(FE_ALL_EXCEPT) == 0);
    unsigned state = float_state();
    mirl_model *model = default_model();
    CHECK(mirl_memory_estimate(model, 1021, 1019, 3) > 0 && mirl_memory_estimate(model, 65535, 65535, 1) > 0);
    mirl_model_free(model);
    mirl_image output = restored(&image);
    CHECK(fegetround() == FE_UPWARD && float_state() == state);
    CHECK(same_bytes(&output, &expected));
    free(image.data);
    free(expected.data);
    free(output.data);
}
