/* The models of this process: each weight file is opened once and shared by all operations. */
#pragma once
#include <mirl.h>

/* A model that may be shared by any number of threads. */
typedef struct shared_model shared_model;

/* The model of the weight file at `path`, or the built-in one for NULL; opened anew if the file was replaced since.
 * NULL after a failure, which `error` explains. */
shared_model *shared_model_open(const char *path, mirl_error *error);

mirl_model *shared_model_get(const shared_model *model);

/* NULL is ignored. */
void shared_model_release(shared_model *model);
