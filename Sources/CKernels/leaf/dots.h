/* C = beta C + alpha A B^T for long rows: DOT_ROWS x 4 inner products at once, a vector of partial sums each, so that
 * nothing is packed. Each sum has the same order whatever tile it falls in. */
#define DOT_ROWS (FK_REGISTERS == 32 ? 4 : 2)
#define DOTS (DOT_ROWS * 4)

/* Lane r of the result is the sum of v[r]; v is destroyed. */
INLINE V FK_LEAF(sums)(V *v) {
  UNROLL
  for (ptrdiff_t half = VW / 2; half >= 1; half /= 2) {
    UNROLL
    for (ptrdiff_t i = 0; i < half; i++) {
      const V a = v[i], b = v[i + half];
      V low, high;
      low.even = a.lo, low.odd = b.lo;
      high.even = a.hi, high.odd = b.hi;
      v[i] = low + high;
    }
  }
  return v[0];
}

INLINE void FK_LEAF(dot_step)(V acc[DOTS], const T *const a[DOT_ROWS], const T *const b[4], ptrdiff_t p, VI mask) {
  V right[4];
  UNROLL
  for (int j = 0; j < 4; j++) right[j] = select(mask, load(b[j] + p), splat(0));
  UNROLL
  for (int i = 0; i < DOT_ROWS; i++) {
    const V left = select(mask, load(a[i] + p), splat(0));
    UNROLL
    for (int j = 0; j < 4; j++) acc[i * 4 + j] = left * right[j] + acc[i * 4 + j];
  }
}

/* A is (m,k), B is (n,k), k >= FK_LONG_ROW. */
static void FK_LEAF(dots)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t ldb, ptrdiff_t m,
                          ptrdiff_t n, ptrdiff_t k, T alpha, T beta) {
  const ptrdiff_t left = k % VW;
  VI all, last;
  UNROLL
  for (ptrdiff_t lane = 0; lane < VW; lane++) all[lane] = -1, last[lane] = lane >= VW - left ? -1 : 0;
  for (ptrdiff_t i = 0; i < m; i += DOT_ROWS) {
    const ptrdiff_t rows = fk_min(DOT_ROWS, m - i);
    const T *a[DOT_ROWS], *b[4];
    UNROLL
    for (int r = 0; r < DOT_ROWS; r++) a[r] = A + (i + fk_min(r, rows - 1)) * lda;
    for (ptrdiff_t j = 0; j < n; j += 4) {
      const ptrdiff_t columns = fk_min(4, n - j);
      UNROLL
      for (int c = 0; c < 4; c++) b[c] = B + (j + fk_min(c, columns - 1)) * ldb;
      V acc[DOTS];
      UNROLL
      for (int e = 0; e < DOTS; e++) acc[e] = splat(0);
      for (ptrdiff_t p = 0; p + VW <= k; p += VW) FK_LEAF(dot_step)(acc, a, b, p, all);
      if (left) FK_LEAF(dot_step)(acc, a, b, k - VW, last);
      T sum[DOTS] __attribute__((aligned(64)));
      UNROLL
      for (ptrdiff_t e = 0; e < DOTS; e += VW) store(sum + e, FK_LEAF(sums)(acc + e));
      for (ptrdiff_t r = 0; r < rows; r++) {
        T *out = C + (i + r) * ldc + j;
        for (ptrdiff_t c = 0; c < columns; c++)
          out[c] = beta == 0 ? alpha * sum[r * 4 + c] : alpha * sum[r * 4 + c] + beta * out[c];
      }
    }
  }
}
