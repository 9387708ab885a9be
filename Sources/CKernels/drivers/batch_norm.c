#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/batch_norm.h"
#include "internal/precision.h"
