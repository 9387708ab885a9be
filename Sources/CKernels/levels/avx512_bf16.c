/* 64-byte vectors with products of bfloat16: x86-64-v4 and AVX512_BF16. */
#include <stdint.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define FK_LEVEL avx512_bf16
#define FK_VECTOR_BYTES 64
#define FK_REGISTERS 32
#define FK_LEAF(name) fk_##name##_avx512_bf16
#define T float
#define INT int32_t
#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512cd,avx512bf16,avx2,fma,bmi,bmi2,f16c,lzcnt"))),    \
    apply_to = function)
/* (of the bodies for floats only the moves and the tiles are wanted) */
#pragma clang diagnostic ignored "-Wunused-function"
#include "leaf/pairs.inc"
#pragma clang attribute pop
#endif
