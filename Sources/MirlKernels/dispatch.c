#include "MirlKernels.h"
