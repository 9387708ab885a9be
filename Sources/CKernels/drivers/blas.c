#include <math.h>

#include "internal/ops.h"
#include "internal/parallel.h"
#include "internal/blas_guard.h"
#define FK_BODY "drivers/bodies/blas.inc"
#include "internal/precision.inc"
