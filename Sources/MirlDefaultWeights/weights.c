#include "MirlDefaultWeights.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

/* Weight files are read in place, so they start where a cache line does. */
_Alignas(64) static const unsigned char every_task[] = {
#embed "../../weights/lite.mirl"
};
_Alignas(64) static const unsigned char denoise[] = {
#embed "../../weights/lite-denoise.mirl"
};
_Alignas(64) static const unsigned char derain[] = {
#embed "../../weights/lite-derain.mirl"
};

static const struct {
    const char *task;
    const void *bytes;
    size_t size;
} files[] = {
    {"auto", every_task, sizeof every_task},
    {"denoise", denoise, sizeof denoise},
    {"derain", derain, sizeof derain},
};

const void *mirl_default_weights(const char *task, size_t *size) {
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].task, task) != 0) continue;
        *size = files[i].size;
        return files[i].bytes;
    }
    return NULL;
}
