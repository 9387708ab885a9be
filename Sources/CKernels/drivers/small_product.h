/* C = alpha op(A) op(B) + beta C without packing, where B stays in the caches as it is: inner products of long rows, or
 * few terms in the sum. A BLAS packs, which pays for large products only. */
#ifndef FK_ROWS_OF_ONE_THREAD
#define FK_ROWS_OF_ONE_THREAD 32
#define FK_SECOND_CACHE ((ptrdiff_t)1 << 19)
#define FK_FEW_TERMS ((ptrdiff_t)160)
#endif

static int FK_LOCAL(is_small)(int transpose_a, int transpose_b, ptrdiff_t n, ptrdiff_t k) {
  if ((transpose_b ? n * k : n * fk_min(k, FK_DEPTH)) * (ptrdiff_t)sizeof(T) > 2 * FK_SECOND_CACHE) return 0;
  return transpose_b ? !transpose_a && k >= FK_LONG_ROW : k <= 4 * FK_DEPTH;
}

static void FK_LOCAL(small_product)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, int transpose_a, const T *B,
                                    ptrdiff_t ldb, int transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, T alpha,
                                    T beta, int by_rows, int team) {
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t row = transpose_a ? 1 : lda, column = transpose_a ? lda : 1;
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  {
    const ptrdiff_t size = by_rows ? m : n, unit = by_rows || transpose_b ? 4 : FK_LANES,
                    units = fk_ceil_div(size, unit);
    const ptrdiff_t first = fk_min(size, unit * fk_share(units, 0));
    const ptrdiff_t count = fk_min(size, unit * fk_share(units, 1)) - first;
    T *c = C + first * (by_rows ? ldc : 1);
    const T *a = A + (by_rows ? first * row : 0), *b = B + (by_rows ? 0 : first * (transpose_b ? ldb : 1));
    const ptrdiff_t rows = by_rows ? count : m, columns = by_rows ? n : count;
    if (transpose_b) ops->dots(c, ldc, a, lda, b, ldb, rows, columns, k, alpha, beta);
    else
      for (ptrdiff_t p = 0, depth; p == 0 || p < k; p += depth) {
        depth = fk_min(FK_DEPTH, fk_ceil_div(k - p, fk_max(1, fk_ceil_div(k - p, FK_DEPTH))));
        ops->direct(c, ldc, a + p * column, row, column, b + p * ldb, ldb, rows, columns, depth, alpha,
                    p == 0 ? beta : 1);
        if (k == 0) break;
      }
  }
}
