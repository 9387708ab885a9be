/* All leaf kernels of one CPU level, for float and double, and their tables. Included by the files in levels only. */
#define FK_PASTE4_(a, b, c, d) a##b##_##c##_##d
#define FK_PASTE4(a, b, c, d) FK_PASTE4_(a, b, c, d)
#define FK_LEAF(name) FK_PASTE4(fk_, P, name, FK_LEVEL)

#define FK_BODY "leaf/instance.h"
#include "internal/precision.h"
