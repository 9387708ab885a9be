/* Products whose inner size is in the tens of thousands, where BLAS in float would add thousands of partial sums to
 * each element one after the other: a tile at a time, BLAS sums a short stretch and the stretches are added in double.
 * No work space: the tile is on the stack. Tiles do not depend on the number of threads, so neither does the result. */
#ifndef FK_LONG_SUM
#define FK_LONG_SUM ((ptrdiff_t)8192)    /* BLAS alone up to this inner size */
#define FK_LONG_STRETCH ((ptrdiff_t)256) /* at its worst, many equal terms, BLAS rounds by half as many units */
#define FK_LONG_TILE 128
#endif

/* OpenBLAS sums small products in one go, however long they are. */
static int FK_LOCAL(is_long)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
  return k > FK_LONG_SUM || (k > 1024 && (double)m * (double)n * (double)k < 2e6);
}

/* C (m,n) = alpha op(A) op(B) + beta C for one tile; with `lower` it is the lower triangle of a square one, B = A. */
static void FK_LOCAL(long_tile)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, int transpose_a, const T *B,
                                ptrdiff_t ldb, int transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha,
                                double beta, int lower) {
  const CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans, tb = transpose_b ? CblasTrans : CblasNoTrans;
  double sum[FK_LONG_TILE * FK_LONG_TILE] = {0};
  T part[FK_LONG_TILE * FK_LONG_TILE];
  for (ptrdiff_t i = 0; i < m * n; i++) part[i] = 0; /* above the diagonal SYRK leaves it so */
  for (ptrdiff_t s = 0; s < k; s += FK_LONG_STRETCH) {
    const ptrdiff_t stretch = fk_min(k - s, FK_LONG_STRETCH);
    const T *a = A + s * (transpose_a ? lda : 1), *b = B + s * (transpose_b ? 1 : ldb);
    if (lower) SYRK(CblasRowMajor, CblasLower, ta, (int)m, (int)stretch, 1, a, (int)lda, 0, part, (int)m);
    else GEMM(CblasRowMajor, ta, tb, (int)m, (int)n, (int)stretch, 1, a, (int)lda, b, (int)ldb, 0, part, (int)n);
    for (ptrdiff_t i = 0; i < m * n; i++) sum[i] += (double)part[i];
  }
  for (ptrdiff_t i = 0; i < m; i++)
    for (ptrdiff_t j = 0; j < (lower ? i + 1 : n); j++) {
      T *c = C + i * ldc + j;
      *c = (T)(alpha * sum[i * n + j] + (beta == 0 ? 0 : beta * (double)*c));
    }
}

/* C (m,n) = alpha op(A) op(B) + beta C, or its lower triangle. */
static void FK_LOCAL(long_product)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, int transpose_a, const T *B,
                                   ptrdiff_t ldb, int transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha,
                                   double beta, int lower, int team) {
  const ptrdiff_t across = fk_ceil_div(n, FK_LONG_TILE), tiles = fk_ceil_div(m, FK_LONG_TILE) * across;
  ptrdiff_t next = 0;
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  for (ptrdiff_t t; (t = fk_take(&next)) < tiles;) {
    const ptrdiff_t i = t / across * FK_LONG_TILE, j = t % across * FK_LONG_TILE;
    if (lower && j > i) continue;
    FK_LOCAL(long_tile)
    (C + i * ldc + j, ldc, A + i * (transpose_a ? 1 : lda), lda, transpose_a, B + j * (transpose_b ? ldb : 1), ldb,
     transpose_b, fk_min(m - i, FK_LONG_TILE), fk_min(n - j, FK_LONG_TILE), k, alpha, beta, lower && i == j);
  }
}
