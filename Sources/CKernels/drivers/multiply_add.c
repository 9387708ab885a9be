#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/multiply_add.inc"
#include "internal/precision.inc"
