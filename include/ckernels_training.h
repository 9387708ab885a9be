/* ckernels_training.h: the part of ckernels.h that a training loop needs beside the Fisher matrices: mini-batches,
 * updates of weights, batch normalisation, and dense linear algebra. Notation and contracts are those of
 * ckernels_base.h. */
#ifndef FISHERKIT_CKERNELS_TRAINING_H
#define FISHERKIT_CKERNELS_TRAINING_H

#include "ckernels_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Training: batches and updates ------------------------------------------------------------------------------- */

#define FK_DECLARE_TRAINING(T, p)                                                                                      \
  /* Row r of X = scale * source row rows[r] (of `width` bytes or T), and 1 in column `width`. */                      \
  fk_status fk_##p##gather_bytes(T *X, ptrdiff_t ldx, const uint8_t *source, const int32_t *rows, ptrdiff_t n,         \
                                 ptrdiff_t width, double scale, int threads);                                          \
  fk_status fk_##p##gather_floats(T *X, ptrdiff_t ldx, const float *source, const int32_t *rows, ptrdiff_t n,          \
                                  ptrdiff_t width, double scale, int threads);                                         \
  /* Coupled L2 on weights only: G += l2 W, the last column (the biases) left out. G, W are (m,d). */                  \
  fk_status fk_##p##add_weight_decay(T *G, ptrdiff_t ldg, const T *W, ptrdiff_t ldw, ptrdiff_t m, ptrdiff_t d,         \
                                     double l2);                                                                       \
  /* W -= rate (G + l2 W), the last column (the biases) without l2. W, G are (m,d). */                                 \
  fk_status fk_##p##update_sgd(T *W, ptrdiff_t ldw, const T *G, ptrdiff_t ldg, ptrdiff_t m, ptrdiff_t d, double rate,  \
                               double l2);                                                                             \
  /* v = momentum v + g; w -= rate * v */                                                                              \
  fk_status fk_##p##update_momentum(T *w, T *v, const T *g, ptrdiff_t count, double rate, double momentum);            \
  /* A running mean m of gradients and what is made of both: m = keep m + take g; then g = mean m + rest g, with the   \
   * new m and the old g. m and g are apart from each other. */                                                        \
  fk_status fk_##p##update_blend(T *m, T *g, ptrdiff_t count, double keep, double take, double mean, double rest);     \
  /* After a step of w from y = z + beta (x - z), Schedule-Free's three (Defazio et al. 2024, eqs 2 to 4), apart from  \
   * each other: z = w + beta (z - x), which is z + (w - y); x = x + share (z - x); w = z + beta (x - z). */           \
  fk_status fk_##p##update_schedule_free(T *w, T *z, T *x, ptrdiff_t count, double beta, double share);                \
  /* W *= factor, the last column (the biases) left out. W is (m,d). */                                                \
  fk_status fk_##p##scale_weights(T *W, ptrdiff_t ldw, ptrdiff_t m, ptrdiff_t d, double factor);                       \
  /* Kingma & Ba, with the bias corrections of step t = 1, 2, ... already in `rate` and `epsilon`: first and second    \
   * are the running moments, w -= rate * first / (sqrt(second) + epsilon). */                                         \
  fk_status fk_##p##update_adam(T *w, T *first, T *second, const T *g, ptrdiff_t count, double rate, double beta1,     \
                                double beta2, double epsilon);                                                         \
  /* dots[i] = the inner product of rows i of A and B (m,d), summed in T over 256 elements at a time and in double     \
   * beyond. It is a number only where all of both rows are, so that it finds what all_finite does. */                 \
  fk_status fk_##p##row_dots(double *dots, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t ldb, ptrdiff_t m,          \
                             ptrdiff_t d);                                                                             \
  /* What an optimizer takes of a gradient G of weights W, both (m,d), in one pass: squares[i] = the inner product of  \
   * row i of G with itself, summed as by row_dots; then coupled L2 as by add_weight_decay, G += l2 W but for the last \
   * column; and C = G. C, G and W are apart from each other. */                                                       \
  fk_status fk_##p##take_gradient(double *squares, T *C, ptrdiff_t ldc, T *G, ptrdiff_t ldg, const T *W,               \
                                  ptrdiff_t ldw, ptrdiff_t m, ptrdiff_t d, double l2);                                 \
  /* The same, with a running mean M (m,d) in between: squares as above; g = G + l2 W but for the last column; M =     \
   * keep M + take g; and C = G = mean M + rest g. All four are apart from each other. */                              \
  fk_status fk_##p##take_average(double *squares, T *C, ptrdiff_t ldc, T *G, ptrdiff_t ldg, const T *W, ptrdiff_t ldw, \
                                 T *M, ptrdiff_t ldm, ptrdiff_t m, ptrdiff_t d, double l2, double keep, double take,   \
                                 double mean, double rest);                                                            \
  /* *result = 1 when all entries of the (n,m) matrix are finite, else 0. */                                           \
  fk_status fk_##p##all_finite(int *result, const T *a, ptrdiff_t lda, ptrdiff_t n, ptrdiff_t m);
