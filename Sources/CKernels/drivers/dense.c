#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/dense.h"
#include "internal/precision.h"
