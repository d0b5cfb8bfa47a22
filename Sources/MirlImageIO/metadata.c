/* Makes EXIF and XMP true of a picture that is upright and restored. */
#define _GNU_SOURCE
#include "internal.h"

#include <string.h>

/* An EXIF block: TIFF's header and directories of entries, each a tag, a type, a count and a value or its place. */
typedef struct block {
    uint8_t *bytes;
    size_t size;
    bool big_endian;
} block;

enum { header_size = 8, entry_size = 12 };
enum { tag_orientation = 0x0112, tag_x_resolution = 0x011A, tag_y_resolution = 0x011B, tag_more = 0x8769 };
/* Where a picture's sides are told: in the first directory, and in the further one, which cameras fill. */
enum { tag_width = 0x0100, tag_height = 0x0101, tag_more_width = 0xA002, tag_more_height = 0xA003 };
/* Where a thumbnail's bytes are, as JPEG or as samples, and how many. */
enum { tag_jpeg = 0x0201, tag_jpeg_size = 0x0202, tag_samples = 0x0111, tag_samples_size = 0x0117 };

static uint32_t read_integer(const block *block, const uint8_t *from, unsigned count) {
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++) value = value << 8 | from[block->big_endian ? i : count - 1 - i];
    return value;
}

static void write_integer(const block *block, uint8_t *to, unsigned count, uint32_t value) {
    for (unsigned i = 0; i < count; i++, value >>= 8) to[block->big_endian ? count - 1 - i : i] = (uint8_t)value;
}

/* Where the first directory is; 0 in what is no EXIF block. */
static size_t open_block(mirl_bytes exif, block *block) {
    *block = (struct block){exif.data, exif.size, false};
    if (exif.size < header_size) return 0;
    block->big_endian = memcmp(block->bytes, "MM\0*", 4) == 0;
    if (!block->big_endian && memcmp(block->bytes, "II*\0", 4) != 0) return 0;
    return read_integer(block, block->bytes + 4, 4);
}

/* Where the entries of a directory end, and the place of the next directory stands; 0 beyond the block. */
static size_t end_of_directory(const block *block, size_t directory) {
    if (directory == 0 || directory + 2 > block->size) return 0;
    size_t end = directory + 2 + read_integer(block, block->bytes + directory, 2) * (size_t)entry_size;
    return end + 4 <= block->size ? end : 0;
}

/* The entry of a tag in a directory; NULL where there is none. */
static uint8_t *find_entry(const block *block, size_t directory, uint32_t tag) {
    if (directory == 0 || directory + 2 > block->size) return NULL;
    size_t count = read_integer(block, block->bytes + directory, 2);
    uint8_t *entry = block->bytes + directory + 2, *end = block->bytes + block->size;
    for (; count > 0 && end - entry >= entry_size; count--, entry += entry_size)
        if (read_integer(block, entry, 2) == tag) return entry;
    return NULL;
}

enum { type_short = 3, type_long = 4 };

/* Number `index` of the whole ones that an entry has, and how many bytes it takes; NULL where there is none. */
static uint8_t *find_number(const block *block, const uint8_t *entry, size_t index, unsigned *width) {
    enum { room = 4 };
    uint32_t type = entry != NULL ? read_integer(block, entry + 2, 2) : 0;
    if (type != type_short && type != type_long) return NULL;
    *width = type == type_short ? 2 : 4;
    size_t count = read_integer(block, entry + 4, 4), value = (size_t)(entry + 8 - block->bytes);
    if (index >= count) return NULL;
    size_t place = (count * *width <= room ? value : read_integer(block, entry + 8, 4)) + index * *width;
    return place + *width <= block->size ? block->bytes + place : NULL;
}

static size_t get_number(const block *block, const uint8_t *entry, size_t index, size_t otherwise) {
    unsigned bytes;
    const uint8_t *value = find_number(block, entry, index, &bytes);
    return value != NULL ? read_integer(block, value, bytes) : otherwise;
}

static void set_number(const block *block, size_t directory, uint32_t tag, uint32_t number) {
    unsigned bytes;
    uint8_t *value = find_number(block, find_entry(block, directory, tag), 0, &bytes);
    if (value != NULL) write_integer(block, value, bytes, number);
}

