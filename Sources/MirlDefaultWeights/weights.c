#include "MirlDefaultWeights.h"

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

/* Weight files are read in place, so they start where a cache line does. */
_Alignas(64) static const unsigned char weights[] = {
#embed "../../weights/lite.mirl"
};

const void *mirl_default_weights(size_t *size) {
    *size = sizeof weights;
    return weights;
}
