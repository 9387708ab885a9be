#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/batch_norm.inc"
#include "internal/precision.inc"
