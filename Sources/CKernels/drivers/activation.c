#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/activation.h"
#include "internal/precision.h"
