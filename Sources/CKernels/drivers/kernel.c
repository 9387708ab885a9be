#include <math.h>
#include <string.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/kernel.inc"
#include "internal/precision.inc"
