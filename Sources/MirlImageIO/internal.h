/* What the decoders and encoders share. */
#pragma once
#include "MirlImageIO.h"

/* Writes the message and returns `status`. */
__attribute__((format(printf, 3, 4))) mirl_picture_status picture_fail(mirl_picture_message *message,
                                                                       mirl_picture_status status, const char *format,
                                                                       ...);

/* The bytes of all pixels. */
size_t picture_size(const mirl_picture *picture);

/* Makes `copy` one of `size` bytes, which may be none; false where memory is missing. */
bool bytes_copy(mirl_bytes *copy, const void *data, size_t size);

/* EXIF's orientation, 1 where it says none. */
uint32_t exif_orientation(mirl_bytes exif);

/* What the first page of a TIFF file has by this tag, the first number of several; 0 if nothing. */
uint32_t tiff_number(const void *file, size_t size, uint32_t tag);

/* Makes EXIF say that the picture is upright and how large it is, as far as it says anything about that, and takes the
 * thumbnail out. `orientation` is what the picture had. */
void exif_describe(mirl_bytes *exif, uint32_t width, uint32_t height, uint32_t orientation);

/* Puts the picture's EXIF into a JPEG or WebP file as it was encoded, in place of what it has, if it fits; false where
 * memory is missing. */
bool put_exif(mirl_bytes *file, mirl_picture_format format, const mirl_picture *picture);

/* Makes XMP say that the picture is upright, if it says anything. */
void reset_xmp_orientation(mirl_bytes xmp);

/* Copies the datasets of a JPEG's Photoshop block; false where memory is missing. */
bool iptc_copy(mirl_bytes *iptc, const void *data, size_t size);

/* Such a block, for the caller to free; none where there are no datasets. False where memory is missing. */
bool iptc_block(const mirl_bytes *iptc, mirl_bytes *block);

/* Whether EXIF tells an orientation, be it 1. */
bool exif_has_orientation(mirl_bytes exif);

/* A copy of the file for decoders where they need one, else none; false where memory is missing. */
bool tidied(const void *file, size_t size, mirl_bytes *tidy);

/* Turns and mirrors the pixels so that orientation `from` becomes 1. */
mirl_picture_status orient(mirl_picture *picture, uint32_t from, mirl_picture_message *message);

/* Whether another image comes in what is left after one, behind any space; and the refusal of that. */
bool is_followed(const uint8_t *rest, size_t size);
mirl_picture_status picture_fail_followed(mirl_picture_message *message);

/* The refusal of what is no picture. */
mirl_picture_status picture_fail_unknown(mirl_picture_message *message);

bool is_png(const void *data, size_t size);
bool is_pnm(const void *data, size_t size);
/* The operation of libvips that is to decode a file, by its first bytes; NULL where none is. */
const char *vips_loader(const void *data, size_t size);

/* The decoders fill in a zeroed picture that is not yet upright, its orientation in `origin`. After a failure the
 * caller frees what they left in it. */
mirl_picture_status png_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                               mirl_picture_message *message);
/* As mirl_picture_look_at, to fill in what is zero. */
mirl_picture_status png_look_at(const void *data, size_t size, uint64_t limit, mirl_picture_outline *outline,
                                mirl_picture_message *message);
mirl_picture_status pnm_look_at(const void *data, size_t size, uint64_t limit, mirl_picture_outline *outline,
                                mirl_picture_message *message);
mirl_picture_status pnm_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                               mirl_picture_message *message);
mirl_picture_status vips_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                                mirl_picture_message *message);

mirl_picture_status png_encode(const mirl_picture *picture, mirl_bytes *file, mirl_picture_message *message);
mirl_picture_status pnm_encode(const mirl_picture *picture, mirl_bytes *file, mirl_picture_message *message);
mirl_picture_status vips_encode(const mirl_picture *picture, mirl_picture_format format, unsigned quality,
                                mirl_bytes *file, mirl_picture_message *message);
