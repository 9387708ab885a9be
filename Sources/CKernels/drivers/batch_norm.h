/* Batch normalisation, a cache line of channels at a time: a channel is one thread's, so that its sums have one order.
 */

#ifndef FK_NORM_FLOPS
#define FK_NORM_FLOPS 20.0 /* what an element is worth when deciding on threads: three visits */
#endif

static fk_status FK_LOCAL(check_channels)(const T *vector, ptrdiff_t m) {
  return fk_check_matrix(vector, 1, m, m, sizeof(T));
}

fk_status FK_FN(batch_norm_forward)(T *Y, ptrdiff_t ldy, T *xhat, ptrdiff_t ldxhat, T *mean, T *variance, T *istd,
                                    const T *X, ptrdiff_t ldx, const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t m,
                                    double epsilon, int threads) {
  FK_TRY(fk_check_matrix(Y, n, m, ldy, sizeof(T)));
  FK_TRY(fk_check_matrix(xhat, n, m, ldxhat, sizeof(T)));
  FK_TRY(fk_check_matrix(X, n, m, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(W, m, 2, ldw, sizeof(T)));
  FK_TRY(FK_LOCAL(check_channels)(mean, m));
  FK_TRY(FK_LOCAL(check_channels)(variance, m));
  FK_TRY(FK_LOCAL(check_channels)(istd, m));
  if (n == 0 || !(epsilon >= 0 && epsilon <= 1e30)) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, FK_NORM_FLOPS * (double)n * (double)m);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (t, fk_ceil_div(m, FK_LANES)) {
    const ptrdiff_t i = t * FK_LANES;
    ops->batch_norm_forward(Y + i, ldy, xhat + i, ldxhat, mean + i, variance + i, istd + i, X + i, ldx, W + i * ldw,
                            ldw, n, fk_min(m - i, FK_LANES), (T)epsilon);
  }
  return FK_OK;
}

fk_status FK_FN(batch_norm_backward)(T *dX, ptrdiff_t lddx, T *G, ptrdiff_t ldg, const T *dY, ptrdiff_t lddy,
                                     const T *xhat, ptrdiff_t ldxhat, const T *istd, const T *W, ptrdiff_t ldw,
                                     ptrdiff_t n, ptrdiff_t m, int threads) {
  FK_TRY(fk_check_matrix(dX, n, m, lddx, sizeof(T)));
  FK_TRY(fk_check_matrix(G, m, 2, ldg, sizeof(T)));
  FK_TRY(fk_check_matrix(dY, n, m, lddy, sizeof(T)));
  FK_TRY(fk_check_matrix(xhat, n, m, ldxhat, sizeof(T)));
  FK_TRY(fk_check_matrix(W, m, 2, ldw, sizeof(T)));
  FK_TRY(FK_LOCAL(check_channels)(istd, m));
  if (n == 0) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, FK_NORM_FLOPS * (double)n * (double)m);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (t, fk_ceil_div(m, FK_LANES)) {
    const ptrdiff_t i = t * FK_LANES;
    ops->batch_norm_backward(dX + i, lddx, G + i * ldg, ldg, dY + i, lddy, xhat + i, ldxhat, istd + i, W + i * ldw, ldw,
                             n, fk_min(m - i, FK_LANES));
  }
  return FK_OK;
}

fk_status FK_FN(batch_norm_evaluate)(T *Y, ptrdiff_t ldy, const T *X, ptrdiff_t ldx, const T *mean, const T *variance,
                                     const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t m, double epsilon, int threads) {
  FK_TRY(fk_check_matrix(Y, n, m, ldy, sizeof(T)));
  FK_TRY(fk_check_matrix(X, n, m, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(W, m, 2, ldw, sizeof(T)));
  FK_TRY(FK_LOCAL(check_channels)(mean, m));
  FK_TRY(FK_LOCAL(check_channels)(variance, m));
  if (!(epsilon >= 0 && epsilon <= 1e30)) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, FK_NORM_FLOPS * (double)n * (double)m);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (t, n > 0 ? fk_ceil_div(m, FK_LANES) : 0) {
    const ptrdiff_t i = t * FK_LANES;
    ops->batch_norm_evaluate(Y + i, ldy, X + i, ldx, mean + i, variance + i, W + i * ldw, ldw, n,
                             fk_min(m - i, FK_LANES), (T)epsilon);
  }
  return FK_OK;
}