FK_DECLARE_TRAINING(float, s)
FK_DECLARE_TRAINING(double, d)

/* ---- Training: batch normalisation --------------------------------------------------------------------------------
 */

#define FK_DECLARE_BATCH_NORM(T, p)                                                                                    \
  /* Batch normalisation of X (n,m), channel by channel over its rows, n >= 1: the mean, the variance (over n), istd = \
   * 1 / sqrt(variance + epsilon), xhat = (X - mean) istd, and Y = gamma xhat + beta, where row i of W (m,2) is        \
   * (gamma_i, beta_i). Y, xhat are (n,m); mean, variance, istd have m elements. Sums are of 128 rows at a time, of    \
   * differences from the first row. epsilon is from 0 to 1e30. A channel comes out NaN where its variance overflows,  \
   * and where it is constant and epsilon, as a T, is 0. Cost 11 n m flops. */                                         \
  fk_status fk_##p##batch_norm_forward(T *Y, ptrdiff_t ldy, T *xhat, ptrdiff_t ldxhat, T *mean, T *variance, T *istd,  \
                                       const T *X, ptrdiff_t ldx, const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t m, \
                                       double epsilon, int threads);                                                   \
  /* From dY (n,m) = dL/dY, n >= 1: G (m,2) = (sum dY xhat, sum dY), and dX = gamma istd (dY - mean dY - xhat          \
   * mean(dY xhat)), where dX may be dY. Cost 9 n m flops. */                                                          \
  fk_status fk_##p##batch_norm_backward(T *dX, ptrdiff_t lddx, T *G, ptrdiff_t ldg, const T *dY, ptrdiff_t lddy,       \
                                        const T *xhat, ptrdiff_t ldxhat, const T *istd, const T *W, ptrdiff_t ldw,     \
                                        ptrdiff_t n, ptrdiff_t m, int threads);                                        \
  /* Y = gamma (X - mean) / sqrt(variance + epsilon) + beta by a mean and a variance of m elements that are given:     \
   * each row by itself. NaN where variance + epsilon is not finite. Cost 3 n m flops. */                              \
  fk_status fk_##p##batch_norm_evaluate(T *Y, ptrdiff_t ldy, const T *X, ptrdiff_t ldx, const T *mean,                 \
                                        const T *variance, const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t m,        \
                                        double epsilon, int threads);
FK_DECLARE_BATCH_NORM(float, s)
FK_DECLARE_BATCH_NORM(double, d)

/* ---- Dense linear algebra; eigenvalues by LAPACKE, gram and large gemm by OpenBLAS or ourselves ------------------ */

