/* All kernels for one instruction set, which the including file fixes:
 *
 *     LANES      floats in a vector
 *     FUSED      1 where multiply-add is one instruction
 *     GRAM_ROWS  rows of a register block in gram.h, three vectors wide
 *     MIX_ROWS   rows of a register block in mix.h, four vectors wide
 *     BF16       1 where both round their factors to bf16, which the processor multiplies in pairs
 *     ISA, TABLE the names of the set and of its table
 */
#include "vector.h"

#include "copy.h"
#include "gram.h"
#include "half.h"
#include "mix.h"
#include "multiply.h"
#include "normalize.h"

#include "gate.h"

const mirlk_kernels TABLE = {ISA, multiply, decode_half, copy, normalize, multiply_gated, gram, prepare_mix, mix};
