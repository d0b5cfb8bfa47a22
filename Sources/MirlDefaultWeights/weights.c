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
_Alignas(64) static const unsigned char dehaze[] = {
#embed "../../weights/lite-dehaze.mirl"
};

static const struct {
    const char *task;
    const void *bytes;
    size_t size;
} special[] = {
    {"denoise", denoise, sizeof denoise},
    {"derain", derain, sizeof derain},
    {"dehaze", dehaze, sizeof dehaze},
};

const void *mirl_default_weights(size_t *size) {
    *size = sizeof every_task;
    return every_task;
}

const void *mirl_default_weights_for(const char *task, size_t *size) {
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (strcmp(special[i].task, task) != 0) continue;
        *size = special[i].size;
        return special[i].bytes;
    }
    return NULL;
}
