/* What libvips looks for when it opens a plugin. */
#include "operation.h"

#include <gmodule.h>

G_MODULE_EXPORT const gchar *g_module_check_init(GModule *module);

/* Registers the operation; a message instead of NULL has the plugin closed again. */
const gchar *g_module_check_init(GModule *module) {
    (void)module;
    if (g_type_from_name("VipsMirl") != 0) return "another mirl plugin is loaded";
    vips_mirl_get_type();
    return NULL;
}

/* `vips --plugin` opens nothing without a table of operations in the style of libvips 7, were it empty. */
G_MODULE_EXPORT struct {
    const char *name;
    int count;
    void **table;
} package_table = {"mirl", 0, NULL};
