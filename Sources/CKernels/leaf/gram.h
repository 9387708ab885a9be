/* The weighted Gram as one product: (packed x~x~^T)^T nu, a panel of packed elements at a time. */

/* A register tile is ELEMENTS packed elements by two vectors of neurons: as many as the registers hold. */
#define ELEMENTS (FK_REGISTERS == 32 ? 12 : 6)

static void FK_LEAF(gram_panel)(T *panel, ptrdiff_t ldpanel, const T *X, ptrdiff_t ldx, ptrdiff_t n, ptrdiff_t first,
                                ptrdiff_t last) {
  ptrdiff_t i = 0;
  while ((i + 1) * (i + 2) / 2 <= first) i++; /* element `first` is in row i */
  ptrdiff_t j = first - i * (i + 1) / 2;
  /* Row by row of the triangle; within a row the products of x_i with consecutive x_j. */
  for (ptrdiff_t e = first; e < last; i++, j = 0) {
    ptrdiff_t length = fk_min(i + 1 - j, last - e);
    T *out = panel + (e - first);
    const T *x = X;
    for (ptrdiff_t s = 0; s < n; s++, out += ldpanel, x += ldx) {
      const T *xj = x + j;
      if (length < VW) {
        for (ptrdiff_t k = 0; k < length; k++) out[k] = x[i] * xj[k];
        continue;
      }
      V xi = splat(x[i]);
      for (ptrdiff_t k = 0; k + VW <= length; k += VW) store(out + k, xi * load(xj + k));
      store(out + length - VW, xi * load(xj + length - VW)); /* the rest, overlapping what is there already */
    }
    e += length;
  }
}

/* G = beta G + a, where `lost` is what the additions before this one have lost by rounding (Kahan, with Knuth's exact
 * sum because a may be the larger): beta G is taken as G - loss G with loss = 1 - beta, whose rounding is that of a
 * small correction.
 */
INLINE void FK_LEAF(add_compensated)(T *G, T *lost, V a, T beta, T loss) {
  V g = load(G), c = load(lost);
  V addend = (a - splat(loss) * g) + splat(beta) * c;
  V sum = g + addend;
  V virtual_addend = sum - g;
  store(lost, (g - (sum - virtual_addend)) + (addend - virtual_addend));
  store(G, sum);
}

/* ELEMENTS x `vectors` tile: c0, c1 = beta c + panel^T nu0, nu1; only the first `elements` are stored. With lost0,
 * lost1 the sums are compensated. */
INLINE void FK_LEAF(gram_tile)(T *c0, T *c1, T *lost0, T *lost1, const T *panel, ptrdiff_t ldpanel, const T *nu0,
                               const T *nu1, ptrdiff_t n, ptrdiff_t elements, T beta, T loss, const int vectors) {
  V a0[ELEMENTS], a1[ELEMENTS];
  UNROLL
  for (int e = 0; e < ELEMENTS; e++) a0[e] = a1[e] = splat(0);
  for (ptrdiff_t s = 0; s < n; s++) {
    V n0 = load(nu0 + s * LANES), n1 = vectors == 2 ? load(nu1 + s * LANES) : splat(0);
    const T *o = panel + s * ldpanel;
    UNROLL
    for (int e = 0; e < ELEMENTS; e++) {
      V product = splat(o[e]);
      a0[e] = product * n0 + a0[e];
      if (vectors == 2) a1[e] = product * n1 + a1[e];
    }
  }
  UNROLL
  for (int e = 0; e < ELEMENTS; e++) {
    if (e >= elements) continue;
    T *p0 = c0 + e * LANES, *p1 = c1 + e * LANES;
    if (lost0 && beta != 0) {
      FK_LEAF(add_compensated)(p0, lost0 + e * LANES, a0[e], beta, loss);
      if (vectors == 2) FK_LEAF(add_compensated)(p1, lost1 + e * LANES, a1[e], beta, loss);
      continue;
    }
    store(p0, beta == 0 ? a0[e] : splat(beta) * load(p0) + a0[e]);
    if (vectors == 2) store(p1, beta == 0 ? a1[e] : splat(beta) * load(p1) + a1[e]);
    if (lost0) store(lost0 + e * LANES, splat(0));
    if (lost0 && vectors == 2) store(lost1 + e * LANES, splat(0));
  }
}

static void FK_LEAF(gram_accumulate)(T *G, ptrdiff_t group_stride, T *lost, ptrdiff_t lost_stride, const T *panel,
                                     ptrdiff_t ldpanel, const T *nu, ptrdiff_t nu_stride, ptrdiff_t n,
                                     ptrdiff_t elements, ptrdiff_t groups, T beta, T loss) {
  const ptrdiff_t slices = LANES / VW, columns = groups * slices;
#define SLICE(base, stride, q) ((base) + (q) / slices * (stride) + (q) % slices * VW)
  for (ptrdiff_t q = 0; q < columns; q += 2) {
    const int two = q + 1 < columns;
    const T *nu0 = SLICE(nu, nu_stride, q), *nu1 = two ? SLICE(nu, nu_stride, q + 1) : nu0;
    T *c0 = SLICE(G, group_stride, q), *c1 = two ? SLICE(G, group_stride, q + 1) : c0;
    T *l0 = lost ? SLICE(lost, lost_stride, q) : NULL, *l1 = lost && two ? SLICE(lost, lost_stride, q + 1) : l0;
    for (ptrdiff_t e = 0; e < elements; e += ELEMENTS) {
      T *p0 = c0 + e * LANES, *p1 = c1 + e * LANES;
      T *k0 = lost ? l0 + e * LANES : NULL, *k1 = lost ? l1 + e * LANES : NULL;
      if (two) FK_LEAF(gram_tile)(p0, p1, k0, k1, panel + e, ldpanel, nu0, nu1, n, elements - e, beta, loss, 2);
      else FK_LEAF(gram_tile)(p0, p1, k0, k1, panel + e, ldpanel, nu0, nu1, n, elements - e, beta, loss, 1);
    }
  }
#undef SLICE
}
