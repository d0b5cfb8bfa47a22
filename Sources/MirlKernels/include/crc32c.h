/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of weight files. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The checksum of `size` bytes that continue those with the checksum `crc`; 0 begins. */
uint32_t mirlk_crc32c(uint32_t crc, const void *data, size_t size);

/* The ways to compute it, for tests: 0 is portable, each of the others faster; NULL where this processor lacks the
 * instructions. */
typedef uint32_t mirlk_crc32c_way(uint32_t crc, const void *data, size_t size);
enum { MIRLK_CRC32C_WAYS = 3 };
mirlk_crc32c_way *mirlk_crc32c_ways(int index);
