/* What the processor offers: kernels that it can run, its floating-point state. */
#include "MirlKernels.h"

extern const mirlk_kernels mirlk_portable;

#if __x86_64__
#include <immintrin.h>

extern const mirlk_kernels mirlk_avx512_bf16, mirlk_avx512, mirlk_avx2;

const mirlk_kernels *const *mirlk_available(void) {
    static const mirlk_kernels *const all[] = {&mirlk_avx512, &mirlk_avx2, &mirlk_portable, NULL};
    __builtin_cpu_init();
    int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    int v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return all + (v4 ? 0 : v3 ? 1 : 2);
}

mirlk_kernels mirlk_bf16(mirlk_kernels kernels) {
    __builtin_cpu_init();
    return kernels.mix == mirlk_avx512.mix && __builtin_cpu_supports("avx512bf16") ? mirlk_avx512_bf16 : kernels;
}

/* MXCSR, and behind it the environment of the x87 unit: nothing here computes with that, but a callback may. */
mirlk_arithmetic mirlk_enter_arithmetic(void) {
    mirlk_arithmetic saved = {{_mm_getcsr()}};
    /* Saving it masks its exceptions. */
    __asm__ volatile("fnstenv %0\n\tfldenv %0" : "=m"(*(uint8_t(*)[28])(saved.words + 1)));
    _mm_setcsr(0x9fc0); /* round to nearest, no exceptions, flush to zero, denormals are zero */
    return saved;
}

void mirlk_leave_arithmetic(mirlk_arithmetic saved) {
    __asm__ volatile("fldenv %0" ::"m"(*(uint8_t(*)[28])(saved.words + 1)));
    _mm_setcsr(saved.words[0]);
}

#else

const mirlk_kernels *const *mirlk_available(void) {
    static const mirlk_kernels *const all[] = {&mirlk_portable, NULL};
    return all;
}

mirlk_kernels mirlk_bf16(mirlk_kernels kernels) { return kernels; }

#if __aarch64__

/* FPCR, the control register, and FPSR, the sticky flags; both have 32 bits that count. */
mirlk_arithmetic mirlk_enter_arithmetic(void) {
    uint64_t control, flags;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(flags));
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)1 << 24)); /* round to nearest, no exceptions, flush to zero */
    return (mirlk_arithmetic){{(uint32_t)control, (uint32_t)flags}};
}

void mirlk_leave_arithmetic(mirlk_arithmetic saved) {
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" ::"r"((uint64_t)saved.words[0]), "r"((uint64_t)saved.words[1]));
}

#else

mirlk_arithmetic mirlk_enter_arithmetic(void) { return (mirlk_arithmetic){{0}}; }
void mirlk_leave_arithmetic(mirlk_arithmetic saved) { (void)saved; }

#endif
#endif
