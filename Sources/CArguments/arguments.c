/* Keeps what main is called with. Swift's runtime reads it from /proc, which is not mounted in every chroot, and
 * without it takes every command line for an empty one. */
#include "CArguments.h"

#include <stdlib.h> /* defines __GLIBC__ too */

static int argument_count;
static char **argument_values;

#ifdef __GLIBC__
__attribute__((constructor)) static void keep(int count, char **values) {
    argument_count = count;
    argument_values = values;
}
#endif

char *const *mirl_arguments(int *count) {
    *count = argument_count;
    return argument_values;
}
