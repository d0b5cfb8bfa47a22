/* The gate of the feed-forward layer, gelu(a) * b. */

/* GELU x * Phi(x), Phi(x) = 1/2 + x * P(2 (x / 5.3)^2 - 1) up to |x| = 5.3, where Phi is 0 or 1 to seven digits. P is
 * a least-squares fit at Chebyshev nodes, reweighted towards the smallest largest error (8.4e-9 before rounding). Its
 * last coefficient is then raised by 1.6e-8, so that the sum at 5.3 rounds to 1 and that at -5.3 falls to 0 or just
 * below: a Phi that is frozen at anything else would grow with x into any error. */
static inline vec gelu(vec x) {
    static const float p[] = {
        0.133392558f, -0.0665184408f, 0.0492644012f, -0.0395914651f, 0.0320753567f, -0.02526935f,
        0.0189527199f, -0.0133303469f, 0.00874640327f, -0.00547949551f, 0.00326139783f, -0.00159963267f,
        0.000635867647f, -0.000416999334f, 0.000312179793f, -9.5528223e-05f,
    };
    vec near = __builtin_elementwise_min(__builtin_elementwise_max(x, splat(-5.3f)), splat(5.3f));
    vec t = multiply_add(near * near, splat(0.0711997152f), splat(-1.0f));
    vec sum = splat(p[15]);
    for (int i = 14; i >= 0; i--)
        sum = multiply_add(sum, t, splat(p[i]));
    return x * __builtin_elementwise_max(multiply_add(near, sum, splat(0.5f)), splat(0.0f));
}

static void gelu_gate(float *gate, const float *value, ptrdiff_t stride, uint32_t channels, uint32_t width) {
    for (uint32_t c = 0; c < channels; c++, gate += stride, value += stride)
        for (uint32_t x = 0; x < width; x += LANES)
            store_some(gate + x, gelu(load(gate + x)) * load(value + x), width - x);
}
