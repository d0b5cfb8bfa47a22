/* layout.c - the public structs lie in memory, and the constants are numbered, as programs compiled for version 1 of
 * the ABI expect (64 bits). */
#include "host.h"

#define AT(type, field, place) _Static_assert(offsetof(type, field) == (place), #type "." #field " moved")
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size")

SIZE(mirl_status, 4);
SIZE(mirl_format, 4);
SIZE(mirl_task, 4);
SIZE(mirl_precision, 4);

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

SIZE(mirl_session_options, 80);
AT(mirl_session_options, struct_size, 0);
AT(mirl_session_options, threads, 8);
AT(mirl_session_options, kernels, 16);
AT(mirl_session_options, runner, 24);
AT(mirl_session_options, runner_data, 32);
AT(mirl_session_options, allocate, 40);
AT(mirl_session_options, deallocate, 48);
AT(mirl_session_options, allocator_data, 56);
AT(mirl_session_options, memory_limit, 64);
AT(mirl_session_options, precision, 72);
AT(mirl_session_options, reserved, 76);

SIZE(mirl_restore_options, 32);
AT(mirl_restore_options, struct_size, 0);
AT(mirl_restore_options, task, 8);
AT(mirl_restore_options, strength, 12);
AT(mirl_restore_options, progress, 16);
AT(mirl_restore_options, user_data, 24);

_Static_assert(MIRL_VERSION_MAJOR == 1, "another ABI needs another soname");

_Static_assert(MIRL_OK == 0 && MIRL_ERROR_ARGUMENT == 1 && MIRL_ERROR_MEMORY == 2 && MIRL_ERROR_IO == 3
    && MIRL_ERROR_WEIGHTS == 4 && MIRL_ERROR_CANCELLED == 5 && MIRL_ERROR_SYSTEM == 6, "statuses renumbered");

_Static_assert(MIRL_AUTO == 0 && MIRL_DENOISE == 1 && MIRL_DERAIN == 2 && MIRL_DEHAZE == 3, "tasks renumbered");

_Static_assert(MIRL_GREY8 == 1 && MIRL_GREYA8 == 2 && MIRL_RGB8 == 3 && MIRL_RGBA8 == 4 && MIRL_GREY16 == 5
    && MIRL_GREYA16 == 6 && MIRL_RGB16 == 7 && MIRL_RGBA16 == 8 && MIRL_GREYF == 9 && MIRL_GREYAF == 10
    && MIRL_RGBF == 11 && MIRL_RGBAF == 12 && MIRL_BGR8 == 13 && MIRL_BGRA8 == 14 && MIRL_BGR16 == 15
    && MIRL_BGRA16 == 16 && MIRL_BGRF == 17 && MIRL_BGRAF == 18, "formats renumbered");

/* Padding at the end would hide the fields of a later version. */
_Static_assert(sizeof(mirl_error) == offsetof(mirl_error, message) + sizeof(((mirl_error *)0)->message)
    && sizeof(mirl_image) == offsetof(mirl_image, data) + sizeof(void *)
    && sizeof(mirl_session_options) == offsetof(mirl_session_options, reserved) + sizeof(uint32_t)
    && sizeof(mirl_restore_options) == offsetof(mirl_restore_options, user_data) + sizeof(void *),
    "padding at the end");

/* What is left to see at run time: the library is of the header's version. */
void check_layout(void)
{
    CHECK(mirl_version() == (MIRL_VERSION_MAJOR << 16 | MIRL_VERSION_MINOR << 8 | MIRL_VERSION_PATCH));
}
