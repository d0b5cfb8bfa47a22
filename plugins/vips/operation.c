/* The operation: its arguments, and the moment when it computes, which is when the first pixel is asked for. */
#include "operation.h"

#include "../../Sources/MirlImageIO/vips-srgb.h"
#include "models.h"
#include "restoration.h"

typedef struct VipsMirl {
    VipsOperation parent;

    VipsImage *in, *out;
    mirl_task task;
    double strength;
    char *weights;
    int threads;
    guint64 memory;

    shared_model *model;
    VipsImage *source; /* `in` in the colours of `out`, not computed */

    GMutex computing;  /* held while the next two are made */
    VipsImage *real;   /* the pixels of `out`, once the first was asked for */
    gboolean failed;
} VipsMirl;

typedef VipsOperationClass VipsMirlClass;

G_DEFINE_TYPE(VipsMirl, vips_mirl, VIPS_TYPE_OPERATION)

/* mirl-filter, whose colours these are, finds libvips at run time; here it is linked. */
static const vips_library linked = {
#define LINK(prefix, name) .name = prefix##_##name,
    VIPS_LIBRARY_FUNCTIONS(LINK)
#undef LINK
};

static restoration how(const VipsMirl *mirl) {
    /* Where nobody chose a concurrency, it is the processors of the affinity mask, be the container's quota fewer. */
    int shared = vips_concurrency_get(), chosen = shared == (int)g_get_num_processors() ? 0 : shared;
    int threads = mirl->threads > 0 ? mirl->threads : chosen;
    return (restoration){shared_model_get(mirl->model), mirl->task, (float)mirl->strength, (uint32_t)threads,
                         mirl->memory};
}

/* --- Computing, once ---------------------------------------------------------------------------------- */

static gboolean restore(VipsMirl *mirl) {
    restoration restoration = how(mirl);
    progress progress;
    g_mutex_lock(&mirl->computing);
    gboolean is_first = mirl->real == NULL && !mirl->failed;
    if (is_first) {
        progress_begin(&progress, mirl->out);
        mirl->real = restoration_run(&restoration, mirl->source, &progress);
        mirl->failed = mirl->real == NULL;
    } else if (mirl->failed) {
        vips_error("mirl", "the restoration failed before");
    }
    gboolean failed = mirl->failed;
    g_mutex_unlock(&mirl->computing);
    /* Now listeners may ask for pixels. */
    if (is_first) progress_end(&progress);
    if (is_first && failed) vips_operation_invalidate(VIPS_OPERATION(mirl));
    return !failed;
}

/* What a thread that wants pixels reads them by, from the first time on. */
typedef struct reader {
    VipsRegion *real;
} reader;

static void *vips_mirl_start(VipsImage *out, void *a, void *b) {
    (void)out, (void)a, (void)b;
    return g_new0(reader, 1);
}

static int vips_mirl_stop(void *sequence, void *a, void *b) {
    reader *reader = sequence;
    (void)a, (void)b;
    VIPS_UNREF(reader->real);
    g_free(reader);
    return 0;
}

static int vips_mirl_generate(VipsRegion *out, void *sequence, void *a, void *b, gboolean *stop) {
    reader *reader = sequence;
    VipsMirl *mirl = b;
    (void)a, (void)stop;
    if (reader->real == NULL && restore(mirl)) reader->real = vips_region_new(mirl->real);
    return reader->real == NULL || vips_region_prepare(reader->real, &out->valid) ||
           vips_region_region(out, reader->real, &out->valid, out->valid.left, out->valid.top);
}

/* --- Building ----------------------------------------------------------------------------------------- */

/* libvips lets everything pass that GObject's enumeration has, its end too. */
static gboolean check_task(const VipsMirl *mirl) {
    if (mirl_task_name(mirl->task) != NULL) return TRUE;
    vips_error("mirl", "unknown task %u", mirl->task);
    return FALSE;
}

static gboolean open_model(VipsMirl *mirl) {
    mirl_error error = {.struct_size = sizeof error};
    mirl->model = shared_model_open(mirl->weights, &error);
    if (mirl->model == NULL) restoration_fail(&error);
    return mirl->model != NULL;
}

/* Radiance's packed floats are unpacked first. */
static VipsImage *unpacked(VipsImage *in) {
    VipsImage *floats = NULL;
    if (in->Coding != VIPS_CODING_RAD) return g_object_ref(in);
    return vips_rad2float(in, &floats, NULL) == 0 ? floats : NULL;
}

