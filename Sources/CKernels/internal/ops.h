/* The table of leaf kernels of one CPU level. Leaves are single-threaded, trust their arguments, and are the only code
 * compiled for a CPU's instructions: an OpenMP region inside such a function would be outlined without them. */
#ifndef FK_OPS_H
#define FK_OPS_H

#include "ckernels.h"

/* Dense products go in pieces of FK_DEPTH terms of the sum and FK_BLOCK columns, which is also the order of a diagonal
 * block of a factorisation. */
#define FK_DEPTH ((ptrdiff_t)(1024 / sizeof(T)))
#define FK_BLOCK ((ptrdiff_t)64)
/* Rows of A that a product need not copy are this far apart, so that they do not share cache sets. */
#define FK_TURNED_STRIDE (FK_DEPTH + (ptrdiff_t)(64 / sizeof(T)))
/* Inner products of rows at least so long need no packing. */
#define FK_LONG_ROW ((ptrdiff_t)128)

/* A vector of the same element of FK_LANES neurons is made of `slices` level vectors. */
/* The formatter takes the T * of these parameters for a product. */
/* clang-format off */
#define FK_DECLARE_OPS(T, P)                                                                                           \
  typedef struct fk_##P##ops {                                                                                         \
    ptrdiff_t slices;                                                                                                  \
    /* Elements of x that multiply_add keeps in registers, and x = factor x + term of them, `rounds` times. */         \
    ptrdiff_t chained;                                                                                                 \
    void (*multiply_add)(T *x, ptrdiff_t rounds, T factor, T term);                                                    \
    void (*activation)(T *value, T *derivative, T *nu, const T *z, ptrdiff_t count, const fk_activation *activation);  \
    void (*activation_backward)(T *delta, const T *z, ptrdiff_t count, const fk_activation *activation);               \
    /* panel (n, ldpanel) = the packed products x_i x_j of elements first ..< last. */                                 \
    void (*gram_panel)(T *panel, ptrdiff_t ldpanel, const T *X, ptrdiff_t ldx, ptrdiff_t n, ptrdiff_t first,           \
                       ptrdiff_t last);                                                                                \
    /* G[element, lane] = beta G + panel^T nu for `groups` groups of lanes; nu is packed (groups, n, lanes). `lost`    \
     * (may be NULL) holds what the additions to each element have lost by rounding, at first 0; loss = 1 - beta. */   \
    void (*gram_accumulate)(T *G, ptrdiff_t group_stride, T *lost, ptrdiff_t lost_stride, const T *panel,              \
                            ptrdiff_t ldpanel, const T *nu, ptrdiff_t nu_stride, ptrdiff_t n, ptrdiff_t elements,      \
                            ptrdiff_t groups, T beta, T loss);                                                         \
    /* One slice of one group: factor in place; bad[lane] = 0 or 1 + first bad pivot, value[lane] that pivot. */       \
    void (*cholesky)(T *G, ptrdiff_t d, T scale, T damping, ptrdiff_t *bad, double *value);                            \
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
    /* B of a product, in strips of the level's width (2 FK_LANES / slices columns) filled with zeros, k <= FK_DEPTH:  \
     * A (k, columns), row p times scale[p] unless NULL; or the transpose of A (columns, k). Column c of a strip's     \
     * first begins at packed + c k. */                                                                                \
    void (*pack)(T *packed, const T *A, ptrdiff_t lda, const T *scale, ptrdiff_t k, ptrdiff_t columns);                \
    void (*pack_transposed)(T *packed, const T *A, ptrdiff_t lda, ptrdiff_t k, ptrdiff_t columns);                     \
    /* C (rows, columns) = beta C + alpha A B, B packed, k <= FK_DEPTH. */                                             \
    void (*product)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t rows, ptrdiff_t columns,     \
                    ptrdiff_t k, T alpha, T beta);                                                                     \
    /* The same, but what is above the diagonal need not be right. */                                                  \
    void (*product_lower)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t rows,                  \
                          ptrdiff_t columns, ptrdiff_t k, T alpha, T beta);                                            \
    /* The same two for rows of A that are FK_TURNED_STRIDE apart, of which one more may be read where their number    \
     * is odd. */                                                                                                      \
    void (*product_turned)(T *C, ptrdiff_t ldc, const T *A, const T *B, ptrdiff_t rows, ptrdiff_t columns,             \
                           ptrdiff_t k, T alpha, T beta);                                                              \
    void (*product_lower_turned)(T *C, ptrdiff_t ldc, const T *A, const T *B, ptrdiff_t rows, ptrdiff_t columns,       \
                                 ptrdiff_t k, T alpha, T beta);                                                        \
    /* C = beta C + alpha A B for A (m,k), A(i,p) = A[i * row + p * column], and B (k,n), k <= FK_DEPTH. */            \
    void (*direct)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t row, ptrdiff_t column, const T *B, ptrdiff_t ldb,        \
                   ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, T alpha, T beta);                                            \
    /* C = beta C + alpha A B^T for A (m,k) and B (n,k), k at least a vector. */                                       \
    void (*dots)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t ldb, ptrdiff_t m, ptrdiff_t n,  \
                 ptrdiff_t k, T alpha, T beta);                                                                        \
    /* out = A^T; and what is below the diagonal of A copied to above it. */                                           \
    void (*transposed)(T *out, ptrdiff_t ldout, const T *A, ptrdiff_t lda, ptrdiff_t rows, ptrdiff_t columns);         \
    void (*mirror)(T *A, ptrdiff_t lda, ptrdiff_t rows, ptrdiff_t columns);                                            \
    /* X = L^-1 of A + shift I = L L^T, of order r; see fk_inverse_factor. */                                          \
    void (*inverse_factor)(T *X, ptrdiff_t ldx, const T *A, ptrdiff_t lda, ptrdiff_t r, double shift);                 \
    /* The pieces of a dense Cholesky factorisation and of solves with it: see leaf/factor.inc. */                     \
    ptrdiff_t (*factor_block)(T *A, ptrdiff_t lda, const T *B, const T *diagonal, ptrdiff_t width, double *value);     \
    void (*solve_rows)(T *D, ptrdiff_t ldd, const T *L, ptrdiff_t ldl, ptrdiff_t rows, ptrdiff_t width, int backward); \
    void (*sweep_forward)(T *x, const T *L, ptrdiff_t ldl, ptrdiff_t d);                                               \
    void (*sweep_backward)(T *x, const T *L, ptrdiff_t ldl, ptrdiff_t d);                                              \
    void (*softmax)(T *eta, T *nu, const T *z, ptrdiff_t m);                                                           \
    /* s = eta * z - eta (eta . z) */                                                                                  \
    void (*softmax_project)(T *s, const T *eta, ptrdiff_t m);                                                          \
    void (*gather_bytes)(T *x, const uint8_t *source, ptrdiff_t count, T scale);                                       \
    void (*gather_floats)(T *x, const float *source, ptrdiff_t count, T scale);                                        \
    void (*axpy)(T *y, const T *x, ptrdiff_t count, T a);                                                              \
    void (*descend)(T *w, const T *g, ptrdiff_t count, T rate, T l2);                                                  \
    void (*momentum)(T *w, T *v, const T *g, ptrdiff_t count, T rate, T mu);                                           \
    void (*blend)(T *m, T *g, ptrdiff_t count, T p, T q, T a, T b);                                                    \
    void (*schedule_free)(T *w, T *z, T *x, ptrdiff_t count, T beta, T share);                                         \
    void (*scale)(T *w, ptrdiff_t count, T factor);                                                                    \
    void (*adam)(T *w, T *first, T *second, const T *g, ptrdiff_t count, T rate, T beta1, T beta2, T epsilon);         \
    double (*dot)(const T *a, const T *b, ptrdiff_t count);                                                            \
    double (*take_gradient)(T *c, T *g, const T *w, ptrdiff_t count, T l2);                                            \
    double (*take_average)(T *c, T *g, const T *w, T *m, ptrdiff_t count, T l2, T p, T q, T a, T b);                   \
    int (*all_finite)(const T *a, ptrdiff_t count);                                                                    \
    /* `width` channels, FK_LANES at most; W and G are (width, 2). */                                                  \
    void (*batch_norm_forward)(T *Y, ptrdiff_t ldy, T *xhat, ptrdiff_t ldxhat, T *mean, T *variance, T *istd,          \
                               const T *X, ptrdiff_t ldx, const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t width,     \
                               T epsilon);                                                                             \
    void (*batch_norm_backward)(T *dX, ptrdiff_t lddx, T *G, ptrdiff_t ldg, const T *dY, ptrdiff_t lddy,               \
                                const T *xhat, ptrdiff_t ldxhat, const T *istd, const T *W, ptrdiff_t ldw,             \
                                ptrdiff_t n, ptrdiff_t width);                                                         \
    void (*batch_norm_evaluate)(T *Y, ptrdiff_t ldy, const T *X, ptrdiff_t ldx, const T *mean, const T *variance,      \
                                const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t width, T epsilon);                   \
    /* Row r of Q = the patch of a group, 1 last, at output rows[r]. */                                                 \
    void (*patches)(T *Q, ptrdiff_t ldq, const T *X, ptrdiff_t ldx, ptrdiff_t image_stride, const ptrdiff_t *rows,     \
                    ptrdiff_t count, ptrdiff_t group, const fk_convolution *convolution,              \
                    ptrdiff_t out_height, ptrdiff_t out_width);                                                        \
    /* A line of a convolution's outputs from a padded image, and lines' part of its weights' gradient: see            \
     * leaf/convolution.inc. */                                                                                        \
    void (*window_line)(T *Z, ptrdiff_t ldz, const T *A, ptrdiff_t step, const ptrdiff_t *offsets, ptrdiff_t segments, \
                        ptrdiff_t reach, const T *B, ptrdiff_t apart, const T *bias, ptrdiff_t rows,                   \
                        ptrdiff_t columns);                                                                            \
    void (*window_gradient)(T *S, ptrdiff_t lds, const T *A, ptrdiff_t step, ptrdiff_t line, const ptrdiff_t *offsets, \
                            ptrdiff_t segments, ptrdiff_t reach, const T *D, ptrdiff_t lines, ptrdiff_t positions,     \
                            ptrdiff_t columns);                                                                        \
    /* A line of a depthwise convolution's outputs, W being (window + 1, channels); and its part of the gradients. */  \
    void (*depthwise_line)(T *Z, ptrdiff_t ldz, const T *X, ptrdiff_t ldx, const T *W, ptrdiff_t ldw, ptrdiff_t y,     \
                           const fk_convolution *convolution, ptrdiff_t out_width);                                    \
    void (*depthwise_gradients)(T *G, ptrdiff_t ldg, T *dX, ptrdiff_t lddx, const T *delta, ptrdiff_t lddelta,         \
                                const T *X, ptrdiff_t ldx, const T *W, ptrdiff_t ldw, ptrdiff_t y,                     \
                                const fk_convolution *convolution, ptrdiff_t out_width);                               \
    /* A line of pooled outputs, and back. */                                                                          \
    void (*max_pool_line)(T *Y, ptrdiff_t ldy, int32_t *where, const T *X, ptrdiff_t ldx, ptrdiff_t channels,          \
                          ptrdiff_t y, const fk_window *window, ptrdiff_t out_width);                                  \
    void (*max_pool_back_line)(T *dX, ptrdiff_t lddx, const T *dY, ptrdiff_t lddy, const int32_t *where,               \
                               ptrdiff_t channels, ptrdiff_t y, const fk_window *window, ptrdiff_t out_width, int is_sum);         \
    void (*average_pool_line)(T *Y, ptrdiff_t ldy, const T *X, ptrdiff_t ldx, ptrdiff_t channels, ptrdiff_t y,         \
                              const fk_window *window, ptrdiff_t out_width, T share);                                  \
    void (*average_pool_back_line)(T *dX, ptrdiff_t lddx, const T *dY, ptrdiff_t lddy, ptrdiff_t channels,             \
                                   ptrdiff_t y, const fk_window *window, ptrdiff_t out_width, T share);                \
    /* One group of one sample's channels; and the sums for scales of FK_LANES channels at most. */                    \
    void (*group_norm_forward)(T *Y, ptrdiff_t ldy, T *xhat, ptrdiff_t ldxhat, T *istd, const T *X, ptrdiff_t ldx,     \
                               const T *W, ptrdiff_t ldw, ptrdiff_t positions, ptrdiff_t width, int centred,           \
                               double epsilon);                                                                        \
    void (*group_norm_backward)(T *dX, ptrdiff_t lddx, const T *dY, ptrdiff_t lddy, const T *xhat, ptrdiff_t ldxhat,   \
                                T istd, const T *W, ptrdiff_t ldw, ptrdiff_t positions, ptrdiff_t width, int centred); \
    void (*scale_gradient)(T *G, ptrdiff_t ldg, ptrdiff_t columns, const T *dY, ptrdiff_t lddy, const T *xhat,         \
                           ptrdiff_t ldxhat, ptrdiff_t rows, ptrdiff_t width);                                         \
  } fk_##P##ops;                                                                                                       \
  /* What products of matrices whose rows are the terms of sums need; k of a product is at most FK_DEPTH. */           \
  typedef struct fk_##P##product_ops {                                                                                 \
    void (*pack_transposed)(T *packed, const T *A, ptrdiff_t lda, ptrdiff_t k, ptrdiff_t columns);                     \
    void (*product)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t rows, ptrdiff_t columns,     \
                    ptrdiff_t k, T alpha, T beta);                                                                     \
    void (*product_lower)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t rows,                  \
                          ptrdiff_t columns, ptrdiff_t k, T alpha, T beta);                                            \
  } fk_##P##product_ops;                                                                                               \
  const fk_##P##ops *fk_##P##ops_current(void);                                                                        \
  extern const fk_##P##ops fk_##P##ops_baseline;                                                                       \
  extern const fk_##P##ops fk_##P##ops_avx2;                                                                           \
  extern const fk_##P##ops fk_##P##ops_avx512;
/* clang-format on */

FK_DECLARE_OPS(float, s)
FK_DECLARE_OPS(double, d)

/* Products of bfloat16, two terms in the place of one float: see leaf/pairs.inc. */
typedef struct fk_pair_ops {
  fk_sproduct_ops products;
  void (*round_row)(uint16_t *out, const float *x, ptrdiff_t count);
  void (*pack_pairs)(float *packed, const uint16_t *A, ptrdiff_t lda, ptrdiff_t rows, ptrdiff_t columns);
} fk_pair_ops;
/* NULL where the level in force has none. */
const fk_pair_ops *fk_pair_ops_current(void);
extern const fk_pair_ops fk_pair_ops_avx512;

#endif
