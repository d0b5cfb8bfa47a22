/* render.c - draw a landscape and the same landscape in the rain, as FOLDER/clean.ppm and FOLDER/rainy.ppm.
 *
 * Everything comes from a hash of integers, so that the pictures are the same on every machine. The rain is of
 * the kind that the common test sets use: thin, bright, slanted streaks, added and a little blurred. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { width = 481, height = 321 };

typedef struct {
    float r, g, b;
} colour;

static colour picture[height][width];
static float rain[height][width];

static colour mix(colour a, colour b, float t)
{
    return (colour){ a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t };
}

static colour scaled(colour a, float s)
{
    return (colour){ a.r * s, a.g * s, a.b * s };
}

static float smooth(float from, float to, float x)
{
    float t = fminf(fmaxf((x - from) / (to - from), 0), 1);
    return t * t * (3 - 2 * t);
}

/* --- Noise -------------------------------------------------------------------------------------------- */

/* A value of 0..1 for every lattice point of every layer. */
static float hash(int x, int y, int layer)
{
    uint32_t h = (uint32_t)x * 0x9E3779B1u ^ (uint32_t)y * 0x85EBCA77u ^ (uint32_t)layer * 0xC2B2AE3Du;
    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    h = (h ^ h >> 12) * 0x297A2D39u;
    return (float)((h ^ h >> 15) >> 8) / 16777216.0f;
}

static float value_noise(float x, float y, int layer)
{
    int left = (int)floorf(x), top = (int)floorf(y);
    float u = smooth(0, 1, x - left), v = smooth(0, 1, y - top);
    float above = hash(left, top, layer) * (1 - u) + hash(left + 1, top, layer) * u;
    float below = hash(left, top + 1, layer) * (1 - u) + hash(left + 1, top + 1, layer) * u;
    return above * (1 - v) + below * v;
}

/* Octaves of noise, each half as large and half as strong as the one before: 0..1. */
static float fractal(float x, float y, int octaves, int layer)
{
    float sum = 0, weight = 0.5f;
    for (int i = 0; i < octaves; i++, x *= 2, y *= 2, weight /= 2)
        sum += weight * value_noise(x, y, layer + i);
    return sum / (1 - weight * 2);
}

/* --- Landscape, from back to front -------------------------------------------------------------------- */

static colour sky(float x, float y)
{
    colour zenith = { 0.24f, 0.42f, 0.68f }, horizon = { 0.84f, 0.83f, 0.79f }, cloud = { 0.95f, 0.94f, 0.92f };
    float bank = fractal(x / 90, y / 34, 6, 10);
    float shade = 0.72f + 0.28f * smooth(0.3f, 0.7f, fractal(x / 60 + 3, y / 26 - 0.5f, 5, 30));
    colour air = mix(zenith, horizon, powf(y / (0.6f * height), 1.3f));
    return mix(air, scaled(cloud, shade), smooth(0.46f, 0.68f, bank));
}

/* Ridge `i` of four, the farthest first: how high it stands at x, and what it looks like. */
static float ridge(float x, int i)
{
    float top = 100 + 34.0f * i, relief = 74 - 11.0f * i, scale = 150 - 22.0f * i;
    return top + relief * (0.5f - fractal(x / scale + 7.3f * i, 0.5f, 7, 50 + 10 * i));
}

static float rock(float x, float y, int i)
{
    return fractal((x + 0.6f * y) / (30 - 5 * i), y / (26 - 5 * i), 6, 100 + 10 * i);
}

static colour mountain(float x, float y, int i)
{
    float bump = rock(x, y, i), slope = bump - rock(x - 1.5f, y - 1, i);
    float light = 0.45f + 0.65f * smooth(-0.08f, 0.08f, slope);
    colour stone = { 0.40f, 0.37f, 0.35f }, wood = { 0.17f, 0.24f, 0.13f }, air = { 0.66f, 0.72f, 0.78f };
    float snow = i == 0 ? smooth(0.42f, 0.6f, bump - (y - ridge(x, 0)) / 90 + 0.12f) : 0;
    colour ground = mix(stone, wood, smooth(-0.1f, 0.4f, 0.3f * i + bump - 0.65f));
    ground = mix(ground, (colour){ 0.96f, 0.97f, 1 }, snow);
    return mix(scaled(ground, light * (0.75f + 0.5f * bump)), air, 0.62f - 0.18f * i);
}

