/* Opens libvips at run time, quiet and with only the loaders that are fit for untrusted files. */
#include "vips-library.h"

#include <dlfcn.h>
#include <malloc.h>
#include <string.h>

static void drop_log(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer data) {
    (void)domain, (void)level, (void)text, (void)data;
}

static bool find_functions(void *handle, vips_library *library) {
#define FIND(prefix, name)                                                                                             \
    library->name = (__typeof__(library->name))dlsym(handle, #prefix "_" #name);                                       \
    if (library->name == NULL) return false;
    VIPS_LIBRARY_FUNCTIONS(FIND)
#undef FIND
    return true;
}

const vips_library *vips_library_open(mirl_picture_message *message) {
    static vips_library library;
    static bool opened;
    if (opened) return &library;

    void *handle = dlopen("libvips.so.42", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL || !find_functions(handle, &library)) {
        picture_fail(message, MIRL_PICTURE_FAILED, "all formats but PNG and PNM need libvips 8.13 or later: %s",
                     dlerror());
        return NULL;
    }
    /* Its threads would take 64 MB of address space each for memory of their own, and crash where there is none. */
    mallopt(M_ARENA_MAX, 1);
    library.log_set_default_handler(drop_log, NULL);
    if (library.init("mirl-filter") != 0) {
        vips_library_fail(&library, MIRL_PICTURE_FAILED, "libvips cannot start", library.error_buffer(),
                          message);
        return NULL;
    }
    library.block_untrusted_set(TRUE);
    library.cache_set_max(0);
    library.concurrency_set(1); /* decoding and encoding gain nothing from the threads that it starts otherwise */
    opened = true;
    return &library;
}

mirl_picture_status vips_library_fail(const vips_library *vips, mirl_picture_status status, const char *what,
                                      const char *reason, mirl_picture_message *message) {
    /* What the machine lacks is not the picture's fault. */
    const char *all = vips->error_buffer();
    if (strstr(all, "rror creating thread") != NULL || strstr(all, "ut of memory") != NULL ||
        strstr(all, "nable to allocate") != NULL) {
        status = MIRL_PICTURE_FAILED;
        what = "libvips";
    }
    picture_fail(message, status, "%s: %.*s", what, (int)strcspn(reason, "\n"), reason);
    vips->error_clear();
    return status;
}
