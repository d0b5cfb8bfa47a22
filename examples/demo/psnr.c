/* psnr.c - print how far a restored picture and its degraded input are from the clean one, in dB (8-bit PPM).
 *
 *     psnr clean.ppm degraded.ppm restored.ppm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int width, height;
    unsigned char *samples;
} picture;

static picture load(const char *path)
{
    picture p = { 0 };
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    int fields = fscanf(file, "P6 %5d %5d 255", &p.width, &p.height);
    if (fields == 2 && p.width > 0 && p.height > 0 && getc(file) != EOF) {
        size_t size = (size_t)p.width * (size_t)p.height * 3;
        p.samples = malloc(size);
        if (p.samples != NULL && fread(p.samples, 1, size, file) == size) {
            fclose(file);
            return p;
        }
    }
    fprintf(stderr, "%s: not a whole 8-bit PPM file\n", path);
    exit(1);
}

static double psnr(picture a, picture b)
{
    if (a.width != b.width || a.height != b.height) {
        fprintf(stderr, "psnr: the pictures differ in size\n");
        exit(1);
    }
    size_t count = (size_t)a.width * (size_t)a.height * 3;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = a.samples[i] - b.samples[i];
        sum += difference * difference;
    }
    return 10 * log10(255.0 * 255.0 * (double)count / sum);
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: psnr CLEAN DEGRADED RESTORED\n");
        return 64;
    }
    picture clean = load(arguments[1]);
    printf("PSNR %.1f dB -> %.1f dB\n", psnr(clean, load(arguments[2])), psnr(clean, load(arguments[3])));
}
