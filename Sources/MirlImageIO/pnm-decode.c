/* Decodes PBM, PGM and PPM, plain and raw: small enough to be safe here, which libvips says its own decoder is not. */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>

typedef struct reader {
    const uint8_t *next, *end;
} reader;

enum { no_number = -1 };

bool is_pnm(const void *data, size_t size) {
    const uint8_t *bytes = data;
    return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' && (isspace(bytes[2]) || bytes[2] == '#');
}

static void skip_space(reader *reader) {
    while (reader->next < reader->end && (isspace(*reader->next) || *reader->next == '#'))
        if (*reader->next++ == '#')
            while (reader->next < reader->end && *reader->next != '\n') reader->next++;
}

/* A decimal number after any space and comments. */
static int32_t read_number(reader *reader) {
    skip_space(reader);
    int32_t number = no_number;
    for (; reader->next < reader->end && isdigit(*reader->next); reader->next++) {
        if (number > 9999999) return no_number;
        number = (number == no_number ? 0 : number) * 10 + (*reader->next - '0');
    }
    return number;
}

/* A plain bitmap's digits need no space between them. */
static int32_t read_bit(reader *reader) {
    skip_space(reader);
    if (reader->next == reader->end || (*reader->next != '0' && *reader->next != '1')) return no_number;
    return *reader->next++ - '0';
}

static int32_t read_raw(reader *reader, unsigned count) {
    if ((size_t)(reader->end - reader->next) < count) return no_number;
    int32_t sample = *reader->next++;
    return count == 1 ? sample : sample << 8 | *reader->next++;
}

static void store(mirl_picture *picture, size_t index, uint32_t sample) {
    if (picture->sample_size == 1)
        picture->pixels[index] = (uint8_t)sample;
    else
        ((uint16_t *)picture->pixels)[index] = (uint16_t)sample;
}

static mirl_picture_status read_samples(reader *reader, bool plain, uint32_t maximum, mirl_picture *picture,
                                        mirl_picture_message *message) {
    uint32_t full = picture->sample_size == 1 ? UINT8_MAX : UINT16_MAX;
    size_t count = (size_t)picture->width * picture->height * picture->bands;
    for (size_t i = 0; i < count; i++) {
        int32_t sample = plain ? read_number(reader) : read_raw(reader, picture->sample_size);
        if (sample == no_number)
            return picture_fail(message, MIRL_PICTURE_BAD, "damaged PNM: sample %zu of %zu is missing", i + 1, count);
        if ((uint32_t)sample > maximum)
            return picture_fail(message, MIRL_PICTURE_BAD, "damaged PNM: sample %zu is %d, above the maximum %u", i + 1,
                                sample, maximum);
        store(picture, i, ((uint32_t)sample * full + maximum / 2) / maximum);
    }
    return MIRL_PICTURE_OK;
}

/* In a bitmap 1 is black; raw rows begin at a byte. */
static mirl_picture_status read_bits(reader *reader, bool plain, mirl_picture *picture, mirl_picture_message *message) {
    uint8_t *pixel = picture->pixels;
    for (uint32_t y = 0; y < picture->height; y++) {
        int32_t bits = 0;
        for (uint32_t x = 0; x < picture->width; x++) {
            if (plain)
                bits = read_bit(reader);
            else
                bits = x % 8 == 0 ? read_raw(reader, 1) : bits << 1;
            if (bits == no_number)
                return picture_fail(message, MIRL_PICTURE_BAD, "damaged PBM: row %u of %u is missing", y + 1,
                                    picture->height);
            *pixel++ = bits & (plain ? 1 : 0x80) ? 0 : UINT8_MAX;
        }
    }
    return MIRL_PICTURE_OK;
}

static mirl_picture_status read_header(reader *reader, char kind, mirl_picture *picture, int32_t *maximum,
                                       mirl_picture_message *message) {
    int32_t width = read_number(reader), height = read_number(reader);
    bool bitmap = kind == '1' || kind == '4';
    *maximum = bitmap ? 1 : read_number(reader);
    if (width == no_number || height == no_number || *maximum < 1 || *maximum > UINT16_MAX ||
        reader->next == reader->end || !isspace(*reader->next++))
        return picture_fail(message, MIRL_PICTURE_BAD, "damaged PNM: the header is no width, height and maximum");
    picture->width = (uint32_t)width;
    picture->height = (uint32_t)height;
    picture->bands = kind == '3' || kind == '6' ? 3 : 1;
    picture->sample_size = *maximum > UINT8_MAX ? 2 : 1;
    picture->origin = (mirl_picture_origin){.format = "pnm", .pages = 1, .orientation = 1};
    return MIRL_PICTURE_OK;
}

mirl_picture_status pnm_look_at(const void *data, size_t size, uint64_t limit, mirl_picture_outline *outline,
                                mirl_picture_message *message) {
    const uint8_t *bytes = data;
    char kind = (char)bytes[1];
    reader reader = {bytes + 2, bytes + size};
    mirl_picture header = {0};
    int32_t maximum;
    mirl_picture_status status = read_header(&reader, kind, &header, &maximum, message);
    if (status != MIRL_PICTURE_OK) return reader.next < reader.end ? status : MIRL_PICTURE_OK; /* it may go on */
    outline->width = header.width;
    outline->height = header.height;
    outline->size = picture_size(&header);
    size_t raw = kind == '4' ? (header.width + 7) / 8 * (size_t)header.height : outline->size;
    outline->extent = kind <= '3' ? SIZE_MAX : (size_t)(reader.next - bytes) + raw; /* a plain one fills its stream */
    return mirl_picture_check_size(header.width, header.height, limit, message);
}

mirl_picture_status pnm_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                               mirl_picture_message *message) {
    reader reader = {(const uint8_t *)data + 2, (const uint8_t *)data + size};
    char kind = ((const char *)data)[1];
    int32_t maximum;
    mirl_picture_status status = read_header(&reader, kind, picture, &maximum, message);
    if (status == MIRL_PICTURE_OK) status = mirl_picture_check_size(picture->width, picture->height, limit, message);
    if (status != MIRL_PICTURE_OK) return status;
    picture->pixels = malloc(picture_size(picture));
    if (picture->pixels == NULL) return picture_fail(message, MIRL_PICTURE_FAILED, "no memory for the image");
    bool plain = kind <= '3';
    status = kind == '1' || kind == '4' ? read_bits(&reader, plain, picture, message)
                                        : read_samples(&reader, plain, (uint32_t)maximum, picture, message);
    if (status == MIRL_PICTURE_OK && plain && is_followed(reader.next, (size_t)(reader.end - reader.next)))
        return picture_fail_followed(message);
    return status;
}
