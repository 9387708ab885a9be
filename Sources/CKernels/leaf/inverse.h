/* From L to (L L^T)^-1 in place, one vector of neurons at once: X = L^-1 row by row, then X^T X. Both run in the
 * register tiles and bands of rows of the factorisation, whose L has the reciprocals of its pivots, the diagonal of X,
 * in place already. */
#define ROW(i) (L + (i) * ((i) + 1) / 2 * LANES)

/* acc[a][b] += left[a] right_b for b < columns; `right` is where the first of the right vectors lies. */
INLINE void FK_LEAF(inverse_step)(V acc[TILE][TILE], const V left[TILE], const T *right, const int columns) {
  UNROLL
  for (int b = 0; b < TILE; b++) {
    if (b >= columns) break;
    V r = load(AT(right, b));
    UNROLL
    for (int a = 0; a < TILE; a++) acc[a][b] = left[a] * r + acc[a][b];
  }
}

/* Rows i ..< i + TILE of X in columns j ..< j + TILE, above them X already: from L X = I,
 *     X(i,j) = -1 / L(i,i) sum over j <= k < i of L(i,k) X(k,j).
 * Tiles go from left to right, so that what is still needed of row i of L is still there. */
INLINE void FK_LEAF(inverse_tile)(T *L, ptrdiff_t i, ptrdiff_t j, ptrdiff_t d) {
  T *row_i[TILE];
  V x[TILE][TILE];
  UNROLL
  for (int a = 0; a < TILE; a++) {
    row_i[a] = ROW(fk_min(i + a, d - 1)); /* past the end the last row stands in; its results are not stored */
    UNROLL
    for (int b = 0; b < TILE; b++) x[a][b] = splat(0);
  }
  const T *right = ROW(j) + j * LANES;
  UNROLL
  for (int c = 0; c < TILE; c++) { /* the diagonal tile of X is lower triangular */
    V left[TILE];
    UNROLL
    for (int a = 0; a < TILE; a++) left[a] = load(AT(row_i[a], j + c));
    FK_LEAF(inverse_step)(x, left, right, c + 1);
    right += (j + c + 1) * LANES;
  }
  for (ptrdiff_t k = j + TILE; k < i; k++, right += k * LANES) {
    V left[TILE];
    UNROLL
    for (int a = 0; a < TILE; a++) left[a] = load(AT(row_i[a], k));
    FK_LEAF(inverse_step)(x, left, right, TILE);
  }
  UNROLL
  for (int a = 0; a < TILE; a++) {
    if (i + a >= d) break;
    V reciprocal = load(AT(row_i[a], i + a));
    UNROLL
    for (int b = 0; b < TILE; b++) {
      UNROLL
      for (int c = 0; c < a; c++) x[a][b] = load(AT(row_i[a], i + c)) * x[c][b] + x[a][b];
      x[a][b] = -(x[a][b] * reciprocal);
    }
    UNROLL
    for (int b = 0; b < TILE; b++) store(AT(row_i[a], j + b), x[a][b]);
  }
}

/* The same on the diagonal, whose tile is all there is of L and of X. */
INLINE void FK_LEAF(inverse_diagonal_tile)(T *L, ptrdiff_t j, ptrdiff_t d) {
  for (ptrdiff_t i = j + 1; i < fk_min(j + TILE, d); i++) {
    for (ptrdiff_t b = j; b < i; b++) {
      V sum = splat(0);
      for (ptrdiff_t k = b; k < i; k++) sum = load(AT(ROW(i), k)) * load(AT(ROW(k), b)) + sum;
      store(AT(ROW(i), b), -(sum * load(AT(ROW(i), i))));
    }
  }
}

/* Rows i ..< i + TILE of A = X^T X in columns j ..< j + TILE, j <= i: A(i,j) = sum over k >= i of X(k,i) X(k,j). Rows
 * below are X still, and so are columns to the right. Zero for the neurons that are not `alive`. */
INLINE void FK_LEAF(inverse_product_tile)(T *L, ptrdiff_t i, ptrdiff_t j, ptrdiff_t d, VI alive) {
  V acc[TILE][TILE];
  UNROLL
  for (int a = 0; a < TILE; a++) {
    UNROLL
    for (int b = 0; b < TILE; b++) acc[a][b] = splat(0);
  }
  const T *row = ROW(i + TILE);
  for (ptrdiff_t k = i + TILE; k < d; k++, row += k * LANES) {
    V left[TILE];
    UNROLL
    for (int a = 0; a < TILE; a++) left[a] = load(AT(row, i + a));
    FK_LEAF(inverse_step)(acc, left, AT(row, j), TILE);
  }
  const int rows = (int)fk_min(TILE, d - i);
  for (int c = 0; c < rows; c++) { /* in the tile's own rows X(k,i) ends at the diagonal */
    const T *own = ROW(i + c);
    for (int a = 0; a <= c; a++) {
      V left = load(AT(own, i + a));
      for (int b = 0; b < (i == j ? a + 1 : TILE); b++) acc[a][b] = left * load(AT(own, j + b)) + acc[a][b];
    }
  }
  for (int a = 0; a < rows; a++)
    for (int b = 0; b < (i == j ? a + 1 : TILE); b++) store(AT(ROW(i + a), j + b), select(alive, acc[a][b], splat(0)));
}

