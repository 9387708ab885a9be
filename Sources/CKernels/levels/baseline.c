/* 16-byte vectors, which every 64-bit CPU has (SSE2, NEON). */
#include <stdint.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_LEVEL baseline
#define FK_VECTOR_BYTES 16
#if defined(__aarch64__)
#define FK_REGISTERS 32
#else
#define FK_REGISTERS 16
#endif
#include "leaf/leaf.inc"
