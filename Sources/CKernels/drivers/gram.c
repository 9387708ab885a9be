#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/gram.h"
#include "internal/precision.h"
