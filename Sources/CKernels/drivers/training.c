#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/training.inc"
#include "internal/precision.inc"
