/* The Swift runtime inside libmirl.so looks for variables that begin with SWIFT_ as soon as it is loaded, and some make
 * it print or install signal handlers, in a host that need not know of it. The library is linked with --wrap=environ,
 * so that the runtime finds none. */
static char *none[] = {0};
char **__wrap_environ = none;
