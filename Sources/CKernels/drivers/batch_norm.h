/* Batch normalisation: channels go to threads in tiles, so that each sum is made by one thread in one order. */

static fk_status FK_LOCAL(check_batch_norm)(const T *mean, const T *variance, const T *S, ptrdiff_t lds, ptrdiff_t n,
                                            ptrdiff_t m, double epsilon) {
  FK_TRY(fk_check_matrix(S, m, 2, lds, sizeof(T)));
  FK_TRY(fk_check_matrix(mean, 1, m, m, sizeof(T)));
  FK_TRY(fk_check_matrix(variance, 1, m, m, sizeof(T)));
  return n >= 1 && epsilon > 0 ? FK_OK : FK_INVALID_ARGUMENT;
}

/* A division by the root of the variance counts; the passes over memory count more. */
#ifndef FK_BN_TILE
#define FK_BN_TILE ((ptrdiff_t)64)
#define FK_BN_FLOPS 12.0
#endif

fk_status FK_FN(batch_norm)(T *Y, ptrdiff_t ldy, T *N, ptrdiff_t ldn, T *mean, T *variance, const T *X, ptrdiff_t ldx,
                            const T *S, ptrdiff_t lds, ptrdiff_t n, ptrdiff_t m, double epsilon, int threads) {
  FK_TRY(fk_check_matrix(Y, n, m, ldy, sizeof(T)));
  FK_TRY(fk_check_matrix(N, n, m, ldn, sizeof(T)));
  FK_TRY(fk_check_matrix(X, n, m, ldx, sizeof(T)));
  FK_TRY(FK_LOCAL(check_batch_norm)(mean, variance, S, lds, n, m, epsilon));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, FK_BN_FLOPS * (double)n * (double)m);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (tile, fk_ceil_div(m, FK_BN_TILE)) {
    const ptrdiff_t c = tile * FK_BN_TILE;
    ops->batch_norm(Y + c, ldy, N + c, ldn, mean + c, variance + c, X + c, ldx, S + c * lds, lds, n,
                    fk_min(m - c, FK_BN_TILE), (T)epsilon);
  }
  return FK_OK;
}

fk_status FK_FN(batch_norm_backward)(T *D, ptrdiff_t ldd, T *G, ptrdiff_t ldg, const T *N, ptrdiff_t ldn,
                                     const T *variance, const T *S, ptrdiff_t lds, ptrdiff_t n, ptrdiff_t m,
                                     double epsilon, int threads) {
  FK_TRY(fk_check_matrix(D, n, m, ldd, sizeof(T)));
  FK_TRY(fk_check_matrix(G, m, 2, ldg, sizeof(T)));
  FK_TRY(fk_check_matrix(N, n, m, ldn, sizeof(T)));
  FK_TRY(FK_LOCAL(check_batch_norm)(variance, variance, S, lds, n, m, epsilon));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, FK_BN_FLOPS * (double)n * (double)m);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (tile, fk_ceil_div(m, FK_BN_TILE)) {
    const ptrdiff_t c = tile * FK_BN_TILE;
    ops->batch_norm_backward(D + c, ldd, G + c * ldg, ldg, N + c, ldn, variance + c, S + c * lds, lds, n,
                             fk_min(m - c, FK_BN_TILE), (T)epsilon);
  }
  return FK_OK;
}

fk_status FK_FN(batch_norm_fixed)(T *Y, ptrdiff_t ldy, const T *mean, const T *variance, const T *X, ptrdiff_t ldx,
                                  const T *S, ptrdiff_t lds, ptrdiff_t n, ptrdiff_t m, double epsilon, int threads) {
  FK_TRY(fk_check_matrix(Y, n, m, ldy, sizeof(T)));
  FK_TRY(fk_check_matrix(X, n, m, ldx, sizeof(T)));
  FK_TRY(FK_LOCAL(check_batch_norm)(mean, variance, S, lds, n, m, epsilon));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, FK_BN_FLOPS * (double)n * (double)m);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (tile, fk_ceil_div(m, FK_BN_TILE)) {
    const ptrdiff_t c = tile * FK_BN_TILE;
    ops->batch_norm_fixed(Y + c, ldy, mean + c, variance + c, X + c, ldx, S + c * lds, lds, n,
                          fk_min(m - c, FK_BN_TILE), (T)epsilon);
  }
  return FK_OK;
}
