#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/projected.inc"
#include "internal/precision.inc"
