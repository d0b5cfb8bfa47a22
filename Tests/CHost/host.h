/* host.h - what the checks of a C program that uses libmirl share. */
#pragma once
#include <mirl.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Ends the process with a line on stderr if `condition` is false. */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
#define CHECK_STATUS(call, expected) check_status(__FILE__, __LINE__, #call, (call), (expected))

_Noreturn void check_failed(const char *file, int line, const char *condition);
void check_status(const char *file, int line, const char *call, mirl_status status, mirl_status expected);

mirl_model *default_model(void);
mirl_session *default_session(uint32_t threads);

size_t pixel_bytes(mirl_format format);

/* A picture of `gap` more bytes per row than its pixels take, filled the same way each time; free its data. */
mirl_image new_image(mirl_format format, uint32_t width, uint32_t height, size_t gap);
mirl_image copy_of(const mirl_image *image);
size_t image_bytes(const mirl_image *image);
bool same_bytes(const mirl_image *a, const mirl_image *b);

/* The image as a session restores it, in memory of its own; free its data. */
mirl_image restored_by(mirl_session *session, const mirl_image *image);

/* How many descriptors are open, of any kind. */
int open_descriptors(void);

void check_layout(void);
void check_features(void);
void check_arguments(void);
void check_statuses(void);
void check_formats(void);
void check_blue_first(void);
void check_sharing_memory(void);
void check_strength(void);
void check_progress(void);
void check_cancel(void);
void check_thread_counts(void);
void check_threads_end(void);
void check_looking_on(void);
void check_shared_model(void);
void check_cancelled_thread(void);
void check_small_stack(void);
void check_runner(void);
void check_allocator(void);
void check_memory_limit(void);
void check_fork(void);
void check_surroundings(void);
void check_environment(void);
void check_opening(void);
