/* The gate of the feed-forward layer, gelu(a) * b. */

/* GELU x * Phi(x), Phi(x) = 1/2 + x * P(2 (x / 5.3)^2 - 1) up to |x| = 5.3, where Phi is 0 or 1 to six digits. P is
 * a least-squares fit at Chebyshev nodes, reweighted towards the smallest largest error (2.1e-7 before rounding). */
static inline vec gelu(vec x) {
    static const float p[] = {
        0.133392572f, -0.0665182471f, 0.0492634587f, -0.0395981483f, 0.0320959464f,
        -0.0252079647f, 0.0187915489f, -0.0135576138f, 0.00932789315f, -0.00511615351f,
        0.00221148506f, -0.0017804699f, 0.00155692536f, -0.000521624868f,
    };
    vec near = __builtin_elementwise_min(__builtin_elementwise_max(x, splat(-5.3f)), splat(5.3f));
    vec t = multiply_add(near * near, splat(0.0711997152f), splat(-1.0f));
    vec sum = splat(p[13]);
    for (int i = 12; i >= 0; i--)
        sum = multiply_add(sum, t, splat(p[i]));
    return x * multiply_add(near, sum, splat(0.5f));
}

static void gelu_gate(float *gate, const float *value, ptrdiff_t stride, uint32_t channels, uint32_t width) {
    for (uint32_t c = 0; c < channels; c++, gate += stride, value += stride)
        for (uint32_t x = 0; x < width; x += LANES)
            store_some(gate + x, gelu(load(gate + x)) * load(value + x), width - x);
}
