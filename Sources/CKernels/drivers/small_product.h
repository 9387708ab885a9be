/* C = alpha op(A) op(B) + beta C without packing, where B stays in the caches as it is: inner products of long rows, or
 * few terms in a sum. A BLAS packs, which pays for large products only. */
#ifndef FK_FEW_ROWS
#define FK_FEW_ROWS 16                       /* fewer of C for each thread are not worth reading all of B */
#define FK_SECOND_CACHE ((ptrdiff_t)1 << 20) /* bytes */
#define FK_TURNED ((ptrdiff_t)1 << 16)       /* bytes of a B^T that is turned on the stack */
#endif

/* Inner products; else sums over rows of B, which may have to be turned. */
static int FK_LOCAL(has_long_rows)(int transpose_b, ptrdiff_t k) { return transpose_b && k >= FK_LONG_ROW; }

static int FK_LOCAL(is_small)(int transpose_a, int transpose_b, ptrdiff_t n, ptrdiff_t k) {
  const ptrdiff_t size = (ptrdiff_t)sizeof(T);
  if (FK_LOCAL(has_long_rows)(transpose_b, k)) return !transpose_a && n * k * size <= FK_SECOND_CACHE;
  if (transpose_b) return fk_ceil_div(n, FK_LANES) * FK_LANES * k * size <= FK_TURNED;
  return k <= 4 * FK_DEPTH && n * fk_min(k, FK_DEPTH) * size <= FK_SECOND_CACHE;
}

/* Sums over k rows of B, some at a time. A(i,p) is A[i * row + p * column]. */
static void FK_LOCAL(direct)(const OPS *ops, T *C, ptrdiff_t ldc, const T *A, ptrdiff_t row, ptrdiff_t column,
                             const T *B, ptrdiff_t ldb, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, T alpha, T beta) {
  const ptrdiff_t pieces = fk_max(1, fk_ceil_div(k, FK_DEPTH)), depth = fk_ceil_div(k, pieces);
  for (ptrdiff_t piece = 0; piece < pieces; piece++) {
    const ptrdiff_t p = piece * depth;
    ops->direct(C, ldc, A + p * column, row, column, B + p * ldb, ldb, m, n, fk_min(depth, k - p), alpha,
                piece == 0 ? beta : 1);
  }
}

/* The same for B^T, few terms and few columns. */
static void FK_LOCAL(turned)(const OPS *ops, T *C, ptrdiff_t ldc, const T *A, ptrdiff_t row, ptrdiff_t column,
                             const T *B, ptrdiff_t ldb, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, T alpha, T beta) {
  T rows[FK_TURNED / (ptrdiff_t)sizeof(T)] __attribute__((aligned(64)));
  const ptrdiff_t ld = fk_ceil_div(n, FK_LANES) * FK_LANES;
  ops->transposed(rows, ld, B, ldb, n, k);
  ops->direct(C, ldc, A, row, column, rows, ld, m, n, k, alpha, beta);
}

static void FK_LOCAL(small_product)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, int transpose_a, const T *B,
                                    ptrdiff_t ldb, int transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, T alpha,
                                    T beta, int team) {
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int are_long = FK_LOCAL(has_long_rows)(transpose_b, k);
  /* where there are enough rows a thread has the same ones in every product, and finds them in its own cache */
  const int by_rows = m >= n || m >= (are_long ? 2 : 1) * FK_FEW_ROWS * team;
  const ptrdiff_t row = transpose_a ? 1 : lda, column = transpose_a ? lda : 1;
  const ptrdiff_t size = by_rows ? m : n, unit = by_rows || are_long ? 4 : FK_LANES, units = fk_ceil_div(size, unit);
#pragma omp parallel num_threads(team) if (team > 1)
  {
    const ptrdiff_t first = fk_min(size, unit * fk_share(units, 0));
    const ptrdiff_t count = fk_min(size, unit * fk_share(units, 1)) - first;
    T *c = C + first * (by_rows ? ldc : 1);
    const T *a = A + (by_rows ? first * row : 0), *b = B + (by_rows ? 0 : first * (transpose_b ? ldb : 1));
    const ptrdiff_t rows = by_rows ? count : m, columns = by_rows ? n : count;
    if (are_long) ops->dots(c, ldc, a, lda, b, ldb, rows, columns, k, alpha, beta);
    else if (transpose_b) FK_LOCAL(turned)(ops, c, ldc, a, row, column, b, ldb, rows, columns, k, alpha, beta);
    else FK_LOCAL(direct)(ops, c, ldc, a, row, column, b, ldb, rows, columns, k, alpha, beta);
  }
}
