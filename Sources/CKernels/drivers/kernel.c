#include <string.h>

#include "internal/ops.h"
#include "internal/parallel.h"

#define FK_BODY "drivers/kernel.h"
#include "internal/precision.h"
