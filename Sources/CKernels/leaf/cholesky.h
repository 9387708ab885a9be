/* Cholesky of one vector of neurons at once: every scalar of the textbook algorithm is a vector over neurons, so there
 * are no shuffles and no short loops. Left-looking in register tiles of TILE x TILE; ROWS rows at a time stay in the
 * level-2 cache while all the rows above stream past them once. */
#define TILE (FK_REGISTERS == 32 ? 4 : 3)
#define ROWS (4 * TILE)
#define ROW(i) (G + (i) * ((i) + 1) / 2 * LANES)
#define AT(row, j) (&(row)[(j)*LANES])

/* acc[a][b] = sum over k < j of L(i+a, k) L(j+b, k) for so many rows and columns. */
INLINE void FK_LEAF(cholesky_tile)(V acc[TILE][TILE], T *const row_i[TILE], T *const row_j[TILE], ptrdiff_t j,
                                   const int rows, const int columns) {
  UNROLL
  for (int a = 0; a < rows; a++) {
    UNROLL
    for (int b = 0; b < columns; b++) acc[a][b] = splat(0);
  }
  for (ptrdiff_t k = 0; k < j; k++) {
    V left[TILE];
    UNROLL
    for (int a = 0; a < rows; a++) left[a] = load(AT(row_i[a], k));
    UNROLL
    for (int b = 0; b < columns; b++) {
      V right = load(AT(row_j[b], k));
      UNROLL
      for (int a = 0; a < rows; a++) acc[a][b] = left[a] * right + acc[a][b];
    }
  }
}

/* Rows of L below the diagonal tile at j, in its columns. */
INLINE void FK_LEAF(cholesky_below)(T *const row_i[TILE], T *const row_j[TILE], ptrdiff_t j, T scale, const int rows) {
  V x[TILE][TILE];
  FK_LEAF(cholesky_tile)(x, row_i, row_j, j, rows, TILE);
  UNROLL
  for (int a = 0; a < rows; a++) {
    UNROLL
    for (int b = 0; b < TILE; b++) {
      V sum = splat(scale) * load(AT(row_i[a], j + b)) - x[a][b];
      UNROLL
      for (int c = 0; c < b; c++) sum = sum - x[a][c] * load(AT(row_j[b], j + c));
      x[a][b] = sum * load(AT(row_j[b], j + b));
    }
  }
  UNROLL
  for (int a = 0; a < rows; a++) {
    UNROLL
    for (int b = 0; b < TILE; b++) store(AT(row_i[a], j + b), x[a][b]);
  }
}

/* 1 / sqrt(pivot) where the pivot is a finite number above the noise of its own diagonal element, else 0 and a note. */
INLINE V FK_LEAF(cholesky_pivot)(V pivot, V diagonal, ptrdiff_t j, ptrdiff_t *bad, double *value) {
  const T unit = SINGLE ? (T)5.9604644775390625e-8 : (T)1.1102230246251565e-16;
  const T largest = SINGLE ? (T)3.40282346638528859812e+38 : (T)1.79769313486231570815e+308;
  VI good = (pivot > splat(0)) & (pivot > splat(unit) * diagonal) & (pivot <= splat(largest));
  for (ptrdiff_t lane = 0; lane < VW; lane++) {
    if (good[lane] || bad[lane]) continue;
    bad[lane] = j + 1;
    value[lane] = (double)pivot[lane];
  }
  V root = __builtin_elementwise_sqrt(select(good, pivot, splat(1)));
  return select(good, splat(1) / root, splat(0));
}

static void FK_LEAF(cholesky)(T *G, ptrdiff_t d, T scale, T damping, ptrdiff_t *bad, double *value) {
  for (ptrdiff_t top = 0; top < d; top += ROWS) {
    ptrdiff_t bottom = fk_min(d, top + ROWS);
    for (ptrdiff_t j = 0; j < bottom; j += TILE) {
      for (ptrdiff_t i = fk_max(top, j); i < bottom; i += TILE) {
        T *row_i[TILE], *row_j[TILE];
        UNROLL
        for (int a = 0; a < TILE; a++) {
          row_i[a] = ROW(fk_min(i + a, d - 1));
          row_j[a] = ROW(fk_min(j + a, d - 1));
        }
        if (i > j && i + TILE <= d) {
          FK_LEAF(cholesky_below)(row_i, row_j, j, scale, TILE);
          continue;
        }
        if (i > j) { /* the rows left, one by one: with a bias there is often a single one */
          for (ptrdiff_t a = 0; i + a < d; a++) FK_LEAF(cholesky_below)(row_i + a, row_j, j, scale, 1);
          continue;
        }
        V x[TILE][TILE];
        if (j + 1 == d) FK_LEAF(cholesky_tile)(x, row_i, row_j, j, 1, 1);
        else FK_LEAF(cholesky_tile)(x, row_i, row_j, j, TILE, TILE);
        /* The diagonal tile: its rows depend on each other. */
        for (int a = 0; a < TILE && j + a < d; a++) {
          for (int b = 0; b <= a; b++) {
            V element = splat(scale) * load(AT(row_i[a], j + b));
            if (a == b) element = element + splat(damping);
            V sum = element - x[a][b];
            for (int c = 0; c < b; c++) sum = sum - load(AT(row_i[a], j + c)) * load(AT(row_i[b], j + c));
            V result =
                a == b ? FK_LEAF(cholesky_pivot)(sum, element, j + a, bad, value) : sum * load(AT(row_i[b], j + b));
            store(AT(row_i[a], j + b), result);
          }
        }
      }
    }
  }
}

