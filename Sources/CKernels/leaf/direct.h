/* C = beta C + alpha A B in the register tiles of product.h, straight from A (m,k) with any strides and B (k,n): where
 * k is small a strip of B stays in the level-1 cache as it is, and packing would be a large part of the work. */
INLINE void FK_LEAF(direct_tile)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t row, ptrdiff_t column, const T *B,
                                 ptrdiff_t ldb, ptrdiff_t rows, ptrdiff_t k, T alpha, T beta, const int height,
                                 const int vectors) {
  V sum[HEIGHT][2];
  const T *a[HEIGHT];
  UNROLL
  for (int r = 0; r < height; r++) {
    sum[r][0] = sum[r][1] = splat(0);
    a[r] = A + fk_min(r, rows - 1) * row;
  }
  for (ptrdiff_t p = 0; p < k; p++, B += ldb) {
    const V b0 = load(B), b1 = vectors == 2 ? load(B + VW) : splat(0);
    UNROLL
    for (int r = 0; r < height; r++) {
      const V left = splat(a[r][p * column]);
      sum[r][0] = left * b0 + sum[r][0];
      if (vectors == 2) sum[r][1] = left * b1 + sum[r][1];
    }
  }
  UNROLL
  for (int r = 0; r < height; r++) {
    if (r >= rows) continue;
    FK_LEAF(store_tile)(C + r * ldc, sum[r][0], VW, alpha, beta);
    if (vectors == 2) FK_LEAF(store_tile)(C + r * ldc + VW, sum[r][1], VW, alpha, beta);
  }
}

/* A whole number of vectors of columns. */
INLINE void FK_LEAF(direct_columns)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t row, ptrdiff_t column, const T *B,
                                    ptrdiff_t ldb, ptrdiff_t m, ptrdiff_t k, T alpha, T beta, const int vectors) {
  ptrdiff_t tiles = (m + HEIGHT - 1) / HEIGHT;
  for (ptrdiff_t first = 0, count; tiles > 0; tiles--, first += count) {
    count = (m - first + tiles - 1) / tiles; /* tiles as equal as can be */
    T *c = C + first * ldc;
    const T *a = A + first * row;
#define TILE_OF(h)                                                                                                     \
  case h: FK_LEAF(direct_tile)(c, ldc, a, row, column, B, ldb, count, k, alpha, beta, h, vectors); break;
    switch ((count + 1) / 2 * 2) { TILE_HEIGHTS(TILE_OF) }
#undef TILE_OF
  }
}

/* k <= FK_DEPTH. A(i,p) is A[i * row + p * column]. */
static void FK_LEAF(direct)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t row, ptrdiff_t column, const T *B, ptrdiff_t ldb,
                            ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, T alpha, T beta) {
  ptrdiff_t j = 0;
  for (; j + 2 * VW <= n; j += 2 * VW)
    FK_LEAF(direct_columns)(C + j, ldc, A, row, column, B + j, ldb, m, k, alpha, beta, 2);
  for (; j + VW <= n; j += VW) FK_LEAF(direct_columns)(C + j, ldc, A, row, column, B + j, ldb, m, k, alpha, beta, 1);
  const ptrdiff_t width = n - j;
  if (width == 0) return;
  /* the columns left, by way of copies that are a vector wide */
  T right[FK_DEPTH * VW] __attribute__((aligned(64))), out[HEIGHT * VW] __attribute__((aligned(64)));
  for (ptrdiff_t p = 0; p < k; p++)
    for (ptrdiff_t c = 0; c < VW; c++) right[p * VW + c] = c < width ? B[p * ldb + j + c] : 0;
  for (ptrdiff_t i = 0; i < m; i += HEIGHT) {
    const ptrdiff_t rows = fk_min(HEIGHT, m - i);
    FK_LEAF(direct_columns)(out, VW, A + i * row, row, column, right, VW, rows, k, alpha, 0, 1);
    for (ptrdiff_t r = 0; r < rows; r++) FK_LEAF(store_edge)(C + (i + r) * ldc + j, out + r * VW, width, 1, beta);
  }
}
