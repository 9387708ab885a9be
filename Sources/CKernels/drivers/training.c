#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/training.h"
#include "internal/precision.h"
