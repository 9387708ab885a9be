#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/cholesky.h"
#include "internal/precision.h"
