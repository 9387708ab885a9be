/* 32-byte vectors: x86-64-v3. */
#include <stdint.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#if defined(__x86_64__)
#define FK_LEVEL avx2
#define FK_VECTOR_BYTES 32
#define FK_REGISTERS 16
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,f16c,lzcnt"))), apply_to = function)
#include "leaf/leaf.inc"
#pragma clang attribute pop
#endif
