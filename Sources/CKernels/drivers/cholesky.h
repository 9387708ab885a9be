/* Batched damped Cholesky and its solve: groups of neurons are shared out to threads. */
#include "internal/lanes.h"

fk_status FK_FN(cholesky_batch)(T *G, ptrdiff_t *info, fk_failure *failure, ptrdiff_t d, ptrdiff_t m, double scale,
                                double damping, int threads) {
  if (d < 0 || m < 0 || (G == NULL && d > 0 && m > 0)) return FK_INVALID_ARGUMENT;
  if (FK_FN(block_batch_count)(d, m) < 0) return FK_SIZE_OVERFLOW;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t groups = fk_ceil_div(m, FK_LANES), stride = fk_triangle(d) * FK_LANES;
  const ptrdiff_t width = FK_LANES / ops->slices;
  const int team = fk_threads_for(threads, (double)m * (double)d * (double)d * (double)d / 3);
  (void)team;
  fk_failure first = {.block = m, .pivot = 0, .failed_blocks = 0, .value = 0};
  ptrdiff_t next = 0;
#pragma omp parallel num_threads(team) if (team > 1)
  for (ptrdiff_t group; (group = fk_take(&next)) < groups;) {
    ptrdiff_t bad[64 / sizeof(T)] = {0};
    double value[64 / sizeof(T)];
    for (ptrdiff_t slice = 0; slice < ops->slices; slice++)
      ops->cholesky(G + group * stride + slice * width, d, (T)scale, (T)damping, bad + slice * width,
                    value + slice * width);
    for (ptrdiff_t lane = 0; lane < FK_LANES && group * FK_LANES + lane < m; lane++) {
      const ptrdiff_t block = group * FK_LANES + lane;
      if (info) info[block] = bad[lane];
      if (!bad[lane]) continue;
      /* with a diagonal of zeros the solve multiplies every x_j by 0 */
      for (ptrdiff_t j = 0; j < d; j++) G[group * stride + (j * (j + 1) / 2 + j) * FK_LANES + lane] = 0;
#pragma omp critical(fk_cholesky_failure)
      {
        first.failed_blocks++;
        if (block < first.block) first.block = block, first.pivot = bad[lane] - 1, first.value = value[lane];
      }
    }
  }
  if (first.failed_blocks == 0) return FK_OK;
  if (failure) *failure = first;
  return FK_NOT_POSITIVE_DEFINITE;
}

ptrdiff_t FK_FN(cholesky_batch_solve_work_size)(ptrdiff_t d, ptrdiff_t m, int threads) {
  ptrdiff_t elements, bytes, team = threads > 0 ? threads : fk_default_threads();
  if (d < 0 || m < 0 || !fk_multiply(&elements, d, team * FK_LANES)) return -1;
  if (!fk_multiply(&bytes, elements, (ptrdiff_t)sizeof(T)) || bytes > PTRDIFF_MAX - FK_CACHE_LINE) return -1;
  return bytes + FK_CACHE_LINE;
}

fk_status FK_FN(cholesky_batch_solve)(T *D, ptrdiff_t ldd, const T *L, const T *V, ptrdiff_t ldv, ptrdiff_t d,
                                      ptrdiff_t m, void *work, ptrdiff_t work_size, int threads) {
  FK_TRY(fk_check_matrix(D, m, d, ldd, sizeof(T)));
  FK_TRY(fk_check_matrix(V, m, d, ldv, sizeof(T)));
  const ptrdiff_t needed = FK_FN(cholesky_batch_solve_work_size)(d, m, threads);
  if (FK_FN(block_batch_count)(d, m) < 0 || needed < 0) return FK_SIZE_OVERFLOW;
  if (d == 0 || m == 0) return FK_OK;
  if (L == NULL || work == NULL || work_size < needed) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t groups = fk_ceil_div(m, FK_LANES), stride = fk_triangle(d) * FK_LANES;
  const ptrdiff_t width = FK_LANES / ops->slices;
  const int team = fk_threads_for(threads, 2.0 * (double)m * (double)d * (double)d);
  T *space = fk_align(work);
  ptrdiff_t next = 0;
#pragma omp parallel num_threads(team) if (team > 1)
  for (ptrdiff_t group; (group = fk_take(&next)) < groups;) {
    T *x = space + omp_get_thread_num() * d * FK_LANES;
    FK_LOCAL(lanes_from_rows)(ops, x, V, ldv, d, m, group);
    for (ptrdiff_t slice = 0; slice < ops->slices; slice++)
      ops->cholesky_solve(x + slice * width, L + group * stride + slice * width, d);
    FK_LOCAL(rows_from_lanes)(ops, D, ldd, x, d, m, group);
  }
  return FK_OK;
}
