/* Makes a picture upright, and its metadata say so. */
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* An EXIF block: TIFF's header and directories of entries, each a tag, a type, a count and a value or its place. */
typedef struct block {
    uint8_t *bytes;
    size_t size;
    bool big_endian;
} block;

enum { entry_size = 12 };
enum { tag_orientation = 0x0112, tag_more = 0x8769 };
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
    enum { header = 8 };
    *block = (struct block){exif.data, exif.size, false};
    if (exif.size < header) return 0;
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

/* The whole number that a tag has in a directory, and how many bytes it takes there; NULL where there is none. */
static uint8_t *find_number(const block *block, size_t directory, uint32_t tag, unsigned *width) {
    enum { type_short = 3, type_long = 4 };
    if (directory == 0 || directory + 2 > block->size) return NULL;
    size_t count = read_integer(block, block->bytes + directory, 2);
    uint8_t *entry = block->bytes + directory + 2, *end = block->bytes + block->size;
    for (; count > 0 && end - entry >= entry_size; count--, entry += entry_size) {
        uint32_t type = read_integer(block, entry + 2, 2);
        *width = type == type_short ? 2 : 4;
        if (read_integer(block, entry, 2) == tag && (type == type_short || type == type_long)) return entry + 8;
    }
    return NULL;
}

uint32_t exif_orientation(mirl_bytes exif) {
    block block;
    unsigned width;
    size_t directory = open_block(exif, &block);
    const uint8_t *value = find_number(&block, directory, tag_orientation, &width);
    uint32_t orientation = value != NULL ? read_integer(&block, value, width) : 1;
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

static void set_number(const block *block, size_t directory, uint32_t tag, uint32_t number) {
    unsigned bytes;
    uint8_t *value = find_number(block, directory, tag, &bytes);
    if (value != NULL) write_integer(block, value, bytes, number);
}

static size_t get_number(const block *block, size_t directory, uint32_t tag) {
    unsigned bytes;
    const uint8_t *value = find_number(block, directory, tag, &bytes);
    return value != NULL ? read_integer(block, value, bytes) : 0;
}

/* Overwrites the bytes that two tags tell of, and leaves them out where they are the last. */
static void wipe(block *block, size_t directory, uint32_t tag, uint32_t size_tag) {
    size_t begin = get_number(block, directory, tag), size = get_number(block, directory, size_tag);
    if (begin == 0 || begin > block->size) return;
    size = size < block->size - begin ? size : block->size - begin;
    memset(block->bytes + begin, 0, size);
    if (begin + size == block->size) block->size = begin;
}

/* The second directory is of the thumbnail, which shows the picture before. */
static void remove_thumbnail(block *block, size_t first) {
    size_t end = end_of_directory(block, first);
    if (end == 0) return;
    size_t second = read_integer(block, block->bytes + end, 4);
    write_integer(block, block->bytes + end, 4, 0);
    if (second <= end) return; /* nowhere, or in what is kept */
    wipe(block, second, tag_jpeg, tag_jpeg_size);
    wipe(block, second, tag_samples, tag_samples_size);
}

void exif_describe(mirl_bytes *exif, uint32_t width, uint32_t height) {
    block block;
    size_t directory = open_block(*exif, &block);
    set_number(&block, directory, tag_orientation, 1);
    set_number(&block, directory, tag_width, width);
    set_number(&block, directory, tag_height, height);
    size_t more = get_number(&block, directory, tag_more);
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

static void swap_sides(mirl_picture *picture) {
    uint32_t width = picture->width;
    picture->width = picture->height;
    picture->height = width;
    double resolution = picture->x_resolution;
    picture->x_resolution = picture->y_resolution;
    picture->y_resolution = resolution;
}

/* Every orientation is a walk over the source: from one corner, along one side, then along the other. */
mirl_picture_status orient(mirl_picture *picture, uint32_t from, mirl_picture_message *message) {
    if (from <= 1 || from > 8) return MIRL_PICTURE_OK;
    bool from_right = from == 2 || from == 3 || from == 7 || from == 8;
    bool from_bottom = from == 3 || from == 4 || from == 6 || from == 7;
    bool turned = from >= 5;

    size_t pixel_size = (size_t)picture->bands * picture->sample_size;
    ptrdiff_t pixel = (ptrdiff_t)pixel_size, row = pixel * picture->width;
    uint8_t *upright = malloc(picture_size(picture));
    if (upright == NULL) return picture_fail(message, MIRL_PICTURE_FAILED, "no memory to turn the image");
    ptrdiff_t along_width = from_right ? -pixel : pixel, along_height = from_bottom ? -row : row;
    ptrdiff_t to_next_pixel = turned ? along_height : along_width, to_next_line = turned ? along_width : along_height;
    ptrdiff_t line = (from_right ? row - pixel : 0) + (from_bottom ? (picture->height - 1) * row : 0);

    if (turned) swap_sides(picture);
    uint8_t *out = upright;
    for (uint32_t y = 0; y < picture->height; y++, line += to_next_line) {
        ptrdiff_t in = line;
        for (uint32_t x = 0; x < picture->width; x++, in += to_next_pixel, out += pixel_size)
            memcpy(out, picture->pixels + in, pixel_size);
    }
    free(picture->pixels);
    picture->pixels = upright;
    return MIRL_PICTURE_OK;
}
