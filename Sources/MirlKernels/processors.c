/* How many processors there are to run on. */
#define _GNU_SOURCE
#include "MirlKernels.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The system refuses a set that is smaller than its own, whose size it does not say. */
static uint32_t affinity(void) {
    for (int most = 1024; most <= 1 << 20; most *= 2) {
        cpu_set_t *set = CPU_ALLOC(most);
        if (!set)
            return 0;
        size_t size = CPU_ALLOC_SIZE(most);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : -1, reason = errno;
        CPU_FREE(set);
        if (count >= 0)
            return (uint32_t)count;
        if (reason != EINVAL)
            return 0;
    }
    return 0;
}

/* What the group in this folder may use, rounded up; UINT32_MAX without a limit. */
static uint32_t quota_of_group(const char *folder) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/cpu.max", folder) >= (int)sizeof path)
        return UINT32_MAX;
    FILE *file = fopen(path, "re");
    if (!file)
        return UINT32_MAX;
    unsigned long long quota, period; /* microseconds; the word `max` where there is no limit */
    int numbers = fscanf(file, "%llu %llu", &quota, &period);
    fclose(file);
    if (numbers != 2 || quota == 0 || period == 0 || quota / period >= UINT32_MAX)
        return UINT32_MAX;
    return (uint32_t)(quota / period + (quota % period > 0));
}

uint32_t mirlk_quota(const char *groups, const char *root) {
    char line[PATH_MAX], folder[PATH_MAX];
    FILE *file = fopen(groups, "re");
    if (!file)
        return UINT32_MAX;
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) found = strncmp(line, "0::/", 4) == 0; /* version 2's line */
    fclose(file);
    if (!found)
        return UINT32_MAX;
    line[strcspn(line, "\n")] = '\0';
    if (snprintf(folder, sizeof folder, "%s%s", root, line + 3) >= (int)sizeof folder)
        return UINT32_MAX;
    uint32_t least = UINT32_MAX;
    for (size_t end = strlen(folder); end >= strlen(root); end--)
        if (folder[end] == '/' || folder[end] == '\0') {
            folder[end] = '\0';
            uint32_t quota = quota_of_group(folder);
            least = quota < least ? quota : least;
        }
    return least;
}

uint32_t mirlk_processors(void) {
    uint32_t mask = affinity(), quota = mirlk_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    return mask < quota ? mask : quota;
}