static void FK_LEAF(cholesky_inverse)(T *L, ptrdiff_t d) {
  if (d == 0) return;
  /* a block that failed to factor has zeros for its diagonal */
  const VI alive = load(L) > splat(0);
  for (ptrdiff_t top = 0; top < d; top += ROWS) {
    const ptrdiff_t bottom = fk_min(d, top + ROWS);
    for (ptrdiff_t j = 0; j < bottom; j += TILE) {
      if (j >= top) FK_LEAF(inverse_diagonal_tile)(L, j, d);
      for (ptrdiff_t i = fk_max(top, j + TILE); i < bottom; i += TILE) FK_LEAF(inverse_tile)(L, i, j, d);
    }
  }
  for (ptrdiff_t top = 0; top < d; top += ROWS) {
    const ptrdiff_t bottom = fk_min(d, top + ROWS);
    for (ptrdiff_t j = 0; j < bottom; j += TILE)
      for (ptrdiff_t i = fk_max(top, j); i < bottom; i += TILE) FK_LEAF(inverse_product_tile)(L, i, j, d, alive);
  }
}
#undef ROW

/* y = A x for a packed symmetric A and x, y (d, lanes). Four rows at a time, each element of A read once: it is a
 * term of y_i and, below the diagonal, of y_j. */
static void FK_LEAF(symmetric_multiply)(T *y, const T *A, const T *x, ptrdiff_t d) {
#define AROW(i) (A + (i) * ((i) + 1) / 2 * LANES)
  ptrdiff_t i = 0;
  for (; i + 4 <= d; i += 4) {
    const T *r0 = AROW(i), *r1 = AROW(i + 1), *r2 = AROW(i + 2), *r3 = AROW(i + 3);
    const V x0 = load(AT(x, i)), x1 = load(AT(x, i + 1)), x2 = load(AT(x, i + 2)), x3 = load(AT(x, i + 3));
    V y0 = splat(0), y1 = splat(0), y2 = splat(0), y3 = splat(0);
    for (ptrdiff_t j = 0; j < i; j++) {
      const V a0 = load(AT(r0, j)), a1 = load(AT(r1, j)), a2 = load(AT(r2, j)), a3 = load(AT(r3, j));
      const V xj = load(AT(x, j));
      V yj = load(AT(y, j));
      y0 = a0 * xj + y0;
      y1 = a1 * xj + y1;
      y2 = a2 * xj + y2;
      y3 = a3 * xj + y3;
      yj = a0 * x0 + yj;
      yj = a1 * x1 + yj;
      yj = a2 * x2 + yj;
      yj = a3 * x3 + yj;
      store(AT(y, j), yj);
    }
    const V a10 = load(AT(r1, i)), a20 = load(AT(r2, i)), a30 = load(AT(r3, i));
    const V a21 = load(AT(r2, i + 1)), a31 = load(AT(r3, i + 1)), a32 = load(AT(r3, i + 2));
    store(AT(y, i), y0 + load(AT(r0, i)) * x0 + a10 * x1 + a20 * x2 + a30 * x3);
    store(AT(y, i + 1), y1 + a10 * x0 + load(AT(r1, i + 1)) * x1 + a21 * x2 + a31 * x3);
    store(AT(y, i + 2), y2 + a20 * x0 + a21 * x1 + load(AT(r2, i + 2)) * x2 + a32 * x3);
    store(AT(y, i + 3), y3 + a30 * x0 + a31 * x1 + a32 * x2 + load(AT(r3, i + 3)) * x3);
  }
  for (; i < d; i++) {
    const V xi = load(AT(x, i));
    V sum = load(AT(AROW(i), i)) * xi;
    for (ptrdiff_t j = 0; j < i; j++) {
      const V a = load(AT(AROW(i), j));
      sum = a * load(AT(x, j)) + sum;
      store(AT(y, j), a * xi + load(AT(y, j)));
    }
    store(AT(y, i), sum);
  }
#undef AROW
}
