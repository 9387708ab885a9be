#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/group_norm.inc"
#include "internal/precision.inc"
