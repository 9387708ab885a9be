#include <string.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/softmax_dense.h"
#include "internal/precision.h"
