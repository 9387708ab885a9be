/* 64-byte vectors: x86-64-v4. */
#include <stdint.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#if defined(__x86_64__)
#define FK_LEVEL avx512
#define FK_VECTOR_BYTES 64
#define FK_REGISTERS 32
#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512cd,avx2,fma,bmi,bmi2,f16c,lzcnt"))),               \
    apply_to = function)
#include "leaf/leaf.inc"
#pragma clang attribute pop
#endif
