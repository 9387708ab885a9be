/* 32-byte vectors with the instructions and registers of AVX-512: x86-64-v4. For what is left over when the groups of
 * neurons do not divide by the threads, and for CPUs that slow down with wider ones. */
#include <stdint.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#if defined(__x86_64__)
#define FK_LEVEL avx512vl
#define FK_VECTOR_BYTES 32
#define FK_REGISTERS 32
#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512cd,avx2,fma,bmi,bmi2,f16c,lzcnt"))),               \
    apply_to = function)
#include "leaf/leaf.h"
#pragma clang attribute pop
#endif
