/* layout.c - the public structs lie in memory as programs compiled for version 0 of the ABI expect (64 bits). */
#include "host.h"

#define AT(type, field, place) _Static_assert(offsetof(type, field) == (place), #type "." #field " moved")
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size")

SIZE(mirl_status, 4);
SIZE(mirl_format, 4);
SIZE(mirl_task, 4);

SIZE(mirl_error, 512);
AT(mirl_error, struct_size, 0);
AT(mirl_error, status, 8);
AT(mirl_error, message, 12);

SIZE(mirl_image, 40);
AT(mirl_image, struct_size, 0);
AT(mirl_image, format, 8);
AT(mirl_image, width, 12);
AT(mirl_image, height, 16);
AT(mirl_image, stride, 24);
AT(mirl_image, data, 32);

SIZE(mirl_session_options, 16);
AT(mirl_session_options, struct_size, 0);
AT(mirl_session_options, threads, 8);

SIZE(mirl_restore_options, 32);
AT(mirl_restore_options, struct_size, 0);
AT(mirl_restore_options, task, 8);
AT(mirl_restore_options, strength, 12);
AT(mirl_restore_options, progress, 16);
AT(mirl_restore_options, user_data, 24);

/* What is left to see at run time: the library is of the header's version. */
void check_layout(void)
{
    CHECK(mirl_version() == (MIRL_VERSION_MAJOR << 16 | MIRL_VERSION_MINOR << 8 | MIRL_VERSION_PATCH));
}
