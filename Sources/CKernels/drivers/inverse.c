#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/inverse.h"
#include "internal/precision.h"
