/* The pieces of a dense Cholesky factorisation and its solves that are not products: a diagonal block, rows times the
 * inverse of its factor, and the two sweeps for a single right-hand side. */

/* Columns solved at a time from those before them: with two vectors of rows each they fill the registers. */
#define SOLVED (FK_REGISTERS == 32 ? 8 : 4)
#define TRIANGLE_STRIDE (FK_BLOCK + LANES)
/* Rows of a sweep that pass over the vector together. */
#define SWEPT 8

/* The lower triangle of A (width, width), width <= FK_BLOCK, becomes L, read from B (width, FK_BLOCK) where only the
 * lower triangle counts. diagonal[j] is the damped element that pivot j came from. Returns width, or the first bad
 * pivot and what it was. */
static ptrdiff_t FK_LEAF(factor_block)(T *A, ptrdiff_t lda, const T *B, const T *diagonal, ptrdiff_t width,
                                       double *value) {
  const T unit = SINGLE ? (T)5.9604644775390625e-8 : (T)1.1102230246251565e-16;
  const T largest = SINGLE ? (T)3.40282346638528859812e+38 : (T)1.79769313486231570815e+308;
  T U[FK_BLOCK * FK_BLOCK] __attribute__((aligned(64))); /* row k of U is column k of L */
  for (ptrdiff_t c = 0; c < width; c += VW)
    FK_LEAF(transpose_in)(U + c, FK_BLOCK, B + c * FK_BLOCK, FK_BLOCK, fk_min(VW, width - c), width);
  const ptrdiff_t end = (width + VW - 1) / VW * VW;
  for (ptrdiff_t k = 0; k < width; k++) {
    T *row = U + k * FK_BLOCK, inverse = 0;
    for (ptrdiff_t c = k / VW * VW; c < end; c += 4 * VW) {
      const int vectors = (int)fk_min(4, (end - c) / VW);
      V sum[4];
      UNROLL
      for (int v = 0; v < 4; v++) sum[v] = v < vectors ? load(row + c + v * VW) : splat(0);
      for (ptrdiff_t p = 0; p < k; p++) {
        const T *before = U + p * FK_BLOCK;
        const V left = splat(before[k]);
        sum[0] = sum[0] - left * load(before + c);
        if (vectors > 1) sum[1] = sum[1] - left * load(before + c + VW);
        if (vectors > 2) sum[2] = sum[2] - left * load(before + c + 2 * VW);
        if (vectors > 3) sum[3] = sum[3] - left * load(before + c + 3 * VW);
      }
      if (c <= k) { /* the vector with the pivot in it */
        store(row + c, sum[0]);
        const T pivot = row[k];
        if (!(pivot > 0 && pivot > unit * diagonal[k] && pivot <= largest)) {
          *value = (double)pivot;
          return k;
        }
        inverse = 1 / __builtin_elementwise_sqrt(pivot);
      }
      UNROLL
      for (int v = 0; v < 4; v++)
        if (v < vectors) store(row + c + v * VW, sum[v] * splat(inverse));
    }
  }
  for (ptrdiff_t r = 0; r < width; r += VW) {
    const ptrdiff_t rows = fk_min(VW, width - r);
    FK_LEAF(transpose_out)(A + r * lda, lda, U + r, FK_BLOCK, rows, r);
    for (ptrdiff_t i = r; i < r + rows; i++)
      for (ptrdiff_t j = r; j <= i; j++) A[i * lda + j] = U[j * FK_BLOCK + i];
  }
  return width;
}

/* x (FK_BLOCK, STRIP) = S^-1 x for a lower triangle S with `inverse` of its diagonal; `padded` is a multiple of
 * SOLVED. */
INLINE void FK_LEAF(solve_strip)(T *x, const T *S, const T *inverse, ptrdiff_t padded) {
  for (ptrdiff_t c = 0; c < padded; c += SOLVED) {
    V a[SOLVED][2];
    UNROLL
    for (int q = 0; q < SOLVED; q++) a[q][0] = load(x + (c + q) * STRIP), a[q][1] = load(x + (c + q) * STRIP + VW);
    for (ptrdiff_t p = 0; p < c; p++) {
      const V x0 = load(x + p * STRIP), x1 = load(x + p * STRIP + VW);
      UNROLL
      for (int q = 0; q < SOLVED; q++) {
        const V s = splat(S[(c + q) * TRIANGLE_STRIDE + p]);
        a[q][0] = a[q][0] - s * x0;
        a[q][1] = a[q][1] - s * x1;
      }
    }
    UNROLL
    for (int q = 0; q < SOLVED; q++) {
      a[q][0] = a[q][0] * splat(inverse[c + q]);
      a[q][1] = a[q][1] * splat(inverse[c + q]);
      UNROLL
      for (int r = q + 1; r < SOLVED; r++) {
        const V s = splat(S[(c + r) * TRIANGLE_STRIDE + c + q]);
        a[r][0] = a[r][0] - s * a[q][0];
        a[r][1] = a[r][1] - s * a[q][1];
      }
      store(x + (c + q) * STRIP, a[q][0]);
      store(x + (c + q) * STRIP + VW, a[q][1]);
    }
  }
}

/* The rows x of D (rows, width) become x L^-T, or x L^-1 when `backward`, for the lower triangle L of order width <=
 * FK_BLOCK. The second is the first with all indices turned round. */
