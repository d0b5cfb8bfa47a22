/* Peak of one vector width, which the including file fixes: LANES, TARGET (the function attribute), REGISTER (the
 * constraint of a vector register in assembly) and SUMS, the independent sums: latency times units, or more. */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

TARGET static double JOIN(multiply_add_, LANES)(long rounds) {
    typedef float vec __attribute__((vector_size(4 * LANES)));
    vec sums[SUMS], factor = (vec){} + 0.999f, addend = (vec){} + 0.001f;
    for (int i = 0; i < SUMS; i++)
        sums[i] = (vec){} + (float)i;
    for (long r = 0; r < rounds; r++) {
        _Pragma("clang loop unroll(full)") for (int i = 0; i < SUMS; i++) {
            sums[i] = __builtin_elementwise_fma(sums[i], factor, addend);
            __asm__ volatile("" : "+" REGISTER(sums[i])); /* stays in its register, and is not known beforehand */
        }
    }
    return 2.0 * LANES * SUMS * (double)rounds;
}

#undef LANES
#undef TARGET
#undef REGISTER
#undef SUMS
