#include "MirlDefaultWeights.h"

/* Weight files are read in place, so they start where a cache line does. */
_Alignas(64) const unsigned char mirl_default_weights[] = {
#embed "../../weights/lite.mirl"
};
const size_t mirl_default_weights_size = sizeof mirl_default_weights;
