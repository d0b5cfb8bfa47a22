/* surroundings.c - signals, descriptors, locale and floating-point state are after a call what they were before,
 * and the host's rounding mode does not reach the result. */
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
/* Control and sticky exception flags of both units. */
static uint64_t float_state(void)
{
    uint16_t control, status;
    __asm__ volatile("fnstcw %0\n\tfnstsw %1" : "=m"(control), "=m"(status));
    return (uint64_t)status << 48 | (uint64_t)control << 32 | _mm_getcsr();
}
static void flush_denormals(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
#elif defined(__aarch64__)
static uint64_t float_state(void)
{
    uint64_t control, flags;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(flags));
    return flags << 32 | control;
}
static void flush_denormals(void)
{
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" ::"r"(control | 1 << 24));
}
#else
static uint64_t float_state(void) { return 0; }
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
        if (a->actions[i].sa_handler != b->actions[i].sa_handler
            || sigismember(&a->blocked, i) != sigismember(&b->blocked, i))
            return false;
    return true;
}

int open_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) != -1;
    return count;
}

/* The state that the host has set, and the callbacks that found it. */
static struct {
    uint64_t expected;
    int progress, runs, allocations, deallocations, works;
} found;

static bool is_own_state(void) { return fegetround() == FE_UPWARD && float_state() == found.expected; }

static void change_state(void)
{
    CHECK(fesetround(FE_TOWARDZERO) == 0 && feraiseexcept(FE_DIVBYZERO) == 0);
    volatile long double third = 1;
    third /= 3; /* is not exact */
}

static int watching(void *user_data, float done)
{
    (void)user_data, (void)done;
    found.progress += is_own_state();
    change_state();
    return 0;
}

static void *take(void *data, size_t size, size_t alignment)
{
    void *block = NULL;
    (void)data;
    found.allocations += is_own_state();
    CHECK(posix_memalign(&block, alignment, size) == 0);
    change_state();
    return block;
}

static void give_back(void *data, void *block, size_t size, size_t alignment)
{
    (void)data, (void)size, (void)alignment;
    found.deallocations += is_own_state();
    free(block);
    change_state();
}

typedef struct {
    mirl_work work;
    void *data;
} part;

/* A thread of the host with a rounding mode of its own, in which work leaves it. */
static void *foreign_thread(void *user_data)
{
    part *p = user_data;
    CHECK(fesetround(FE_DOWNWARD) == 0 && feclearexcept(FE_ALL_EXCEPT) == 0);
    uint64_t state = float_state();
    p->work(p->data, 0);
    found.works += fegetround() == FE_DOWNWARD && float_state() == state;
    return NULL;
}

static int run(void *runner_data, mirl_work work, void *work_data, uint32_t count)
{
    pthread_t thread;
    part p = { work, work_data };
    (void)runner_data;
    found.runs += is_own_state();
    CHECK(pthread_create(&thread, NULL, foreign_thread, &p) == 0 && pthread_join(thread, NULL) == 0);
    for (uint32_t i = 1; i < count; i++)
        work(work_data, i);
    return 0;
}

/* All callbacks find the host's floating-point state, and so do its threads after their work. */
static void check_callbacks(const mirl_image *image, const mirl_image *expected)
{
    mirl_model *model = default_model();
    mirl_session *session = NULL;
    mirl_session_options wishes = {
        .struct_size = sizeof wishes, .threads = 2, .runner = run, .allocate = take, .deallocate = give_back
    };
    mirl_restore_options options = { sizeof options, MIRL_AUTO, 1, watching, NULL };
    mirl_image output = copy_of(image);
    CHECK_STATUS(mirl_session_new(model, &wishes, &session, NULL), MIRL_OK);
    found.expected = float_state();
    CHECK_STATUS(mirl_restore(session, image, &output, &options, NULL), MIRL_OK);
    CHECK(is_own_state());
    mirl_session_free(session);
    CHECK(is_own_state());
    CHECK(same_bytes(&output, expected));
    CHECK(found.allocations == 1 && found.deallocations == 1);
    CHECK(found.runs > 10 && found.works == found.runs && found.progress > found.runs);
    mirl_model_free(model);
    free(output.data);
}

/* Not even numbers that make any comparison an exception leave a trace. */
static void check_strange_strengths(const mirl_image *image)
{
    const uint32_t strange[] = { 1, 0x80000001, 0x7f800001 }; /* subnormal, its negative, a signalling NaN */
    mirl_session *session = default_session(1);
    mirl_image output = copy_of(image);
    CHECK(feclearexcept(FE_ALL_EXCEPT) == 0);
    uint64_t state = float_state();
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        mirl_restore_options options = { .struct_size = sizeof options };
        memcpy(&options.strength, &strange[i], sizeof options.strength);
        CHECK((mirl_restore(session, image, &output, &options, NULL) == MIRL_ERROR_ARGUMENT) == (i == 2));
        CHECK(float_state() == state);
    }
    mirl_session_free(session);
    free(output.data);
}

/* Whether a thread other than this one could be interrupted by a signal that the host handles, such as SIGUSR1. */
static bool others_take_signals(void)
{
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    bool takes = false;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[300], line[256];
        unsigned long long blocked = 0;
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *status = fopen(path, "r");
        CHECK(status != NULL);
        while (fgets(line, sizeof line, status) != NULL)
            sscanf(line, "SigBlk: %llx", &blocked);
        fclose(status);
        takes |= (blocked >> (SIGUSR1 - 1) & 1) == 0;
    }
    closedir(tasks);
    return takes;
}

static void check_threads_signals(void)
{
    mirl_session *session = default_session(3);
    CHECK(!others_take_signals());
    mirl_session_free(session);
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
    CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL);
    char locale[64]; /* a copy, as setlocale may write over what it returned */
    snprintf(locale, sizeof locale, "%s", setlocale(LC_ALL, NULL));
    int descriptors = open_descriptors();
    signal_state before = signals_now();
    mirl_image expected = restored(&image);
    signal_state after = signals_now();
    CHECK(same_signals(&before, &after));
    CHECK(open_descriptors() == descriptors);
    CHECK(strcmp(setlocale(LC_ALL, NULL), locale) == 0);

    check_strange_strengths(&image);
    CHECK(fesetround(FE_UPWARD) == 0);
    flush_denormals();
    CHECK(feclearexcept(FE_ALL_EXCEPT) == 0);
    uint64_t state = float_state();
    mirl_model *model = default_model();
    CHECK(mirl_memory_estimate(model, 1021, 1019, 3) > 0 && mirl_memory_estimate(model, 65535, 65535, 1) > 0);
    mirl_model_free(model);
    mirl_image output = restored(&image);
    CHECK(fegetround() == FE_UPWARD && float_state() == state);
    CHECK(same_bytes(&output, &expected));
    check_callbacks(&image, &expected);
    check_threads_signals();
    free(image.data);
    free(expected.data);
    free(output.data);
}
