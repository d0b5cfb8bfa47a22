/* restore.c - restore a picture through libmirl: binary PPM or PGM in, the same kind out.
 *
 *     cc restore.c -o restore $(pkg-config --cflags --libs mirl)
 *     ./restore derain rainy.ppm > clean.ppm
 *
 * Without a file it reads standard input; without a task the network judges for itself. */
#include <mirl.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *place, const char *message)
{
    fprintf(stderr, "restore: %s: %s\n", place, message);
    exit(1);
}

/* The next number of a PNM header, behind white space and comments; 0 if there is none. */
static unsigned header_number(FILE *file)
{
    int c = getc(file);
    while (isspace(c) || c == '#') {
        if (c == '#')
            while (c != '\n' && c != EOF)
                c = getc(file);
        c = getc(file);
    }
    unsigned number = 0;
    for (; isdigit(c) && number <= 65535; c = getc(file))
        number = number * 10 + (unsigned)(c - '0');
    return isspace(c) ? number : 0;
}

static size_t sample_bytes(mirl_format format)
{
    return format == MIRL_GREY16 || format == MIRL_RGB16 ? 2 : 1;
}

/* PNM stores 16-bit samples with the high byte first, mirl takes them in host order; works both ways. */
static void swap_if_16_bit(const mirl_image *image)
{
    unsigned char *bytes = image->data;
    if (sample_bytes(image->format) == 1)
        return;
    for (size_t i = 0; i < image->stride * image->height; i += 2) {
        uint16_t sample = (uint16_t)(bytes[i] << 8 | bytes[i + 1]);
        memcpy(bytes + i, &sample, 2);
    }
}

static mirl_image read_pnm(FILE *file, const char *name)
{
    bool magic = getc(file) == 'P';
    int kind = getc(file);
    if (!magic || (kind != '5' && kind != '6'))
        fail(name, "not a binary PGM or PPM file (P5 or P6)");

    mirl_image image = { .struct_size = sizeof image };
    image.width = header_number(file);
    image.height = header_number(file);
    unsigned maximum = header_number(file);
    if (image.width == 0 || image.height == 0 || image.width > 65535 || image.height > 65535)
        fail(name, "width and height must be 1 to 65535");
    if (maximum == 255)
        image.format = kind == '5' ? MIRL_GREY8 : MIRL_RGB8;
    else if (maximum == 65535)
        image.format = kind == '5' ? MIRL_GREY16 : MIRL_RGB16;
    else
        fail(name, "the maximum must be 255 or 65535");

    image.stride = image.width * mirl_format_bytes(image.format);
    image.data = malloc(image.stride * image.height);
    if (image.data == NULL)
        fail(name, "not enough memory for the pixels");
    if (fread(image.data, image.stride, image.height, file) != image.height)
        fail(name, "ends before its last pixel");
    swap_if_16_bit(&image);
    return image;
}

static void write_pnm(FILE *file, const mirl_image *image)
{
    bool grey = image->format == MIRL_GREY8 || image->format == MIRL_GREY16;
    unsigned maximum = sample_bytes(image->format) == 1 ? 255 : 65535;
    swap_if_16_bit(image);
    fprintf(file, "P%c\n%u %u\n%u\n", grey ? '5' : '6', (unsigned)image->width, (unsigned)image->height, maximum);
    fwrite(image->data, image->stride, image->height, file);
    if (fflush(file) != 0 || ferror(file))
        fail("standard output", "cannot be written");
}

static mirl_task task_named(const char *name)
{
    for (mirl_task task = MIRL_AUTO; mirl_task_name(task) != NULL; task++)
        if (strcmp(name, mirl_task_name(task)) == 0)
            return task;
    fail(name, "not a task; there are auto, denoise, derain and dehaze");
    return MIRL_AUTO;
}

static int show_progress(void *terminal, float done)
{
    fprintf(terminal, "\r%3.0f%%%s", done * 100, done < 1 ? "" : "\n");
    return 0;
}

int main(int count, char **arguments)
{
    if (count > 3)
        fail("usage", "restore [auto|denoise|derain|dehaze] [file.ppm]");
    mirl_restore_options options = { .struct_size = sizeof options, .strength = 1 };
    options.task = task_named(count > 1 ? arguments[1] : "auto");
    if (isatty(STDERR_FILENO)) {
        options.progress = show_progress;
        options.user_data = stderr;
    }

    const char *name = count > 2 ? arguments[2] : "standard input";
    FILE *file = count > 2 ? fopen(name, "rb") : stdin;
    if (file == NULL)
        fail(name, "cannot be opened");
    mirl_image image = read_pnm(file, name);

    mirl_error error = { .struct_size = sizeof error };
    mirl_model *model = NULL;
    mirl_session *session = NULL;
    if (mirl_model_open_default(&model, &error) != MIRL_OK || mirl_session_new(model, NULL, &session, &error) != MIRL_OK
        || mirl_restore(session, &image, &image, &options, &error) != MIRL_OK)
        fail(name, error.message);
    write_pnm(stdout, &image);

    mirl_session_free(session);
    mirl_model_free(model);
    free(image.data);
    fclose(file);
}
