/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of weight files. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The checksum of `size` bytes that continue those with the checksum `crc`; 0 begins. */
uint32_t mirlk_crc32c(uint32_t crc, const void *data, size_t size);

/* The same without special instructions, for machines that lack them and for tests. */
uint32_t mirlk_crc32c_portable(uint32_t crc, const void *data, size_t size);
