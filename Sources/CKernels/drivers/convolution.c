#include <string.h>

#include "internal/ops.h"
#include "internal/parallel.h"
#include "internal/window.h"

#define FK_BODY "drivers/bodies/convolution.inc"
#include "internal/precision.inc"
