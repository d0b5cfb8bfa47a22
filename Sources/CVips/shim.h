/* The types of libvips. Nothing links it: the one caller opens it at run time, when an image needs it. */
#include <vips/vips.h>