static gboolean make_source(VipsMirl *mirl) {
    mirl->source = unpacked(mirl->in);
    if (mirl->source == NULL) return FALSE;
    switch (vips_to_srgb(&linked, &mirl->source, 255)) {
    case VIPS_SRGB_KEPT:
    case VIPS_SRGB_CONVERTED: return TRUE;
    case VIPS_SRGB_FAILED: return FALSE;
    case VIPS_SRGB_REFUSED: break;
    }
    VipsInterpretation space = vips_image_guess_interpretation(mirl->source);
    vips_error("mirl", "only grey and colour images are restored, not %d band%s of type %s in %s", mirl->source->Bands,
               mirl->source->Bands == 1 ? "" : "s", vips_enum_nick(VIPS_TYPE_BAND_FORMAT, mirl->source->BandFmt),
               vips_enum_nick(VIPS_TYPE_INTERPRETATION, space));
    return FALSE;
}

static int vips_mirl_build(VipsObject *object) {
    VipsMirl *mirl = (VipsMirl *)object;
    if (VIPS_OBJECT_CLASS(vips_mirl_parent_class)->build(object)) return -1;
    if (vips_image_pio_input(mirl->in) || !check_task(mirl) || !open_model(mirl) || !make_source(mirl)) return -1;
    restoration restoration = how(mirl);
    if (!restoration_accepts(&restoration, mirl->source)) return -1;

    g_object_set(mirl, "out", vips_image_new(), NULL);
    return vips_image_pipelinev(mirl->out, VIPS_DEMAND_STYLE_ANY, mirl->source, NULL) ||
           vips_image_generate(mirl->out, vips_mirl_start, vips_mirl_generate, vips_mirl_stop, NULL, mirl);
}

static void vips_mirl_dispose(GObject *object) {
    VipsMirl *mirl = (VipsMirl *)object;
    VIPS_UNREF(mirl->real);
    VIPS_UNREF(mirl->source);
    shared_model_release(mirl->model);
    mirl->model = NULL;
    G_OBJECT_CLASS(vips_mirl_parent_class)->dispose(object);
}

static void vips_mirl_finalize(GObject *object) {
    g_mutex_clear(&((VipsMirl *)object)->computing);
    G_OBJECT_CLASS(vips_mirl_parent_class)->finalize(object);
}

/* --- The class ---------------------------------------------------------------------------------------- */

/* A result that is kept would outlive the weights when their file is replaced. */
static VipsOperationFlags vips_mirl_get_flags(VipsOperation *operation) {
    VipsOperationFlags flags = VIPS_OPERATION_CLASS(vips_mirl_parent_class)->get_flags(operation);
    return ((VipsMirl *)operation)->weights != NULL ? flags | VIPS_OPERATION_NOCACHE : flags;
}

static void vips_mirl_class_init(VipsMirlClass *class) {
    GObjectClass *gobject_class = G_OBJECT_CLASS(class);
    VipsObjectClass *object_class = VIPS_OBJECT_CLASS(class);

    gobject_class->set_property = vips_object_set_property;
    gobject_class->get_property = vips_object_get_property;
    gobject_class->dispose = vips_mirl_dispose;
    gobject_class->finalize = vips_mirl_finalize;
    object_class->nickname = "mirl";
    object_class->description = "remove rain, haze or noise";
    object_class->build = vips_mirl_build;
    class->get_flags = vips_mirl_get_flags;
    /* The input is read once, from top to bottom. The reader of weight files is young. */
    class->flags |= VIPS_OPERATION_SEQUENTIAL | VIPS_OPERATION_UNTRUSTED;

#define AT(field) G_STRUCT_OFFSET(VipsMirl, field)
    VIPS_ARG_IMAGE(class, "in", 1, "Input", "Input image", VIPS_ARGUMENT_REQUIRED_INPUT, AT(in))
    VIPS_ARG_IMAGE(class, "out", 2, "Output", "Output image", VIPS_ARGUMENT_REQUIRED_OUTPUT, AT(out))
    VIPS_ARG_ENUM(class, "task", 3, "Task", "What to remove", VIPS_ARGUMENT_OPTIONAL_INPUT, AT(task),
                  vips_mirl_task_get_type(), MIRL_AUTO)
    VIPS_ARG_DOUBLE(class, "strength", 4, "Strength", "How much to restore", VIPS_ARGUMENT_OPTIONAL_INPUT,
                    AT(strength), 0, 1, 1)
    VIPS_ARG_STRING(class, "weights", 5, "Weights", "Weight file, instead of the weights built in",
                    VIPS_ARGUMENT_OPTIONAL_INPUT, AT(weights), NULL)
    VIPS_ARG_INT(class, "threads", 6, "Threads", "Threads to use; 0 means as many as libvips was told, or all",
                 VIPS_ARGUMENT_OPTIONAL_INPUT, AT(threads), 0, 1024, 0)
    VIPS_ARG_UINT64(class, "memory", 7, "Memory", "Most bytes to restore with, in tiles if need be; 0 means any number",
                    VIPS_ARGUMENT_OPTIONAL_INPUT, AT(memory), 0, G_MAXUINT64, 0)
#undef AT
}

static void vips_mirl_init(VipsMirl *mirl) {
    mirl->task = MIRL_AUTO;
    mirl->strength = 1;
    g_mutex_init(&mirl->computing);
}
