/* Captions, keywords and the like as IPTC has them: datasets one after another, which JPEG has among Photoshop's
 * resources. TIFF has them by themselves, but libvips 8.14 writes a quarter of them. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char head[14] = "Photoshop 3.0";              /* with its 0 */
static const uint8_t type[6] = {'8', 'B', 'I', 'M', 4, 4}; /* of the resource that holds the datasets */
enum { size_of_name = 2, size_of_length = 4 };

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool iptc_copy(mirl_bytes *iptc, const void *data, size_t size) {
    const uint8_t *bytes = data;
    size_t at = sizeof head;
    if (size < at || memcmp(data, head, at) != 0) return true;
    while (size - at > sizeof type && memcmp(bytes + at, type, 4) == 0) {
        bool is_found = memcmp(bytes + at, type, sizeof type) == 0;
        at += sizeof type;
        at += (bytes[at] + 2u) & ~1u; /* a name, after its length, filled up to an even number */
        if (at > size || size - at < size_of_length) break;
        size_t length = big_endian(bytes + at);
        at += size_of_length;
        if (length > size - at) break;
        if (is_found) return bytes_copy(iptc, bytes + at, length);
        at += length + length % 2;
        if (at > size) break;
    }
    return true;
}

bool iptc_block(const mirl_bytes *iptc, mirl_bytes *block) {
    *block = (mirl_bytes){NULL, 0};
    if (iptc->size == 0) return true;
    size_t before = sizeof head + sizeof type + size_of_name + size_of_length;
    size_t size = before + iptc->size + iptc->size % 2;
    uint8_t *bytes = calloc(size, 1);
    if (bytes == NULL) return false;
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, type, sizeof type);
    for (size_t i = 0; i < size_of_length; i++) bytes[before - 1 - i] = (uint8_t)(iptc->size >> 8 * i);
    memcpy(bytes + before, iptc->data, iptc->size);
    *block = (mirl_bytes){bytes, size};
    return true;
}
