#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/two_layer.h"
#include "internal/precision.h"
