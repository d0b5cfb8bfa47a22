/* The operation `mirl`, and the names of its tasks. */
#pragma once
#include <vips/vips.h>

GType vips_mirl_get_type(void);
GType vips_mirl_task_get_type(void);