static void FK_LEAF(solve_rows)(T *D, ptrdiff_t ldd, const T *L, ptrdiff_t ldl, ptrdiff_t rows, ptrdiff_t width,
                                int backward) {
  T S[FK_BLOCK * TRIANGLE_STRIDE] __attribute__((aligned(64))), x[FK_BLOCK * STRIP] __attribute__((aligned(64)));
  T inverse[FK_BLOCK];
  const ptrdiff_t padded = (width + SOLVED - 1) / SOLVED * SOLVED, last = width - 1;
  for (ptrdiff_t c = 0; c < padded; c++) {
    if (c >= width) {
      for (ptrdiff_t p = 0; p < padded; p++) S[c * TRIANGLE_STRIDE + p] = 0;
      for (ptrdiff_t i = 0; i < STRIP; i++) x[c * STRIP + i] = 0;
      inverse[c] = 0;
      continue;
    }
    if (backward)
      for (ptrdiff_t p = 0; p < c; p++) S[c * TRIANGLE_STRIDE + p] = L[(last - p) * ldl + last - c];
    else
      for (ptrdiff_t p = 0; p < c; p++) S[c * TRIANGLE_STRIDE + p] = L[c * ldl + p];
    const ptrdiff_t j = backward ? last - c : c;
    inverse[c] = 1 / L[j * ldl + j];
  }
  T *start = backward ? x + last * STRIP : x;
  const ptrdiff_t stride = backward ? -STRIP : STRIP;
  for (ptrdiff_t r = 0; r < rows; r += STRIP) {
    T *d0 = D + r * ldd, *d1 = rows - r > VW ? d0 + VW * ldd : d0;
    const ptrdiff_t n0 = fk_min(VW, rows - r), n1 = fk_max(0, fk_min(VW, rows - r - VW));
    FK_LEAF(transpose_in)(start, stride, d0, ldd, n0, width);
    FK_LEAF(transpose_in)(start + VW, stride, d1, ldd, n1, width);
    FK_LEAF(solve_strip)(x, S, inverse, padded);
    FK_LEAF(transpose_out)(d0, ldd, start, stride, n0, width);
    FK_LEAF(transpose_out)(d1, ldd, start + VW, stride, n1, width);
  }
}

/* The sum of the elements, in pairs. */
INLINE T FK_LEAF(tree_sum)(V v) {
#pragma clang fp reassociate(on)
  T total = 0;
  for (ptrdiff_t i = 0; i < VW; i++) total += v[i];
  return total;
}

/* x (d) = L^-1 x, SWEPT rows at a time: their products with what is solved, then the small triangle. */
static void FK_LEAF(sweep_forward)(T *x, const T *L, ptrdiff_t ldl, ptrdiff_t d) {
  for (ptrdiff_t i = 0; i < d; i += SWEPT) {
    const ptrdiff_t rows = fk_min(SWEPT, d - i);
    const T *row[SWEPT];
    V sum[SWEPT];
    T total[SWEPT];
    UNROLL
    for (int a = 0; a < SWEPT; a++) row[a] = L + (i + fk_min(a, rows - 1)) * ldl, sum[a] = splat(0);
    ptrdiff_t k = 0;
    for (; k + VW <= i; k += VW) {
      const V xk = load(x + k);
      UNROLL
      for (int a = 0; a < SWEPT; a++) sum[a] = load(row[a] + k) * xk + sum[a];
    }
    UNROLL
    for (int a = 0; a < SWEPT; a++) total[a] = i == 0 ? 0 : FK_LEAF(tree_sum)(sum[a]);
    for (; k < i; k++) {
      UNROLL
      for (int a = 0; a < SWEPT; a++) total[a] += row[a][k] * x[k];
    }
    for (ptrdiff_t a = 0; a < rows; a++) {
      T rest = x[i + a] - total[a];
      for (ptrdiff_t b = 0; b < a; b++) rest -= row[a][i + b] * x[i + b];
      x[i + a] = rest / row[a][i + a];
    }
  }
}

/* x = L^-T x: what is solved is taken off all the elements before it. */
static void FK_LEAF(sweep_backward)(T *x, const T *L, ptrdiff_t ldl, ptrdiff_t d) {
  for (ptrdiff_t end = d; end > 0; end = (end - 1) / SWEPT * SWEPT) {
    const ptrdiff_t i = (end - 1) / SWEPT * SWEPT, rows = end - i;
    const T *row[SWEPT];
    T solved[SWEPT];
    for (ptrdiff_t a = rows - 1; a >= 0; a--) {
      T rest = x[i + a];
      for (ptrdiff_t b = a + 1; b < rows; b++) rest -= L[(i + b) * ldl + i + a] * x[i + b];
      x[i + a] = rest / L[(i + a) * ldl + i + a];
    }
    UNROLL
    for (int a = 0; a < SWEPT; a++) {
      row[a] = L + (i + fk_min(a, rows - 1)) * ldl;
      solved[a] = a < rows ? x[i + a] : 0;
    }
    ptrdiff_t k = 0;
    for (; k + VW <= i; k += VW) {
      V s0 = load(x + k), s1 = splat(0);
      UNROLL
      for (int a = 0; a < SWEPT; a += 2) {
        s0 = s0 - load(row[a] + k) * splat(solved[a]);
        s1 = s1 - load(row[a + 1] + k) * splat(solved[a + 1]);
      }
      store(x + k, s0 + s1);
    }
    for (; k < i; k++)
      for (int a = 0; a < SWEPT; a++) x[k] -= row[a][k] * solved[a];
  }
}
