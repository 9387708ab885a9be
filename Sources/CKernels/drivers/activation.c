#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/activation.inc"
#include "internal/precision.inc"
