/* What decoders complain of in whole files, or do not know by its name, is taken out of a copy, so that what they still
 * complain of is damage. libjpeg tells of the first thing only, behind which damage would pass unseen. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Writes to `out`, which may be as long as the file, its header as far as the first scan, as libjpeg reads it: without
 * bytes between segments, of JFIF's first revision, with the scan's parameters, which sequential ones need not have,
 * and with a colour transform that Adobe knows. Returns how long it is there and, at `read`, in the file; 0 where the
 * file has no such header. */
static size_t tidy_header(const uint8_t *jpeg, size_t size, uint8_t *out, size_t *read) {
    enum { soi = 0xD8, eoi = 0xD9, sos = 0xDA, app0 = 0xE0, app14 = 0xEE, tem = 0x01, restart = 0xD0 };
    size_t at = 2, to = 2;
    memcpy(out, jpeg, to);
    bool sequential = false;
    uint8_t *transform = NULL;
    for (uint8_t marker = 0; marker != sos;) {
        do {
            while (at < size && jpeg[at] != 0xFF) at++;
            while (at < size && jpeg[at] == 0xFF) at++;
            if (at == size) return 0;
            marker = jpeg[at++];
        } while (marker == 0 || marker == tem || (marker & 0xF8) == restart);
        size_t length = size - at < 2 ? 0 : (size_t)jpeg[at] << 8 | jpeg[at + 1];
        if (marker == soi || marker == eoi || length < 2 || length > size - at) return 0;
        out[to] = 0xFF, out[to + 1] = marker;
        uint8_t *segment = memcpy(out + to + 2, jpeg + at, length);
        if (marker == app0 && length >= 16 && memcmp(segment + 2, "JFIF", 5) == 0) segment[7] = 1;
        if (marker == app14 && length >= 14 && memcmp(segment + 2, "Adobe", 5) == 0) transform = segment + 13;
        if ((marker & 0xFC) == 0xC0 && length >= 8 && segment[7] == 3 && transform != NULL && *transform > 1)
            *transform = 1;
        sequential |= marker == 0xC0 || marker == 0xC1 || marker == 0xC9;
        if (marker == sos && sequential && length >= 6) memcpy(segment + length - 3, "\0\x3F\0", 3);
        at += length, to += 2 + length;
    }
    *read = at;
    return to;
}

static bool tidy_jpeg(const uint8_t *jpeg, size_t size, mirl_bytes *tidy) {
    uint8_t *out = malloc(size);
    if (out == NULL) return false;
    size_t read, written = tidy_header(jpeg, size, out, &read);
    if (written == 0 || (written == read && memcmp(out, jpeg, read) == 0)) {
        free(out);
        return true;
    }
    memcpy(out + written, jpeg + read, size - read);
    *tidy = (mirl_bytes){out, written + size - read};
    return true;
}

bool tidied(const void *file, size_t size, mirl_bytes *tidy) {
    *tidy = (mirl_bytes){NULL, 0};
    if (size >= 3 && memcmp(file, "\xFF\xD8\xFF", 3) == 0) return tidy_jpeg(file, size, tidy);
    if (size < 12 || memcmp((const char *)file + 4, "ftypavis", 8) != 0) return true;
    /* An animation, whose first frame is an AVIF image by itself. */
    if (!bytes_copy(tidy, file, size)) return false;
    memcpy((char *)tidy->data + 8, "avif", 4);
    return true;
}
