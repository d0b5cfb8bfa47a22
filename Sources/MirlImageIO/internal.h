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

/* Makes EXIF and XMP say that the picture is upright, as far as they say anything about it. */
void reset_orientation(mirl_picture *picture);

/* Turns and mirrors the pixels so that orientation `from` becomes 1. */
mirl_picture_status orient(mirl_picture *picture, uint32_t from, mirl_picture_message *message);

bool is_png(const void *data, size_t size);
bool is_pnm(const void *data, size_t size);

/* The decoders fill in a zeroed picture that is not yet upright, its orientation in `origin`. After a failure the
 * caller frees what they left in it. */
mirl_picture_status png_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                               mirl_picture_message *message);
/* As mirl_picture_extent. */
mirl_picture_status pnm_extent(const void *data, size_t size, uint64_t limit, size_t *extent,
                               mirl_picture_message *message);
mirl_picture_status pnm_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                               mirl_picture_message *message);
mirl_picture_status vips_decode(const void *data, size_t size, uint64_t limit, mirl_picture *picture,
                                mirl_picture_message *message);

mirl_picture_status png_encode(const mirl_picture *picture, mirl_bytes *file, mirl_picture_message *message);
mirl_picture_status pnm_encode(const mirl_picture *picture, mirl_bytes *file, mirl_picture_message *message);
mirl_picture_status vips_encode(const mirl_picture *picture, mirl_picture_format format, unsigned quality,
                                mirl_bytes *file, mirl_picture_message *message);
