/* Softmax of one row, and the product with the factor diag(eta) - eta eta^T of eq 10. */

static void FK_LEAF(softmax)(T *eta, T *nu, const T *z, ptrdiff_t m) {
  T largest = z[0];
  for (ptrdiff_t i = 1; i < m; i++) largest = z[i] > largest ? z[i] : largest;
  T total = 0;
  T *out = eta ? eta : nu;
  for (ptrdiff_t i = 0; i < m; i += VW) {
    ptrdiff_t part = m - i;
    if (part >= VW) {
      V e = vexp(load(z + i) - splat(largest));
      store(out + i, e);
      total += vsum(e);
    } else {
      V e = vexp(FK_LEAF(load_part)(z + i, part) - splat(largest));
      FK_LEAF(store_part)(out + i, e, part);
      for (ptrdiff_t k = 0; k < part; k++) total += e[k];
    }
  }
  /* 1 - eta_i = (total - e_i) / total loses nothing but rounding of the sum, unless eta_i is all of it: then the other
   * terms are added up by themselves. */
  T inverse = 1 / total;
  for (ptrdiff_t i = 0; nu && i < m; i++) {
    T e = out[i], others = total - e;
    if (others < (T)0.25 * total) {
      others = 0;
      for (ptrdiff_t k = 0; k < m; k++) {
        if (k == i) continue;
        others += vexp(splat(z[k] - largest))[0];
      }
    }
    if (eta) eta[i] = e * inverse;
    nu[i] = (e * inverse) * (others * inverse);
  }
  for (ptrdiff_t i = 0; !nu && i < m; i++) eta[i] *= inverse;
}

/* s (which holds z) = eta * z - eta (eta . z). Equal shifts of all z change nothing, so the likeliest class's is taken
 * off first: where the network is sure of it, its own entry is then a sum of small terms and not a difference of large
 * ones.
 */
static void FK_LEAF(softmax_project)(T *s, const T *eta, ptrdiff_t m) {
  ptrdiff_t i, likeliest = 0;
  for (i = 1; i < m; i++)
    if (eta[i] > eta[likeliest]) likeliest = i;
  const T shift = s[likeliest];
  V partial = splat(0);
  for (i = 0; i + VW <= m; i += VW) {
    V z = load(s + i) - splat(shift);
    store(s + i, z);
    partial = load(eta + i) * z + partial;
  }
  T dot = vsum(partial);
  for (; i < m; i++) {
    s[i] -= shift;
    dot += eta[i] * s[i];
  }
  for (i = 0; i + VW <= m; i += VW) store(s + i, load(eta + i) * (load(s + i) - splat(dot)));
  for (; i < m; i++) s[i] = eta[i] * (s[i] - dot);
}
