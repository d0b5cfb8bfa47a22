/* mirl.h - restore images (derain, dehaze, denoise) with sparse MIR-L networks on the CPU.
 *
 *     mirl_model *model;      mirl_model_open_default(&model, NULL);
 *     mirl_session *session;  mirl_session_new(model, NULL, &session, NULL);
 *     mirl_image image = { sizeof image, MIRL_RGB8, width, height, stride, pixels };
 *     mirl_restore(session, &image, &image, NULL, NULL);
 *     mirl_session_free(session);  mirl_model_free(model);
 *
 * A model is immutable and may be shared by any number of threads; a session serves one thread at a time
 * and owns all scratch memory. The library never prints or exits, and leaves signals, locale, descriptors and
 * the floating-point environment as they are; only where malloc fails for some bytes of its own, beside the scratch
 * memory and the weights, it aborts, as Swift does. A thread is not cancelled (pthread_cancel) inside a call or a
 * callback, but after it. A child of fork may go on using what its parent made, unless it was forked inside a call on
 * it, by any thread, or while another thread was in its first calls of the library. Once loaded the library stays:
 * dlclose does not unload it. A thread that calls it needs 64 KiB of stack.
 *
 * Every struct begins with `struct_size`, which the caller sets to sizeof the struct, so that later versions
 * can append fields. A size smaller than this header's is MIRL_ERROR_ARGUMENT. A larger one, up to 4096, from a
 * program made for a later version, is taken as long as the fields unknown here are zero, which always means the
 * default; of an error struct those fields are left alone.
 *
 * Pointers to options and to an error may be NULL; any other NULL is MIRL_ERROR_ARGUMENT, unless a function
 * says what it makes of it. Functions that return a status set their outputs only on MIRL_OK, except for the
 * error, which they always set.
 *
 * Callbacks run in the floating-point environment of the host, and what they change of it is undone. They must
 * come back (no longjmp, no C++ exception) and cannot use the session that calls them.
 */
#ifndef MIRL_H
#define MIRL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Version and features ------------------------------------------------------------------------------ */

/* The version of this header. Versions of one major number are compatible: a program runs with every library
 * at least as new as its header. */
#define MIRL_VERSION_MAJOR 1
#define MIRL_VERSION_MINOR 0
#define MIRL_VERSION_PATCH 0

/* The version of the loaded library: major << 16 | minor << 8 | patch. */
uint32_t mirl_version(void);

/* The name of a set of kernels that this processor can run, best first from 0 on ("avx512", "avx2",
 * "portable"); NULL beyond the last. The pixels of two sets may differ in the last bits. */
const char *mirl_kernels_name(uint32_t index);

/* --- Statuses and errors ------------------------------------------------------------------------------- */

typedef int32_t mirl_status;
#define MIRL_OK 0
#define MIRL_ERROR_ARGUMENT 1  /* a NULL, or an invalid size, format or option */
#define MIRL_ERROR_MEMORY 2    /* an allocation failed */
#define MIRL_ERROR_IO 3        /* a file could not be opened or read */
#define MIRL_ERROR_WEIGHTS 4   /* a weight file is damaged or not of a kind known here */
#define MIRL_ERROR_CANCELLED 5 /* the progress callback asked to stop */
#define MIRL_ERROR_SYSTEM 6    /* the system or the runner refused something else, such as a thread */

/* What a status means, in a few words of English; "unknown status" for one that is not listed above. */
const char *mirl_status_text(mirl_status status);

/* What the last call that was given this struct returned, and why: one line of UTF-8 that names the place,
 * always ended by a NUL, with "..." for its middle if it is too long, and empty after success. Only a struct
 * with a wrong struct_size is left alone. */
typedef struct mirl_error {
    size_t struct_size;
    mirl_status status;
    char message[500];
} mirl_error;

/* --- Tasks --------------------------------------------------------------------------------------------- */

typedef int32_t mirl_task;
#define MIRL_AUTO 0 /* the network sees for itself what is wrong */
#define MIRL_DENOISE 1
#define MIRL_DERAIN 2
#define MIRL_DEHAZE 3

/* "auto", "denoise", "derain" or "dehaze"; NULL for a task that this library does not know. */
const char *mirl_task_name(mirl_task task);

