#include "MirlImageIO.h"
#include <vips/vips.h>
#include <png.h>
