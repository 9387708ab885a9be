#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/layout.inc"
#include "internal/precision.inc"
