/* Dense products and eigenvalues: where they are large, OpenBLAS and LAPACKE on one thread each, shared out to OpenMP
 * threads. */
#include <math.h>

#define GEMM FK_PASTE(P, gemm, _)
#define SYRK FK_PASTE(P, syrk, _)
#define SYEV FK_PASTE(P, syev, _)
/* LAPACK reduces to tridiagonal form in panels of this width when the work space allows it. */
#define FK_EIGEN_PANEL 64

/* The boundary of part t of `parts`, on a multiple of 8 so that BLAS's own tiles stay whole. */
static ptrdiff_t FK_LOCAL(boundary)(ptrdiff_t size, ptrdiff_t t, ptrdiff_t parts) {
  return t == parts ? size : fk_min(size, fk_ceil_div(size * t / parts, 8) * 8);
}

static int FK_LOCAL(fits_blas)(ptrdiff_t a, ptrdiff_t b, ptrdiff_t c) {
  return a <= INT_MAX && b <= INT_MAX && c <= INT_MAX;
}

#include "drivers/long_sum.h"
#include "drivers/small_product.h"

fk_status FK_FN(gemm)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, int transpose_a, const T *B, ptrdiff_t ldb,
                      int transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha, double beta, int threads) {
  FK_TRY(fk_check_matrix(C, m, n, ldc, sizeof(T)));
  FK_TRY(fk_check_matrix(A, transpose_a ? k : m, transpose_a ? m : k, lda, sizeof(T)));
  FK_TRY(fk_check_matrix(B, transpose_b ? n : k, transpose_b ? k : n, ldb, sizeof(T)));
  if (!FK_LOCAL(fits_blas)(m, n, k) || !FK_LOCAL(fits_blas)(lda, ldb, ldc)) return FK_SIZE_OVERFLOW;
  if (m == 0 || n == 0) return FK_OK;
  const int team = fk_threads_for(threads, 2.0 * (double)m * (double)n * (double)k);
  if (FK_LOCAL(is_long)(m, n, k)) {
    fk_blas_enter();
    FK_LOCAL(long_product)(C, ldc, A, lda, transpose_a, B, ldb, transpose_b, m, n, k, alpha, beta, 0, team);
    fk_blas_leave();
    return FK_OK;
  }
  if (FK_LOCAL(is_small)(transpose_a, transpose_b, n, k)) {
    FK_LOCAL(small_product)(C, ldc, A, lda, transpose_a, B, ldb, transpose_b, m, n, k, (T)alpha, (T)beta, team);
    return FK_OK;
  }
  const int by_rows = m >= n;
  const CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans, tb = transpose_b ? CblasTrans : CblasNoTrans;
  fk_blas_enter();
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (t, team) {
    const ptrdiff_t first = FK_LOCAL(boundary)(by_rows ? m : n, t, team);
    const ptrdiff_t count = FK_LOCAL(boundary)(by_rows ? m : n, t + 1, team) - first;
    if (count == 0) continue;
    const T *a = by_rows ? A + first * (transpose_a ? 1 : lda) : A;
    const T *b = by_rows ? B : B + first * (transpose_b ? ldb : 1);
    T *c = C + first * (by_rows ? ldc : 1);
    GEMM(CblasRowMajor, ta, tb, (int)(by_rows ? count : m), (int)(by_rows ? n : count), (int)k, (T)alpha, a,
         (int)fk_max(lda, 1), b, (int)fk_max(ldb, 1), (T)beta, c, (int)ldc);
  }
  fk_blas_leave();
  return FK_OK;
}

fk_status FK_FN(gram)(T *G, ptrdiff_t ldg, const T *X, ptrdiff_t ldx, ptrdiff_t n, ptrdiff_t d, double alpha,
                      double beta, int threads) {
  FK_TRY(fk_check_matrix(G, d, d, ldg, sizeof(T)));
  FK_TRY(fk_check_matrix(X, n, d, ldx, sizeof(T)));
  if (!FK_LOCAL(fits_blas)(n, d, fk_max(ldg, ldx))) return FK_SIZE_OVERFLOW;
  if (d == 0) return FK_OK;
  const int team = fk_threads_for(threads, (double)n * (double)d * (double)d);
  fk_blas_enter();
  if (FK_LOCAL(is_long)(d, d, n)) {
    FK_LOCAL(long_product)(G, ldg, X, ldx, 1, X, ldx, 0, d, d, n, alpha, beta, 1, team);
    fk_blas_leave();
    return FK_OK;
  }
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (t, team) { /* rows first ..< last of the triangle, cut so that the areas are equal */
    const ptrdiff_t first = t == 0 ? 0 : fk_min(d, (ptrdiff_t)((double)d * sqrt((double)t / team)));
    const ptrdiff_t last = t + 1 == team ? d : fk_min(d, (ptrdiff_t)((double)d * sqrt((double)(t + 1) / team)));
    if (first == last) continue;
    const int rows = (int)(last - first);
    if (first > 0)
      GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, rows, (int)first, (int)n, (T)alpha, X + first, (int)ldx, X,
           (int)ldx, (T)beta, G + first * ldg, (int)ldg);
    SYRK(CblasRowMajor, CblasLower, CblasTrans, rows, (int)n, (T)alpha, X + first, (int)ldx, (T)beta,
         G + first * ldg + first, (int)ldg);
  }
  fk_blas_leave();
  return FK_OK;
}

ptrdiff_t FK_FN(eigenvalues_work_size)(ptrdiff_t d) {
  ptrdiff_t elements;
  if (d < 0 || d > INT_MAX || !fk_multiply(&elements, d, (FK_EIGEN_PANEL + 2) * (ptrdiff_t)sizeof(T))) return -1;
  return elements + FK_CACHE_LINE;
}

fk_status FK_FN(eigenvalues)(T *values, T *A, ptrdiff_t lda, ptrdiff_t d, void *work, ptrdiff_t work_size) {
  FK_TRY(fk_check_matrix(A, d, d, lda, sizeof(T)));
  if (!FK_LOCAL(fits_blas)(d, lda, (FK_EIGEN_PANEL + 2) * d)) return FK_SIZE_OVERFLOW;
  if (d == 0) return FK_OK;
  if (values == NULL || work == NULL || work_size < FK_FN(eigenvalues_work_size)(d)) return FK_INVALID_ARGUMENT;
  for (ptrdiff_t i = 0; i < d; i++) /* LAPACK does not come back from a NaN */
    for (ptrdiff_t j = 0; j <= i; j++)
      if (!isfinite(A[i * lda + j])) return FK_INVALID_ARGUMENT;
  fk_blas_enter();
  lapack_int info = SYEV(LAPACK_COL_MAJOR, 'N', 'U', (lapack_int)d, A, (lapack_int)lda, values, (T *)fk_align(work),
                         (lapack_int)((FK_EIGEN_PANEL + 2) * d));
  fk_blas_leave();
  if (info < 0) return FK_INVALID_ARGUMENT;
  return info > 0 ? FK_NO_CONVERGENCE : FK_OK;
}
#undef SYEV
#undef FK_EIGEN_PANEL
#undef GEMM
#undef SYRK
