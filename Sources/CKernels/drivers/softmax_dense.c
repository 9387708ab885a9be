#include <string.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/bodies/softmax_dense.inc"
#include "internal/precision.inc"
