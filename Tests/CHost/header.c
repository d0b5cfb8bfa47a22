/* header.c - mirl.h stands alone, for the oldest dialects that can have its types. */
#include <mirl.h>

mirl_status (*const unused)(const char *, mirl_model **, mirl_error *) = mirl_model_open;