/* --- Models -------------------------------------------------------------------------------------------- */

typedef struct mirl_model mirl_model;

/* Maps and checks the weight file at `path`, a UTF-8 name. The file must not change while the model is open. */
mirl_status mirl_model_open(const char *path, mirl_model **model, mirl_error *error);

/* Checks and copies the weight file held in the `size` bytes at `data`. */
mirl_status mirl_model_open_memory(const void *data, size_t size, mirl_model **model, mirl_error *error);

/* Opens the weights built into the library; needs no file. Some are for every task, MIRL_AUTO too, others for one
 * alone, which they do better: a restoration takes those of its task where there are any, and with MIRL_AUTO those of
 * the task that the common ones see in some places of the image, or if they see nothing those that denoise; the less
 * sure it is, the less is changed. */
mirl_status mirl_model_open_default(mirl_model **model, mirl_error *error);

/* 1 if the weights can be told to do this task, 0 if not or if the model is NULL. Every model knows MIRL_AUTO;
 * with a task that it does not know, a restoration goes as with MIRL_AUTO. */
int mirl_model_knows(const mirl_model *model, mirl_task task);

/* Gives up the caller's hold on the model; sessions keep the one they were made for. NULL is ignored. */
void mirl_model_free(mirl_model *model);

/* --- Images -------------------------------------------------------------------------------------------- */

/* Samples are interleaved, in host byte order: 8 bits 0..255, 16 bits 0..65535, or float 0..1. Colours are
 * those of sRGB, gamma included. Grey is restored as grey; alpha passes through untouched. The network takes
 * floats below 0 and NaN for 0, and those above 1 for 1, and gives 0..1; a strength below 1 blends that with the
 * samples as they are. */
typedef int32_t mirl_format;
#define MIRL_GREY8 1
#define MIRL_GREYA8 2
#define MIRL_RGB8 3
#define MIRL_RGBA8 4
#define MIRL_GREY16 5
#define MIRL_GREYA16 6
#define MIRL_RGB16 7
#define MIRL_RGBA16 8
#define MIRL_GREYF 9
#define MIRL_GREYAF 10
#define MIRL_RGBF 11
#define MIRL_RGBAF 12
#define MIRL_BGR8 13 /* blue first, as OpenCV, Cairo and Windows have it */
#define MIRL_BGRA8 14
#define MIRL_BGR16 15
#define MIRL_BGRA16 16
#define MIRL_BGRF 17
#define MIRL_BGRAF 18

/* The bytes of a pixel; 0 for a format that this library does not know. */
size_t mirl_format_bytes(mirl_format format);

typedef struct mirl_image {
    size_t struct_size;
    mirl_format format;
    uint32_t width, height; /* pixels, 1..65535 each */
    size_t stride;          /* bytes from a row to the next: at least those of a row, a multiple of a sample's */
    void *data;             /* aligned for its samples; an input is only read */
} mirl_image;

/* --- Sessions ------------------------------------------------------------------------------------------ */

typedef struct mirl_session mirl_session;

/* A part of the library's work, handed to a mirl_runner. */
typedef void (*mirl_work)(void *work_data, uint32_t index);

/* The host's parallel-for: calls work(work_data, i) once for each i < count, in any order, on any threads, at
 * the same time or one after another, and returns when all these calls have returned. 0 on success; anything
 * else ends the restoration with MIRL_ERROR_SYSTEM. Called some hundred times for an image, or for each of its
 * tiles or of the places that MIRL_AUTO looks at, from the thread that restores it, with a `count` of at most the
 * session's threads. */
typedef int (*mirl_runner)(void *runner_data, mirl_work work, void *work_data, uint32_t count);

/* `size` bytes that begin at a multiple of `alignment`, a power of two; NULL if there are none. */
typedef void *(*mirl_allocate)(void *allocator_data, size_t size, size_t alignment);

/* Takes back a block of mirl_allocate's, with the size and the alignment that it was asked for. */
typedef void (*mirl_deallocate)(void *allocator_data, void *block, size_t size, size_t alignment);

