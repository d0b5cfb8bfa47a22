/* loader.c - load libmirl at run time, use it, close it, and load it again: loader LIBRARY */
#include <mirl.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "loader.c:%d: %s does not hold\n", __LINE__, #condition); \
            return 1;                                                           \
        }                                                                       \
    } while (0)

static int use(void *library)
{
    __typeof__(&mirl_model_open_default) open_default;
    open_default = (__typeof__(open_default))dlsym(library, "mirl_model_open_default");
    __typeof__(&mirl_session_new) session_new = (__typeof__(session_new))dlsym(library, "mirl_session_new");
    __typeof__(&mirl_restore) restore = (__typeof__(restore))dlsym(library, "mirl_restore");
    __typeof__(&mirl_session_free) session_free = (__typeof__(session_free))dlsym(library, "mirl_session_free");
    __typeof__(&mirl_model_free) model_free = (__typeof__(model_free))dlsym(library, "mirl_model_free");
    CHECK(open_default && session_new && restore && session_free && model_free);

    mirl_model *model;
    mirl_session *session;
    unsigned char pixels[8 * 8 * 3] = { 0 };
    mirl_image image = { sizeof image, MIRL_RGB8, 8, 8, 24, pixels };
    CHECK(open_default(&model, NULL) == MIRL_OK);
    CHECK(session_new(model, NULL, &session, NULL) == MIRL_OK);
    CHECK(restore(session, &image, &image, NULL, NULL) == MIRL_OK);
    session_free(session);
    model_free(model);
    return 0;
}

int main(int count, char **arguments)
{
    CHECK(count == 2);
    for (int i = 0; i < 3; i++) {
        void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL)
            fprintf(stderr, "%s\n", dlerror());
        CHECK(library != NULL);
        struct sigaction action;
        CHECK(sigaction(SIGSEGV, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
        CHECK(use(library) == 0);
        CHECK(dlclose(library) == 0);
    }
}