static colour meadow(float x, float y)
{
    float depth = (y - 218) / (height - 218); /* 0 at the far edge, 1 at the feet */
    float zoom = 0.25f + depth;
    float blades = fractal(x / (2.4f * zoom) + 0.2f * y, y / (9 * zoom), 4, 200);
    float patches = fractal(x / (46 * zoom), y / (15 * zoom), 4, 220);
    colour green = { 0.24f, 0.36f, 0.10f }, straw = { 0.62f, 0.55f, 0.28f };
    colour grass = scaled(mix(green, straw, smooth(0.35f, 0.7f, patches)), 0.45f + 1.1f * blades);
    float flower = hash((int)(x / (1 + 2 * zoom)), (int)(y / (1 + 2 * zoom)), 240);
    colour petal = hash((int)(x / 9), 0, 250) > 0.5f ? (colour){ 0.93f, 0.9f, 0.86f } : (colour){ 0.8f, 0.24f, 0.16f };
    return flower > 0.985f ? mix(grass, petal, 0.8f) : grass;
}

/* A spruce stands in every column of a row of cells; its height and shade vary. */
static int tree(float x, float y, colour *found)
{
    int cell = (int)floorf(x / 23);
    for (int i = cell - 1; i <= cell + 1; i++) {
        float foot = 226 + 14 * hash(i, 1, 300), tall = 34 + 52 * hash(i, 2, 300);
        float axis = 23 * (i + hash(i, 3, 300)), up = (foot - y) / tall;
        if (hash(i, 4, 300) < 0.35f || up < 0 || up > 1)
            continue;
        float twigs = fractal(x / 3, y / 2, 3, 310);
        float reach = tall * 0.24f * (1 - up) * (0.55f + 0.35f * fmodf(up * 9 + 9, 1) + 0.5f * twigs);
        if (fabsf(x - axis) > reach)
            continue;
        float light = 0.35f + 0.9f * twigs + 0.25f * (axis - x) / (reach + 1);
        *found = scaled((colour){ 0.11f, 0.19f, 0.10f }, light);
        return 1;
    }
    return 0;
}

static colour landscape(float x, float y)
{
    colour front;
    if (tree(x, y, &front))
        return front;
    if (y > 218 + 10 * fractal(x / 40, 0.5f, 4, 190))
        return meadow(x, y);
    for (int i = 3; i >= 0; i--)
        if (y > ridge(x, i))
            return mountain(x, y, i);
    return sky(x, y);
}

/* --- Rain --------------------------------------------------------------------------------------------- */

/* Adds light around (x, y), spread over the four pixels that touch it. */
static void drop(float x, float y, float light)
{
    int left = (int)floorf(x), top = (int)floorf(y);
    for (int dy = 0; dy < 2; dy++)
        for (int dx = 0; dx < 2; dx++) {
            int px = left + dx, py = top + dy;
            if (px < 0 || py < 0 || px >= width || py >= height)
                continue;
            rain[py][px] += light * (1 - fabsf(x - px)) * (1 - fabsf(y - py));
        }
}

static void pour(void)
{
    const float slant = 0.22f; /* pixels to the left for every one down */
    for (int i = 0; i < 900; i++) {
        float x = hash(i, 0, 400) * (width + 120) - 20, y = hash(i, 1, 400) * (height + 60) - 60;
        float length = 18 + 34 * hash(i, 2, 400), light = 0.12f + 0.26f * hash(i, 3, 400);
        for (float t = 0; t < length; t += 0.5f)
            drop(x - slant * t, y + t, light * 0.5f * sinf(3.14159265f * t / length));
    }
}

/* --- Files -------------------------------------------------------------------------------------------- */

static int sample(float value)
{
    return (int)(255 * fminf(fmaxf(value, 0), 1) + 0.5f);
}

static void save(const char *folder, const char *name, int with_rain)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "P6\n%d %d\n255\n", width, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float added = with_rain ? fminf(rain[y][x], 0.7f) : 0;
            colour c = picture[y][x];
            putc(sample(c.r + added), file);
            putc(sample(c.g + added), file);
            putc(sample(c.b + added), file);
        }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: render FOLDER\n");
        return 64;
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            picture[y][x] = mix(landscape(x, y), landscape(x + 0.5f, y + 0.5f), 0.5f);
    pour();
    save(arguments[1], "clean.ppm", 0);
    save(arguments[1], "rainy.ppm", 1);
}
