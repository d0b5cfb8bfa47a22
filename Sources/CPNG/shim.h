/* The types and functions of libpng. */
#include <png.h>