#define FK_DECLARE_BLAS(T, p)                                                                                          \
  /* C (m,n) = alpha op(A) op(B) + beta C, where op transposes when its flag is not 0; k is the inner size. In this    \
   * product and the next, sums of more than 8192 terms are added up in double, 256 terms at a time. */                \
  fk_status fk_##p##gemm(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, int transpose_a, const T *B, ptrdiff_t ldb,   \
                         int transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha, double beta,            \
                         int threads);                                                                                 \
  /* The lower triangle of G (d,d) = alpha X^T X + beta G. */                                                          \
  fk_status fk_##p##gram(T *G, ptrdiff_t ldg, const T *X, ptrdiff_t ldx, ptrdiff_t n, ptrdiff_t d, double alpha,       \
                         double beta, int threads);                                                                    \
  /* The lower triangle of A (d,d) overwritten by the L of A + damping I = L L^T; what is above the diagonal is        \
   * neither read nor written. Pivots are judged as in the batch, and a failed factorisation leaves A unfinished. Cost \
   * d^3 / 3 flops. */                                                                                                 \
  fk_status fk_##p##cholesky(T *A, ptrdiff_t lda, fk_failure *failure, ptrdiff_t d, double damping, int threads);      \
  /* Each row v of D (m,d) overwritten by (L L^T)^-1 v. Cost 2 m d^2 flops; up to m = 4, m times what it takes to read \
   * L twice. */                                                                                                       \
  fk_status fk_##p##cholesky_solve(T *D, ptrdiff_t ldd, const T *L, ptrdiff_t ldl, ptrdiff_t d, ptrdiff_t m,           \
                                   int threads);                                                                       \
  /* X (r,r) = L^-1, lower triangular with zeros above, where L L^T = A + shift I for the symmetric A (r,r), whose     \
   * upper triangle is read; apart from A. A pivot below the shift, or a NaN, is lifted to it: dependent rows, of      \
   * which A is the inner products, come out short instead of failing. 0 < shift <= 1e30. By one thread, in double,    \
   * stored as T; cost 2/3 r^3 flops. */                                                                               \
  fk_status fk_##p##inverse_factor(T *X, ptrdiff_t ldx, const T *A, ptrdiff_t lda, ptrdiff_t r, double shift);         \
  /* values = the d eigenvalues of the symmetric A (d,d), ascending. The lower triangle is read and destroyed;         \
   * FK_INVALID_ARGUMENT when an element of it is not finite. Cost 4/3 d^3 flops. */                                   \
  ptrdiff_t fk_##p##eigenvalues_work_size(ptrdiff_t d);                                                                \
  fk_status fk_##p##eigenvalues(T *values, T *A, ptrdiff_t lda, ptrdiff_t d, void *work, ptrdiff_t work_size);         \
  /* The same with eigenvectors: row k of A is that of values[k], of length 1. Cost about 9 d^3 flops. */              \
  ptrdiff_t fk_##p##eigenvectors_work_size(ptrdiff_t d);                                                               \
  fk_status fk_##p##eigenvectors(T *values, T *A, ptrdiff_t lda, ptrdiff_t d, void *work, ptrdiff_t work_size);
FK_DECLARE_BLAS(float, s)
FK_DECLARE_BLAS(double, d)

/* ---- Orthogonal factors ------------------------------------------------------------------------------------------ */

/* Whether the level in force multiplies numbers of bfloat16 two at a time (AVX512_BF16). */
int fk_bfloat16_supported(void);

#define FK_DECLARE_NEWTON_SCHULZ(T, p)                                                                                 \
  /* Each of `count` finite matrices G_i (m_i,d_i) = U S V^T overwritten by about U V^T (a zero matrix stays): Newton  \
   * and Schulz's iteration X = a X + b X X^T X + c (X X^T)^2 X from X = G / (|G| + 1e-7), where row k of              \
   * `coefficients` (iterations,3) is (a, b, c). With s <= l the sides of G, in T by X X^T alone and at a cost of      \
   * 3 s^2 l flops and s^3 more for each of 4 iterations - 3 symmetric products, all of which are halves;              \
   * or with is_bfloat16 by X, 3 s^2 l + s^3 an iteration, factors of products rounded to bfloat16 and sums in float:  \
   * FK_UNSUPPORTED where fk_bfloat16_supported is 0, and for double. Matrices of fewer than 2e8 flops are a thread's  \
   * each, the others all threads'; the results are the same for any number of them. */                                \
  ptrdiff_t fk_##p##newton_schulz_work_size(const ptrdiff_t *m, const ptrdiff_t *d, ptrdiff_t count,                   \
                                            ptrdiff_t iterations, int is_bfloat16, int threads);                       \
  fk_status fk_##p##newton_schulz(T *const *G, const ptrdiff_t *ldg, const ptrdiff_t *m, const ptrdiff_t *d,           \
                                  ptrdiff_t count, const double *coefficients, ptrdiff_t iterations, int is_bfloat16,  \
                                  void *work, ptrdiff_t work_size, int threads);
FK_DECLARE_NEWTON_SCHULZ(float, s)
FK_DECLARE_NEWTON_SCHULZ(double, d)

/* ---- The rate of arithmetic alone -------------------------------------------------------------------------------- */

#define FK_DECLARE_MULTIPLY_ADD(T, p)                                                                                  \
  /* How many elements a thread keeps in registers at the level in force; and for each of `threads` threads (0: all)   \
   * that many of x, one thread after the other: x = factor x + term, `rounds` times, without touching memory in       \
   * between. Cost 2 threads width rounds flops: no kernel of the level is faster. */                                  \
  ptrdiff_t fk_##p##multiply_add_width(void);                                                                          \
  fk_status fk_##p##multiply_add(T *x, ptrdiff_t count, ptrdiff_t rounds, double factor, double term, int threads);
FK_DECLARE_MULTIPLY_ADD(float, s)
FK_DECLARE_MULTIPLY_ADD(double, d)

#ifdef __cplusplus
}
#endif
#endif
