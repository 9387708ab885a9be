#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/softmax.h"
#include "internal/precision.h"
