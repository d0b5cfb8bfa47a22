/* What the machine offers: kernels that its processor can run, its floating-point state, processors to run on. */
#define _GNU_SOURCE
#include "MirlKernels.h"

#include <sched.h>

extern const mirlk_kernels mirlk_portable;

#if __x86_64__
#include <immintrin.h>

extern const mirlk_kernels mirlk_avx512, mirlk_avx2;

const mirlk_kernels *const *mirlk_available(void) {
    static const mirlk_kernels *const all[] = {&mirlk_avx512, &mirlk_avx2, &mirlk_portable, NULL};
    __builtin_cpu_init();
    int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    int v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return all + (v4 ? 0 : v3 ? 1 : 2);
}

uint32_t mirlk_enter_arithmetic(void) {
    uint32_t saved = _mm_getcsr();
    _mm_setcsr(0x9fc0); /* round to nearest, no exceptions, flush to zero, denormals are zero */
    return saved;
}

void mirlk_leave_arithmetic(uint32_t saved) { _mm_setcsr(saved); }

#else

const mirlk_kernels *const *mirlk_available(void) {
    static const mirlk_kernels *const all[] = {&mirlk_portable, NULL};
    return all;
}

#if __aarch64__

uint32_t mirlk_enter_arithmetic(void) {
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)1 << 24)); /* round to nearest, no exceptions, flush to zero */
    return (uint32_t)saved;
}

void mirlk_leave_arithmetic(uint32_t saved) { __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)saved)); }

#else

uint32_t mirlk_enter_arithmetic(void) { return 0; }
void mirlk_leave_arithmetic(uint32_t saved) { (void)saved; }

#endif
#endif

uint32_t mirlk_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 0;
}
