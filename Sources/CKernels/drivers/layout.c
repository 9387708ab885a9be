#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/layout.h"
#include "internal/precision.h"
