/* Keeps one model a weight file, for as long as the process lives or until the file is replaced. */
#include "models.h"

#include <glib.h>
#include <glib/gstdio.h>

/* What tells a file from the one that it replaced. */
typedef struct identity {
    guint64 device, inode;
    gint64 size, seconds, nanoseconds;
} identity;

struct shared_model {
    mirl_model *model;
    identity file;
};

static identity identify(const char *path) {
    GStatBuf status;
    if (path == NULL || g_stat(path, &status) != 0) return (identity){0};
    return (identity){status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

static gboolean is_same_file(const identity *a, const identity *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->seconds == b->seconds &&
           a->nanoseconds == b->nanoseconds;
}

static void free_model(gpointer data) { mirl_model_free(((shared_model *)data)->model); }

void shared_model_release(shared_model *model) {
    if (model != NULL) g_atomic_rc_box_release_full(model, free_model);
}

mirl_model *shared_model_get(const shared_model *model) { return model->model; }

static shared_model *open_model(const char *path, identity file, mirl_error *error) {
    mirl_model *model;
    mirl_status status = path != NULL ? mirl_model_open(path, &model, error) : mirl_model_open_default(&model, error);
    if (status != MIRL_OK) return NULL;
    shared_model *shared = g_atomic_rc_box_new(shared_model);
    *shared = (shared_model){model, file};
    return shared;
}

static void release_entry(gpointer data) { shared_model_release(data); }

shared_model *shared_model_open(const char *path, mirl_error *error) {
    static GMutex mutex;
    static GHashTable *models; /* from path to shared_model; "/" stands for the built-in one */

    g_mutex_lock(&mutex);
    if (models == NULL) models = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, release_entry);
    const char *key = path != NULL ? path : "/";
    identity file = identify(path);
    shared_model *model = g_hash_table_lookup(models, key);
    if (model == NULL || !is_same_file(&model->file, &file)) {
        model = open_model(path, file, error);
        if (model != NULL) g_hash_table_replace(models, g_strdup(key), model);
    }
    if (model != NULL) g_atomic_rc_box_acquire(model);
    g_mutex_unlock(&mutex);
    return model;
}
