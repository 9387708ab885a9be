/* Between matrices of rows and groups of lanes, where one vector holds the same element of several neurons. Included by
 * the bodies of drivers, for T. Lanes past the last neuron are zero. */

/* x (d, lanes) = the rows of V (m,d) that belong to the group. */
static inline void FK_LOCAL(lanes_from_rows)(const OPS *ops, T *x, const T *V, ptrdiff_t ldv, ptrdiff_t d, ptrdiff_t m,
                                             ptrdiff_t group) {
  const ptrdiff_t first = group * FK_LANES, lanes = fk_min(FK_LANES, m - first);
  ops->transposed(x, FK_LANES, V + first * ldv, ldv, lanes, d);
  for (ptrdiff_t j = 0; lanes < FK_LANES && j < d; j++)
    for (ptrdiff_t lane = lanes; lane < FK_LANES; lane++) x[j * FK_LANES + lane] = 0;
}

static inline void FK_LOCAL(rows_from_lanes)(const OPS *ops, T *D, ptrdiff_t ldd, const T *x, ptrdiff_t d, ptrdiff_t m,
                                             ptrdiff_t group) {
  const ptrdiff_t first = group * FK_LANES, lanes = fk_min(FK_LANES, m - first);
  ops->transposed(D + first * ldd, ldd, x, FK_LANES, d, lanes);
}

/* x (n, lanes) = the columns of Z (n,m) that belong to the group. */
static inline void FK_LOCAL(lanes_from_columns)(T *x, const T *Z, ptrdiff_t ldz, ptrdiff_t n, ptrdiff_t m,
                                                ptrdiff_t group) {
  const ptrdiff_t first = group * FK_LANES, lanes = fk_min(FK_LANES, m - first);
  for (ptrdiff_t s = 0; s < n; s++) {
    for (ptrdiff_t lane = 0; lane < lanes; lane++) x[s * FK_LANES + lane] = Z[s * ldz + first + lane];
    for (ptrdiff_t lane = lanes; lane < FK_LANES; lane++) x[s * FK_LANES + lane] = 0;
  }
}

static inline void FK_LOCAL(columns_from_lanes)(T *Z, ptrdiff_t ldz, const T *x, ptrdiff_t n, ptrdiff_t m,
                                                ptrdiff_t group) {
  const ptrdiff_t first = group * FK_LANES, lanes = fk_min(FK_LANES, m - first);
  for (ptrdiff_t s = 0; s < n; s++)
    for (ptrdiff_t lane = 0; lane < lanes; lane++) Z[s * ldz + first + lane] = x[s * FK_LANES + lane];
}
