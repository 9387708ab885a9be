/* C = beta C + alpha A B in register tiles of HEIGHT rows by two vectors. B is packed in strips of two vectors' width,
 * each (k, STRIP), filled up with zeros; rows of A are copied to a stride at which they do not share cache sets. Every
 * element is one sum over k in order, whatever tile it falls in. */
#define HEIGHT (FK_REGISTERS == 32 ? 12 : 6)
#if FK_REGISTERS == 32
#define TILE_HEIGHTS(CASE) CASE(2) CASE(4) CASE(6) CASE(8) CASE(10) CASE(12)
#else
#define TILE_HEIGHTS(CASE) CASE(2) CASE(4) CASE(6)
#endif
#define STRIP (2 * VW)
#define ROW_STRIDE (FK_DEPTH + LANES)

/* VW vectors become their transpose: log2 VW perfect shuffles. */
INLINE void FK_LEAF(transpose)(V v[VW]) {
  UNROLL
  for (ptrdiff_t step = 1; step < VW; step *= 2) {
    V shuffled[VW];
    UNROLL
    for (ptrdiff_t i = 0; i < VW / 2; i++) {
      const V a = v[i], b = v[i + VW / 2];
      shuffled[2 * i].even = a.lo, shuffled[2 * i].odd = b.lo;
      shuffled[2 * i + 1].even = a.hi, shuffled[2 * i + 1].odd = b.hi;
    }
    UNROLL
    for (ptrdiff_t i = 0; i < VW; i++) v[i] = shuffled[i];
  }
}

/* out[c * stride + r] = in[r * ld + c] for r < rows <= VW (zero up to VW) and c < columns. A negative stride turns the
 * order of the columns round. */
INLINE void FK_LEAF(transpose_in)(T *out, ptrdiff_t stride, const T *in, ptrdiff_t ld, ptrdiff_t rows,
                                  ptrdiff_t columns) {
  ptrdiff_t c = 0;
  V v[VW];
  if (rows == VW) {
    for (; c + VW <= columns; c += VW) {
      UNROLL
      for (ptrdiff_t r = 0; r < VW; r++) v[r] = load(in + r * ld + c);
      FK_LEAF(transpose)(v);
      UNROLL
      for (ptrdiff_t r = 0; r < VW; r++) store(out + (c + r) * stride, v[r]);
    }
  }
  for (; c < columns; c++)
    for (ptrdiff_t r = 0; r < VW; r++) out[c * stride + r] = r < rows ? in[r * ld + c] : 0;
}

/* The way back: out[r * ld + c] = in[c * stride + r]. */
INLINE void FK_LEAF(transpose_out)(T *out, ptrdiff_t ld, const T *in, ptrdiff_t stride, ptrdiff_t rows,
                                   ptrdiff_t columns) {
  ptrdiff_t c = 0;
  V v[VW];
  if (rows == VW) {
    for (; c + VW <= columns; c += VW) {
      UNROLL
      for (ptrdiff_t r = 0; r < VW; r++) v[r] = load(in + (c + r) * stride);
      FK_LEAF(transpose)(v);
      UNROLL
      for (ptrdiff_t r = 0; r < VW; r++) store(out + r * ld + c, v[r]);
    }
  }
  for (ptrdiff_t r = 0; r < rows; r++)
    for (ptrdiff_t b = c; b < columns; b++) out[r * ld + b] = in[b * stride + r];
}

/* packed = the transpose of A (columns, k), in strips. */
static void FK_LEAF(pack_transposed)(T *packed, const T *A, ptrdiff_t lda, ptrdiff_t k, ptrdiff_t columns) {
  for (ptrdiff_t c = 0; c < columns; c += STRIP, packed += k * STRIP) {
    FK_LEAF(transpose_in)(packed, STRIP, A + c * lda, lda, fk_min(VW, columns - c), k);
    FK_LEAF(transpose_in)
    (packed + VW, STRIP, columns - c > VW ? A + (c + VW) * lda : A, lda, fk_max(0, fk_min(VW, columns - c - VW)), k);
  }
}

/* packed = A (k, columns), row p times scale[p] when there is one, in strips. */
static void FK_LEAF(pack)(T *packed, const T *A, ptrdiff_t lda, const T *scale, ptrdiff_t k, ptrdiff_t columns) {
  for (ptrdiff_t c = 0; c < columns; c += STRIP) {
    const ptrdiff_t width = fk_min(STRIP, columns - c);
    for (ptrdiff_t p = 0; p < k; p++, packed += STRIP) {
      const T *row = A + p * lda + c;
      const T factor = scale ? scale[p] : 1;
      ptrdiff_t i = 0;
      for (; i + VW <= width; i += VW) store(packed + i, splat(factor) * load(row + i));
      if (i < STRIP) store(packed + STRIP - VW, splat(0));
      if (i == 0) store(packed, splat(0));
      for (; i < width; i++) packed[i] = factor * row[i];
    }
  }
}

/* The last vector of a row that is not whole. Out of line: there are many tiles. */
static __attribute__((noinline)) void FK_LEAF(store_edge)(T *c, const T *sum, ptrdiff_t width, T alpha, T beta) {
#pragma clang loop vectorize(disable) unroll(disable)
  for (ptrdiff_t i = 0; i < width; i++) c[i] = beta == 0 ? alpha * sum[i] : alpha * sum[i] + beta * c[i];
}

INLINE void FK_LEAF(store_tile)(T *c, V sum, ptrdiff_t width, T alpha, T beta) {
  if (width >= VW) {
    store(c, beta == 0 ? splat(alpha) * sum : splat(alpha) * sum + splat(beta) * load(c));
    return;
  }
  V edge = sum;
  FK_LEAF(store_edge)(c, (const T *)&edge, width, alpha, beta);
}