/* x = L^-T L^-1 x for x (d, lanes). Four rows at a time, so that four independent sums hide the latency and each x_k
 * is loaded (forward) or updated (backward) once for four rows of L. */
static void FK_LEAF(cholesky_solve)(T *x, const T *L, ptrdiff_t d) {
#define LROW(i) (L + (i) * ((i) + 1) / 2 * LANES)
  ptrdiff_t j = 0;
  for (; j + 4 <= d; j += 4) {
    const T *r0 = LROW(j), *r1 = LROW(j + 1), *r2 = LROW(j + 2), *r3 = LROW(j + 3);
    V s0 = load(AT(x, j)), s1 = load(AT(x, j + 1)), s2 = load(AT(x, j + 2)), s3 = load(AT(x, j + 3));
    for (ptrdiff_t k = 0; k < j; k++) {
      V xk = load(AT(x, k));
      s0 = s0 - load(AT(r0, k)) * xk;
      s1 = s1 - load(AT(r1, k)) * xk;
      s2 = s2 - load(AT(r2, k)) * xk;
      s3 = s3 - load(AT(r3, k)) * xk;
    }
    s0 = s0 * load(AT(r0, j));
    s1 = (s1 - load(AT(r1, j)) * s0) * load(AT(r1, j + 1));
    s2 = ((s2 - load(AT(r2, j)) * s0) - load(AT(r2, j + 1)) * s1) * load(AT(r2, j + 2));
    s3 = (((s3 - load(AT(r3, j)) * s0) - load(AT(r3, j + 1)) * s1) - load(AT(r3, j + 2)) * s2) * load(AT(r3, j + 3));
    store(AT(x, j), s0);
    store(AT(x, j + 1), s1);
    store(AT(x, j + 2), s2);
    store(AT(x, j + 3), s3);
  }
  const ptrdiff_t whole = j;
  for (; j < d; j++) {
    V sum = load(AT(x, j));
    for (ptrdiff_t k = 0; k < j; k++) sum = sum - load(AT(LROW(j), k)) * load(AT(x, k));
    store(AT(x, j), sum * load(AT(LROW(j), j)));
  }
  for (j = d - 1; j >= whole; j--) {
    V xj = load(AT(x, j)) * load(AT(LROW(j), j));
    store(AT(x, j), xj);
    for (ptrdiff_t k = 0; k < j; k++) store(AT(x, k), load(AT(x, k)) - load(AT(LROW(j), k)) * xj);
  }
  for (j = whole - 4; j >= 0; j -= 4) {
    const T *r0 = LROW(j), *r1 = LROW(j + 1), *r2 = LROW(j + 2), *r3 = LROW(j + 3);
    V s3 = load(AT(x, j + 3)) * load(AT(r3, j + 3));
    V s2 = (load(AT(x, j + 2)) - load(AT(r3, j + 2)) * s3) * load(AT(r2, j + 2));
    V s1 = ((load(AT(x, j + 1)) - load(AT(r3, j + 1)) * s3) - load(AT(r2, j + 1)) * s2) * load(AT(r1, j + 1));
    V s0 = (((load(AT(x, j)) - load(AT(r3, j)) * s3) - load(AT(r2, j)) * s2) - load(AT(r1, j)) * s1) * load(AT(r0, j));
    store(AT(x, j), s0);
    store(AT(x, j + 1), s1);
    store(AT(x, j + 2), s2);
    store(AT(x, j + 3), s3);
    for (ptrdiff_t k = 0; k < j; k++) {
      V xk = load(AT(x, k));
      xk = xk - load(AT(r0, k)) * s0;
      xk = xk - load(AT(r1, k)) * s1;
      xk = xk - load(AT(r2, k)) * s2;
      xk = xk - load(AT(r3, k)) * s3;
      store(AT(x, k), xk);
    }
  }
#undef LROW
}
#undef ROW
