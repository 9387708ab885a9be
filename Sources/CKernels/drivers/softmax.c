#include <math.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/softmax.inc"
#include "internal/precision.inc"