typedef uint32_t mirl_precision;
#define MIRL_FP32 0 /* 32-bit floats throughout */
#define MIRL_BF16 1 /* factors of the attention's products are rounded to bf16 if the kernels are "avx512" and the
                    * processor has instructions for that, which are faster on some (Zen 4) and slower on others */

/* Zero in any field means the default. */
typedef struct mirl_session_options {
    size_t struct_size;
    uint32_t threads;    /* up to 1024; 0: the processors the caller may use. Only tiles' sizes depend on it. */
    const char *kernels; /* one of mirl_kernels_name; NULL: the environment's MIRL_KERNELS if possible, or the best */
    mirl_runner runner;  /* does the work on threads of the host; NULL: on the session's own and the caller's */
    void *runner_data;   /* handed to `runner` */
    /* Both or neither: where the scratch memory for images comes from, which is all that grows with their pixels.
     * Called from mirl_restore and mirl_session_free, on their caller's thread; NULL: the system's. */
    mirl_allocate allocate;
    mirl_deallocate deallocate;
    void *allocator_data; /* handed to both */
    /* The most bytes of scratch memory for an image; 0: no limit. A larger image is restored in tiles that fade into
     * each other over 64 pixels or more: slightly differently. MIRL_AUTO judges each for itself with weights of a file.
     * Besides a tile's memory this takes the result as floats, some 12 bytes a pixel of the image; MIRL_ERROR_MEMORY
     * if that and tiles of 256x256 are too much. */
    uint64_t memory_limit;
    mirl_precision precision; /* MIRL_BF16 is faster on some processors */
    uint32_t reserved;        /* 0 */
} mirl_session_options;

/* Makes a session that restores images with `model`. `options` are copied; what they point to must outlive the
 * session, except for the name of the kernels. */
mirl_status mirl_session_new(const mirl_model *model, const mirl_session_options *options,
                             mirl_session **session, mirl_error *error);

/* Must not be called while the session restores an image. NULL is ignored. */
void mirl_session_free(mirl_session *session);

/* --- Restoring ----------------------------------------------------------------------------------------- */

/* Called from the thread that called mirl_restore, with the share of the work done, 0..1, never falling,
 * and 1 once, at last, when that can still cancel. Returns 0 to go on; anything else cancels. It is asked every
 * ten milliseconds or so, however large the image; with a runner only where that thread does parts of the work,
 * and between the runner's calls. After 1 the output is written, in some ten milliseconds a megapixel, and nothing can stop that. */
typedef int (*mirl_progress)(void *user_data, float done);

typedef struct mirl_restore_options {
    size_t struct_size;
    mirl_task task;
    float strength;         /* 0 gives the input back, bit for bit, 1 the restored image, between them a blend */
    mirl_progress progress; /* may be NULL */
    void *user_data;        /* handed to `progress` */
} mirl_restore_options;

/* Restores `input` into `output`, which has the same width, height and format. Both may be the same memory
 * with the same stride, or lie side by side in rows of the same stride; otherwise they must be apart. Bytes
 * between rows stay as they are. NULL options mean { sizeof, MIRL_AUTO, 1.0f, NULL, NULL }. After an error the
 * content of `output` is as it was before the call. A session that is restoring an image refuses a second one. */
mirl_status mirl_restore(mirl_session *session, const mirl_image *input, const mirl_image *output,
                         const mirl_restore_options *options, mirl_error *error);

/* What the network saw in the image that the session restored last, whatever it was told to remove, MIRL_AUTO for
 * nothing, and at `confidence`, unless that is NULL, how surely: from 0.5, something else was as likely, to 1. Weights
 * for one task alone judge less surely than those of MIRL_AUTO, some never see nothing, and weights that know a single
 * kind of image always see that, at 1. A confidence of 0, and MIRL_AUTO, if it cannot be said: no image yet, weights
 * that know no kinds of images, a session that is NULL or at work. */
mirl_task mirl_session_seen(const mirl_session *session, float *confidence);

/* The bytes of scratch memory that a session with `threads` threads (0 as above) takes at most, whatever the task,
 * to restore an image of this size with this model; 0 when the model is NULL or a number is out of range. */
uint64_t mirl_memory_estimate(const mirl_model *model, uint32_t width, uint32_t height, uint32_t threads);

#ifdef __cplusplus
}
#endif
#endif
