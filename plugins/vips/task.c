/* The tasks as an enumeration of GObject, which lets them be named in any language. */
#include "operation.h"

#include <mirl.h>

static GType register_tasks(void) {
    mirl_task count = 0;
    while (mirl_task_name(count) != NULL) count++;
    GEnumValue *values = g_new0(GEnumValue, count + 2);
    for (mirl_task task = 0; task < count; task++)
        values[task] = (GEnumValue){task, mirl_task_name(task), mirl_task_name(task)};
    /* libvips leaves the last one out where it lists them. */
    values[count] = (GEnumValue){count, "last", "last"};
    return g_enum_register_static("VipsMirlTask", values);
}

GType vips_mirl_task_get_type(void) {
    static gsize type;
    if (g_once_init_enter(&type)) g_once_init_leave(&type, register_tasks());
    return type;
}
