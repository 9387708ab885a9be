#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/two_layer.inc"
#include "internal/precision.inc"
