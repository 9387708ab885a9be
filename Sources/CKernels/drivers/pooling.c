#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/pooling.inc"
#include "internal/precision.inc"
