/* The table of leaf kernels of one CPU level. Leaves are single-threaded, trust their arguments, and are the only code
 * compiled for a CPU's instructions: an OpenMP region inside such a function would be outlined without them. */
#ifndef FK_OPS_H
#define FK_OPS_H

#include "ckernels.h"

/* A vector of the same element of fk_lanes neurons is made of `slices` level vectors. */
/* The formatter takes the T * of these parameters for a product. */
/* clang-format off */
#define FK_DECLARE_OPS(T, P)                                                                                           \
  typedef struct fk_##P##ops {                                                                                         \
    ptrdiff_t slices;                                                                                                  \
    void (*activation)(T *value, T *derivative, T *nu, const T *z, ptrdiff_t count, const fk_activation *activation);  \
    void (*activation_backward)(T *delta, const T *z, ptrdiff_t count, const fk_activation *activation);               \
    /* panel (n, ldpanel) = the packed products x_i x_j of elements first ..< last. */                                 \
    void (*gram_panel)(T *panel, ptrdiff_t ldpanel, const T *X, ptrdiff_t ldx, ptrdiff_t n, ptrdiff_t first,           \
                       ptrdiff_t last);                                                                                \
    /* G[element, lane] = beta G + panel^T nu for `groups` groups of lanes; nu is packed (groups, n, lanes). */        \
    void (*gram_accumulate)(T *G, ptrdiff_t group_stride, const T *panel, ptrdiff_t ldpanel, const T *nu,              \
                            ptrdiff_t nu_stride, ptrdiff_t n, ptrdiff_t elements, ptrdiff_t groups, T beta);           \
    /* One slice of one group: factor in place; bad[lane] = 0 or 1 + first bad pivot, value[lane] that pivot. */       \
    void (*cholesky)(T *G, ptrdiff_t d, T damping, ptrdiff_t *bad, double *value);                                     \
    /* One slice of one group: x (d, lanes) overwritten by L^-T L^-1 x. */                                             \
    void (*cholesky_solve)(T *x, const T *L, ptrdiff_t d);                                                             \
    /* One slice of one group: L overwritten by the packed (L L^T)^-1, or 0 where L_00's reciprocal is 0. */           \
    void (*cholesky_inverse)(T *L, ptrdiff_t d);                                                                       \
    /* One slice of one group: y = A x for a packed symmetric A and x, y (d, lanes). */                                \
    void (*symmetric_multiply)(T *y, const T *A, const T *x, ptrdiff_t d);                                             \
    /* One group: the packed G(s,t) = root_s root_t K(s,t). */                                                         \
    void (*kernel_block)(T *G, const T *root, const T *K, ptrdiff_t ldk, ptrdiff_t n);                                 \
    /* a = a b; a = b - a c; a = sqrt(scale a): element by element. */                                                 \
    void (*multiply)(T *a, const T *b, ptrdiff_t count);                                                               \
    void (*subtract_product)(T *a, const T *b, const T *c, ptrdiff_t count);                                           \
    void (*scaled_root)(T *a, ptrdiff_t count, T scale);                                                               \
    void (*softmax)(T *eta, T *nu, const T *z, ptrdiff_t m);                                                           \
    /* s = eta * z - eta (eta . z) */                                                                                  \
    void (*softmax_project)(T *s, const T *eta, ptrdiff_t m);                                                          \
    void (*gather_bytes)(T *x, const uint8_t *source, ptrdiff_t count, T scale);                                       \
    void (*gather_floats)(T *x, const float *source, ptrdiff_t count, T scale);                                        \
    void (*axpy)(T *y, const T *x, ptrdiff_t count, T a);                                                              \
    void (*momentum)(T *w, T *v, const T *g, ptrdiff_t count, T rate, T mu);                                           \
    void (*adam)(T *w, T *first, T *second, const T *g, ptrdiff_t count, T rate, T beta1, T beta2, T epsilon);         \
    int (*all_finite)(const T *a, ptrdiff_t count);                                                                    \
  } fk_##P##ops;                                                                                                       \
  const fk_##P##ops *fk_##P##ops_current(void);                                                                        \
  extern const fk_##P##ops fk_##P##ops_baseline;                                                                       \
  extern const fk_##P##ops fk_##P##ops_avx2;                                                                           \
  extern const fk_##P##ops fk_##P##ops_avx512;
/* clang-format on */

FK_DECLARE_OPS(float, s)
FK_DECLARE_OPS(double, d)

#endif