/* Whatever type a careless writer gave it: most readers take any. */
static void reset_orientation(const block *block, size_t directory) {
    uint8_t *entry = find_entry(block, directory, tag_orientation);
    if (entry == NULL) return;
    write_integer(block, entry + 2, 2, type_short);
    write_integer(block, entry + 4, 4, 1);
    write_integer(block, entry + 8, 4, 0);
    write_integer(block, entry + 8, 2, 1);
}

uint32_t tiff_number(const void *file, size_t size, uint32_t tag) {
    block block;
    size_t directory = open_block((mirl_bytes){(void *)file, size}, &block);
    return (uint32_t)get_number(&block, find_entry(&block, directory, tag), 0, 0);
}

uint32_t exif_orientation(mirl_bytes exif) {
    uint32_t orientation = tiff_number(exif.data, exif.size, tag_orientation);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

bool exif_has_orientation(mirl_bytes exif) { return tiff_number(exif.data, exif.size, tag_orientation) != 0; }

/* Overwrites the parts of the block that two tags tell of, and leaves such a part out where it is the last. The header
 * and the first directory are kept, though a thumbnail claim to lie there. */
static void wipe(block *block, size_t directory, uint32_t tag, uint32_t size_tag, size_t first, size_t end) {
    enum { most_parts = 256 }; /* of a thumbnail; a block that tells of more is to take no time */
    const uint8_t *begins = find_entry(block, directory, tag), *sizes = find_entry(block, directory, size_tag);
    for (size_t i = 0; i < most_parts; i++) {
        size_t begin = get_number(block, begins, i, 0), size = get_number(block, sizes, i, 0);
        if (begin < header_size || begin > block->size) continue;
        size = size < block->size - begin ? size : block->size - begin;
        if (begin < end && begin + size > first) continue;
        memset(block->bytes + begin, 0, size);
        if (begin + size == block->size) block->size = begin;
    }
}

/* The second directory is of the thumbnail, which shows the picture before. */
static void remove_thumbnail(block *block, size_t first) {
    size_t end = end_of_directory(block, first);
    if (end == 0) return;
    size_t second = read_integer(block, block->bytes + end, 4);
    write_integer(block, block->bytes + end, 4, 0);
    end += 4;
    if (second >= first && second < end) return;
    wipe(block, second, tag_jpeg, tag_jpeg_size, first, end);
    wipe(block, second, tag_samples, tag_samples_size, first, end);
}

void exif_describe(mirl_bytes *exif, uint32_t width, uint32_t height, uint32_t orientation) {
    block block;
    size_t directory = open_block(*exif, &block);
    if (orientation > 1)
        reset_orientation(&block, directory);
    else
        set_number(&block, directory, tag_orientation, 1);
    set_number(&block, directory, tag_width, width);
    set_number(&block, directory, tag_height, height);
    uint8_t *x = find_entry(&block, directory, tag_x_resolution), *y = find_entry(&block, directory, tag_y_resolution);
    if (orientation >= 5 && x != NULL && y != NULL) {
        uint8_t kept[entry_size - 2]; /* what comes after the tag */
        memcpy(kept, x + 2, sizeof kept);
        memcpy(x + 2, y + 2, sizeof kept);
        memcpy(y + 2, kept, sizeof kept);
    }
    size_t more = get_number(&block, find_entry(&block, directory, tag_more), 0, 0);
    set_number(&block, more, tag_more_width, width);
    set_number(&block, more, tag_more_height, height);
    remove_thumbnail(&block, directory);
    exif->size = block.size;
}

/* XMP repeats the orientation as an attribute or an element; both put the digit soon after the name. */
void reset_xmp_orientation(mirl_bytes xmp) {
    static const char name[] = "tiff:Orientation";
    if (xmp.size == 0) return;
    char *end = (char *)xmp.data + xmp.size;
    for (char *at = xmp.data; (at = memmem(at, (size_t)(end - at), name, sizeof name - 1)) != NULL;) {
        at += sizeof name - 1;
        while (at < end && memchr("=\"'> \t\r\n", *at, 8) != NULL) at++;
        if (at < end && *at >= '2' && *at <= '8') *at = '1';
    }
}
