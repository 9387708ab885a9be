/* Instantiates the file named by FK_BODY for float and for double: T is the element, P its letter, INT an integer of
 * its size, OPS its table of leaf kernels. FK_FN(gemm) is the public fk_sgemm or fk_dgemm, FK_LOCAL(name) a file-local
 * name. */
#define FK_PASTE2(a, b, c) a##b##c
#define FK_PASTE(a, b, c) FK_PASTE2(a, b, c)
#define FK_FN(name) FK_PASTE(fk_, P, name)
#define FK_LOCAL(name) FK_PASTE(P, _, name)
#define OPS FK_PASTE(fk_, P, ops)
#define FK_LANES ((ptrdiff_t)(64 / sizeof(T)))

#define T float
#define P s
#define INT int32_t
#include FK_BODY
#undef T
#undef P
#undef INT

#define T double
#define P d
#define INT int64_t
#include FK_BODY
#undef T
#undef P
#undef INT

#undef FK_LANES
#undef OPS
#undef FK_LOCAL
#undef FK_FN
#undef FK_PASTE
#undef FK_PASTE2
#undef FK_BODY
