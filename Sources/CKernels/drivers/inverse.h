/* The inverses of a factored batch, and the product of symmetric blocks with vectors: groups of neurons are shared out
 * to threads. */
#include "internal/lanes.h"

fk_status FK_FN(cholesky_batch_inverse)(T *L, ptrdiff_t d, ptrdiff_t m, int threads) {
  if (d < 0 || m < 0 || (L == NULL && d > 0 && m > 0)) return FK_INVALID_ARGUMENT;
  if (FK_FN(block_batch_count)(d, m) < 0) return FK_SIZE_OVERFLOW;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t groups = fk_ceil_div(m, FK_LANES), stride = fk_triangle(d) * FK_LANES;
  const ptrdiff_t width = FK_LANES / ops->slices;
  const int team = fk_threads_for(threads, 2 * (double)m * (double)d * (double)d * (double)d / 3);
  (void)team;
  ptrdiff_t next = 0;
#pragma omp parallel num_threads(team) if (team > 1)
  for (ptrdiff_t group; (group = fk_take(&next)) < groups;)
    for (ptrdiff_t slice = 0; slice < ops->slices; slice++)
      ops->cholesky_inverse(L + group * stride + slice * width, d);
  return FK_OK;
}

/* A vector and a product for each thread. */
ptrdiff_t FK_FN(symmetric_batch_multiply_work_size)(ptrdiff_t d, ptrdiff_t m, int threads) {
  ptrdiff_t elements, bytes, team = threads > 0 ? threads : fk_default_threads();
  if (d < 0 || m < 0 || !fk_multiply(&elements, d, 2 * team * FK_LANES)) return -1;
  if (!fk_multiply(&bytes, elements, (ptrdiff_t)sizeof(T)) || bytes > PTRDIFF_MAX - FK_CACHE_LINE) return -1;
  return bytes + FK_CACHE_LINE;
}

fk_status FK_FN(symmetric_batch_multiply)(T *D, ptrdiff_t ldd, const T *A, const T *V, ptrdiff_t ldv, ptrdiff_t d,
                                          ptrdiff_t m, void *work, ptrdiff_t work_size, int threads) {
  FK_TRY(fk_check_matrix(D, m, d, ldd, sizeof(T)));
  FK_TRY(fk_check_matrix(V, m, d, ldv, sizeof(T)));
  const ptrdiff_t needed = FK_FN(symmetric_batch_multiply_work_size)(d, m, threads);
  if (FK_FN(block_batch_count)(d, m) < 0 || needed < 0) return FK_SIZE_OVERFLOW;
  if (d == 0 || m == 0) return FK_OK;
  if (A == NULL || work == NULL || work_size < needed) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t groups = fk_ceil_div(m, FK_LANES), stride = fk_triangle(d) * FK_LANES;
  const ptrdiff_t width = FK_LANES / ops->slices;
  const int team = fk_threads_for(threads, 2 * (double)m * (double)d * (double)d);
  T *space = fk_align(work);
  ptrdiff_t next = 0;
#pragma omp parallel num_threads(team) if (team > 1)
  for (ptrdiff_t group; (group = fk_take(&next)) < groups;) {
    T *x = space + omp_get_thread_num() * 2 * d * FK_LANES, *y = x + d * FK_LANES;
    FK_LOCAL(lanes_from_rows)(ops, x, V, ldv, d, m, group);
    for (ptrdiff_t slice = 0; slice < ops->slices; slice++)
      ops->symmetric_multiply(y + slice * width, A + group * stride + slice * width, x + slice * width, d);
    FK_LOCAL(rows_from_lanes)(ops, D, ldd, y, d, m, group);
  }
  return FK_OK;
}
