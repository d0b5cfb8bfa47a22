/* Peaks of arithmetic and memory. */
#include "MirlMachine.h"

#if __x86_64__

#define LANES 16
#define TARGET __attribute__((target("avx512f")))
#define REGISTER "v"
#define SUMS 16
#include "peak.h"

#define LANES 8
#define TARGET __attribute__((target("avx2,fma")))
#define REGISTER "x"
#define SUMS 12
#include "peak.h"

const int *mirlm_lanes(void) {
    static const int all[] = {16, 8, 0};
    __builtin_cpu_init();
    int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return all + (v3 && __builtin_cpu_supports("avx512f") ? 0 : v3 ? 1 : 2);
}

double mirlm_multiply_add(int lanes, long rounds) {
    return lanes == 16 ? multiply_add_16(rounds) : lanes == 8 ? multiply_add_8(rounds) : 0;
}

#elif __aarch64__

#define LANES 4
#define TARGET
#define REGISTER "w"
#define SUMS 24
#include "peak.h"

const int *mirlm_lanes(void) {
    static const int all[] = {4, 0};
    return all;
}

double mirlm_multiply_add(int lanes, long rounds) { return lanes == 4 ? multiply_add_4(rounds) : 0; }

#else

const int *mirlm_lanes(void) {
    static const int none[] = {0};
    return none;
}

double mirlm_multiply_add(int lanes, long rounds) {
    (void)lanes, (void)rounds;
    return 0;
}

#endif

float mirlm_read(const float *values, size_t count) {
    typedef float vec __attribute__((vector_size(64)));
    vec sums[4] = {};
    for (size_t i = 0; i < count; i += 64)
        for (int j = 0; j < 4; j++)
            sums[j] += *(const vec *)(values + i + 16 * j);
    vec sum = sums[0] + sums[1] + sums[2] + sums[3];
    float total = 0;
    for (int i = 0; i < 16; i++)
        total += sum[i];
    return total;
}
