#include <math.h>

#include "internal/ops.h"
#include "internal/parallel.h"

/* Factors of fewer flops are a thread's each; the others have all threads. */
#define FK_ONE_THREADS_FACTOR 2e8

#define FK_HAS_PAIRS_s 1
#define FK_HAS_PAIRS_d 0

#define FK_BODY "drivers/bodies/newton_schulz.inc"
#include "internal/precision.inc"
