/* The command line of this process as the C library handed it over. */
#pragma once

/* As for main; NULL and 0 where the C library hands nothing to constructors, as others than glibc do. */
char *const *mirl_arguments(int *count);