INLINE void FK_LEAF(product_tile)(T *C, ptrdiff_t ldc, const T *A, const T *B, ptrdiff_t rows, ptrdiff_t width,
                                  ptrdiff_t k, T alpha, T beta, const int height, const int vectors) {
  V sum[HEIGHT][2];
  UNROLL
  for (int a = 0; a < height; a++) sum[a][0] = sum[a][1] = splat(0);
  for (ptrdiff_t p = 0; p < k; p++) {
    const V b0 = load(B + p * STRIP), b1 = vectors == 2 ? load(B + p * STRIP + VW) : splat(0);
    UNROLL
    for (int a = 0; a < height; a++) {
      const V left = splat(A[a * ROW_STRIDE + p]);
      sum[a][0] = left * b0 + sum[a][0];
      if (vectors == 2) sum[a][1] = left * b1 + sum[a][1];
    }
  }
  UNROLL
  for (int a = 0; a < height; a++) {
    if (a >= rows) continue;
    FK_LEAF(store_tile)(C + a * ldc, sum[a][0], width, alpha, beta);
    if (vectors == 2) FK_LEAF(store_tile)(C + a * ldc + VW, sum[a][1], width - VW, alpha, beta);
  }
}

/* Of row a only the elements before column a + 1 + limit are needed. */
INLINE void FK_LEAF(product_strips)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t rows,
                                    ptrdiff_t columns, ptrdiff_t k, T alpha, T beta, ptrdiff_t limit) {
  T copy[HEIGHT * ROW_STRIDE] __attribute__((aligned(64)));
  ptrdiff_t tiles = (rows + HEIGHT - 1) / HEIGHT;
  for (ptrdiff_t first = 0, count; tiles > 0; tiles--, first += count) {
    count = (rows - first + tiles - 1) / tiles; /* tiles as equal as can be */
    const ptrdiff_t even = (count + 1) / 2 * 2;
    for (ptrdiff_t a = 0; a < even; a++) {
      const T *row = A + (first + fk_min(a, count - 1)) * lda;
      ptrdiff_t p = 0;
      for (; p + VW <= k; p += VW) store(copy + a * ROW_STRIDE + p, load(row + p));
      if (k >= VW) store(copy + a * ROW_STRIDE + k - VW, load(row + k - VW));
      else
        for (; p < k; p++) copy[a * ROW_STRIDE + p] = row[p];
    }
    for (ptrdiff_t c = 0; c < columns; c += STRIP) {
      T *out = C + first * ldc + c;
      const T *strip = B + c * k;
      const ptrdiff_t width = fk_min(fk_min(STRIP, columns - c), first + count + limit);
#define TILE_OF(h)                                                                                                     \
  case h:                                                                                                              \
    if (width > VW) FK_LEAF(product_tile)(out, ldc, copy, strip, count, width, k, alpha, beta, h, 2);                  \
    else FK_LEAF(product_tile)(out, ldc, copy, strip, count, width, k, alpha, beta, h, 1);                             \
    break;
      switch (even) { TILE_HEIGHTS(TILE_OF) }
#undef TILE_OF
    }
  }
}

/* k <= FK_DEPTH. */
static void FK_LEAF(product)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t rows,
                             ptrdiff_t columns, ptrdiff_t k, T alpha, T beta) {
  FK_LEAF(product_strips)(C, ldc, A, lda, B, rows, columns, k, alpha, beta, columns);
}

/* The same where nothing above the diagonal is needed: of a strip the rows from its first column down. */
static void FK_LEAF(product_lower)(T *C, ptrdiff_t ldc, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t rows,
                                   ptrdiff_t columns, ptrdiff_t k, T alpha, T beta) {
  for (ptrdiff_t c = 0; c < fk_min(rows, columns); c += STRIP) FK_LEAF(product_strips)
  (C + c * ldc + c, ldc, A + c * lda, lda, B + c * k, rows - c, fk_min(STRIP, columns - c), k, alpha, beta, 0);
}

/* out (columns, rows) = the transpose of A (rows, columns). */
static void FK_LEAF(transposed)(T *out, ptrdiff_t ldout, const T *A, ptrdiff_t lda, ptrdiff_t rows, ptrdiff_t columns) {
  for (ptrdiff_t c = 0; c < columns; c += VW)
    FK_LEAF(transpose_out)(out + c * ldout, ldout, A + c, lda, fk_min(VW, columns - c), rows);
}

/* A (columns, rows) gets above its diagonal what A (rows, columns) has below it, columns <= rows. */
static void FK_LEAF(mirror)(T *A, ptrdiff_t lda, ptrdiff_t rows, ptrdiff_t columns) {
  for (ptrdiff_t c = 0; c < columns; c += VW) {
    const ptrdiff_t below = fk_min(c + VW, rows);
    if (c + VW <= columns) {
      V v[VW], turned[VW];
      VI lane;
      UNROLL
      for (ptrdiff_t r = 0; r < VW; r++) v[r] = turned[r] = load(A + (c + r) * lda + c), lane[r] = (INT)r;
      FK_LEAF(transpose)(turned);
      UNROLL
      for (ptrdiff_t r = 0; r < VW; r++) store(A + (c + r) * lda + c, select(lane > (INT)r, turned[r], v[r]));
    } else {
      for (ptrdiff_t a = c; a < below; a++)
        for (ptrdiff_t b = c; b < fk_min(a, columns); b++) A[b * lda + a] = A[a * lda + b];
    }
    FK_LEAF(transpose_out)
    (A + c * lda + below, lda, A + below * lda + c, lda, fk_min(VW, columns - c), rows - below);
  }
}
