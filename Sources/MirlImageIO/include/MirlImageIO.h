/* Pictures in memory, decoded from and encoded to files' bytes: libpng for PNG, libvips for most else.
 *
 * libvips with the hundred libraries behind it takes longer to load than a small picture to restore, so it is opened
 * at run time, and only when a picture needs it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes from malloc; none at all where `data` is NULL. */
typedef struct mirl_bytes {
    void *data;
    size_t size;
} mirl_bytes;

/* How a PNG says, without a profile, what its colours are; fixed point as in the file, times 100000. */
typedef struct mirl_png_colour {
    bool has_gamma, has_chromaticities, has_intent, has_code_points;
    int32_t gamma;
    int32_t chromaticities[8]; /* x and y of white, red, green, blue */
    int32_t intent;            /* of sRGB */
    uint8_t code_points[4];    /* of ITU-T H.273: primaries, transfer function, matrix, range (cICP) */
} mirl_png_colour;

/* What the file was, for telling the user; the picture no longer depends on it. */
typedef struct mirl_picture_origin {
    char format[16];                 /* "png", "jpeg", ... */
    char colour_space[16];           /* the one that was converted to sRGB, or empty */
    uint32_t pages;                  /* of which this is the first */
    uint32_t orientation;            /* EXIF's 1..8, already applied */
} mirl_picture_origin;

typedef struct mirl_picture {
    uint32_t width, height;            /* pixels, 1..65535 each */
    uint32_t bands;                    /* 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha */
    uint32_t sample_size;              /* bytes: 1 for 0..255, 2 for 0..65535 in host byte order */
    uint8_t *pixels;                   /* [height][width][bands] samples, from malloc */
    double x_resolution, y_resolution; /* pixels per metre, 0 where unknown */
    mirl_bytes icc;                    /* a profile for the samples as they are */
    mirl_bytes exif;                   /* from its TIFF header on, orientation 1 */
    mirl_bytes xmp;                    /* XML */
    mirl_bytes iptc;                   /* datasets, of a JPEG */
    mirl_png_colour png_colour;
    mirl_picture_origin origin;
} mirl_picture;

typedef enum mirl_picture_status {
    MIRL_PICTURE_OK,
    MIRL_PICTURE_BAD,    /* the bytes are no picture that can be used */
    MIRL_PICTURE_FAILED, /* the machine let us down: memory, a missing library */
} mirl_picture_status;

typedef enum mirl_picture_format {
    MIRL_PICTURE_PNG,
    MIRL_PICTURE_JPEG,
    MIRL_PICTURE_WEBP,
    MIRL_PICTURE_TIFF,
    MIRL_PICTURE_PPM,
} mirl_picture_format;

/* One line of text, set when a call does not return MIRL_PICTURE_OK. */
typedef struct mirl_picture_message {
    char text[256];
} mirl_picture_message;

/* Decodes the whole picture, upright; one of more than `limit` pixels is refused before any pixel is decoded. */
mirl_picture_status mirl_picture_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                                        mirl_picture_message *message);

/* What the beginning of a stream tells of its first picture. */
typedef struct mirl_picture_outline {
    size_t extent;          /* bytes that make it up: SIZE_MAX where the format fills the stream, as all but raw PNM
                             * do; 0 where more bytes are needed to tell */
    uint32_t width, height; /* pixels, 0 where that takes decoding: only PNG and PNM tell */
    size_t size;            /* bytes of its samples, or fewer than they are */
} mirl_picture_outline;

/* Reads the header in the first `size` bytes of a stream; a picture of more than `limit` pixels is refused. */
mirl_picture_status mirl_picture_look_at(const void *data, size_t size, uint64_t limit, mirl_picture_outline *outline,
                                         mirl_picture_message *message);

/* Refuses what no picture of a format that can be decoded begins with; 12 bytes tell. */
mirl_picture_status mirl_picture_check_beginning(const void *data, size_t size, mirl_picture_message *message);

/* Refuses sides that no picture may have, and more than `limit` pixels. */
mirl_picture_status mirl_picture_check_size(uint64_t width, uint64_t height, uint64_t limit,
                                            mirl_picture_message *message);

/* Encodes with all metadata that the format can carry; `quality` is 1 to 100 in the formats that have one. */
mirl_picture_status mirl_picture_encode(const mirl_picture *picture, mirl_picture_format format, unsigned quality,
                                        mirl_bytes *file, mirl_picture_message *message);

/* Drops what was not said for showing the picture: EXIF, XMP and IPTC, but not its colour profile or resolution. */
void mirl_picture_strip(mirl_picture *picture);

/* Makes the picture twice as wide, with all its pixels a second time beside the first. */
mirl_picture_status mirl_picture_repeat(mirl_picture *picture, mirl_picture_message *message);

/* Frees what the picture points to; NULL is ignored. */
void mirl_picture_free(mirl_picture *picture);
