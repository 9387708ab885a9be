/* The kernel (Woodbury) form: with S = diag(sqrt nu) X / sqrt n, a solve with the (d,d) matrix lambda I + S^T S by the
 * factors of the (n,n) matrix lambda I + S S^T. */
#include <math.h>

#include "internal/lanes.h"

/* `planes` of (groups, n, lanes) and a matrix of `matrix` elements, in bytes, or -1. */
static ptrdiff_t FK_LOCAL(kernel_work_size)(ptrdiff_t matrix, ptrdiff_t planes, ptrdiff_t n, ptrdiff_t m) {
  ptrdiff_t lanes, elements, bytes;
  if (m > PTRDIFF_MAX - FK_LANES) return -1;
  if (!fk_multiply(&lanes, fk_ceil_div(m, FK_LANES) * FK_LANES, n) || !fk_multiply(&elements, lanes, planes)) return -1;
  if (__builtin_add_overflow(elements, matrix, &elements)) return -1;
  if (!fk_multiply(&bytes, elements, (ptrdiff_t)sizeof(T)) || bytes > PTRDIFF_MAX - FK_CACHE_LINE) return -1;
  return bytes + FK_CACHE_LINE;
}

/* K, and the roots. */
ptrdiff_t FK_FN(kernel_batch_factor_work_size)(ptrdiff_t n, ptrdiff_t m) {
  ptrdiff_t matrix;
  if (n < 0 || m < 0 || !fk_multiply(&matrix, n, n)) return -1;
  return FK_LOCAL(kernel_work_size)(matrix, 1, n, m);
}

/* The roots, the system's right-hand sides or solutions, and for refinements q: and a matrix (n,m) for products. */
ptrdiff_t FK_FN(kernel_batch_solve_work_size)(ptrdiff_t n, ptrdiff_t m, int refinements) {
  ptrdiff_t matrix;
  if (n < 0 || m < 0 || refinements < 0 || !fk_multiply(&matrix, n, m)) return -1;
  return FK_LOCAL(kernel_work_size)(matrix, refinements > 0 ? 3 : 2, n, m);
}

/* The diagonals sqrt(nu / n) of S for a group: root (n, lanes). */
static void FK_LOCAL(kernel_roots)(const OPS *ops, T *root, const T *nu, ptrdiff_t ldnu, ptrdiff_t n, ptrdiff_t m,
                                   ptrdiff_t group) {
  FK_LOCAL(lanes_from_columns)(root, nu, ldnu, n, m, group);
  ops->scaled_root(root, n * FK_LANES, 1 / (T)n);
}

/* Both calls divide by it. */
static int FK_LOCAL(is_damping)(double damping) {
  const T lambda = (T)damping;
  return lambda > 0 && isfinite(lambda) && isfinite(1 / lambda);
}

fk_status FK_FN(kernel_batch_factor)(T *L, ptrdiff_t *info, fk_failure *failure, const T *X, ptrdiff_t ldx, const T *nu,
                                     ptrdiff_t ldnu, ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double damping, void *work,
                                     ptrdiff_t work_size, int threads) {
  FK_TRY(fk_check_matrix(X, n, d, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(nu, n, m, ldnu, sizeof(T)));
  const ptrdiff_t needed = FK_FN(kernel_batch_factor_work_size)(n, m);
  if (FK_FN(block_batch_count)(n, m) < 0 || needed < 0 || !fk_fits_blas(n, d, m, ldx)) return FK_SIZE_OVERFLOW;
  if (!FK_LOCAL(is_damping)(damping)) return FK_INVALID_ARGUMENT;
  if (n == 0 || m == 0) return FK_OK;
  if (L == NULL || work == NULL || work_size < needed) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t groups = fk_ceil_div(m, FK_LANES), stride = fk_triangle(n) * FK_LANES, plane = n * FK_LANES;
  T *roots = fk_align(work), *K = roots + groups * plane;
  FK_TRY(FK_FN(gemm)(K, n, X, ldx, 0, X, ldx, 1, n, n, d, 1, 0, threads));
  const int team = fk_threads_for(threads, (double)m * (double)n * (double)n);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (group, groups) {
    T *root = roots + group * plane;
    FK_LOCAL(kernel_roots)(ops, root, nu, ldnu, n, m, group);
    ops->kernel_block(L + group * stride, root, K, n, n);
  }
  return FK_FN(cholesky_batch)(L, info, failure, n, m, 1, damping, threads);
}

/* One group's part of a pass, x (n, lanes): from a product with the samples to what the next is made with. At first,
 * from X v, sqrt(nu / n) times q, of which a copy is kept where q is not NULL; then, from X d, sqrt(nu / n) times w. */
static void FK_LOCAL(kernel_solve_group)(const OPS *ops, T *x, T *q, const T *root, const T *L, ptrdiff_t n, int pass,
                                         T damping) {
  const ptrdiff_t width = FK_LANES / ops->slices, plane = n * FK_LANES;
  if (pass == 0) ops->multiply(x, root, plane);
  else ops->subtract_product(x, q, root, plane);
  for (ptrdiff_t slice = 0; slice < ops->slices; slice++) ops->cholesky_solve(x + slice * width, L + slice * width, n);
  if (pass > 0) ops->axpy(q, x, plane, -damping);
  else if (q) memcpy(q, x, (size_t)plane * sizeof(T));
  ops->multiply(x, root, plane);
}

fk_status FK_FN(kernel_batch_solve)(T *D, ptrdiff_t ldd, const T *L, const T *X, ptrdiff_t ldx, const T *nu,
                                    ptrdiff_t ldnu, const T *vectors, ptrdiff_t ldv, ptrdiff_t n, ptrdiff_t d,
                                    ptrdiff_t m, double damping, int refinements, void *work, ptrdiff_t work_size,
                                    int threads) {
  FK_TRY(fk_check_matrix(D, m, d, ldd, sizeof(T)));
  FK_TRY(fk_check_matrix(X, n, d, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(nu, n, m, ldnu, sizeof(T)));
  FK_TRY(fk_check_matrix(vectors, m, d, ldv, sizeof(T)));
  if (refinements < 0 || !FK_LOCAL(is_damping)(damping)) return FK_INVALID_ARGUMENT;
  const ptrdiff_t needed = FK_FN(kernel_batch_solve_work_size)(n, m, refinements);
  if (FK_FN(block_batch_count)(n, m) < 0 || needed < 0 || !fk_fits_blas(n, fk_max(ldx, ldd), m, ldv))
    return FK_SIZE_OVERFLOW;
  if (d == 0 || m == 0) return FK_OK;
  if (n > 0 && (L == NULL || work == NULL || work_size < needed)) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t groups = fk_ceil_div(m, FK_LANES), stride = fk_triangle(n) * FK_LANES, plane = n * FK_LANES;
  /* 2 m n^2 flops at half the rate of a product, and the vectors copied */
  const int team = fk_threads_for(threads, 4 * (double)m * (double)n * (double)n + (double)m * (double)d);
  (void)team;
  T *roots = fk_align(work), *solutions = roots + groups * plane, *kept = solutions + groups * plane;
  T *products = refinements > 0 ? kept + groups * plane : kept;
  for (int pass = 0; pass <= refinements; pass++) {
    const T *rows = pass == 0 ? vectors : D;
    FK_TRY(FK_FN(gemm)(products, m, X, ldx, 0, rows, pass == 0 ? ldv : ldd, 1, n, m, d, 1, 0, threads));
#pragma omp parallel num_threads(team) if (team > 1)
    FK_FOR (group, groups) {
      T *root = roots + group * plane, *x = solutions + group * plane;
      if (pass == 0) FK_LOCAL(kernel_roots)(ops, root, nu, ldnu, n, m, group);
      FK_LOCAL(lanes_from_columns)(x, products, m, n, m, group);
      FK_LOCAL(kernel_solve_group)
      (ops, x, refinements > 0 ? kept + group * plane : NULL, root, L + group * stride, n, pass, (T)damping);
      FK_LOCAL(columns_from_lanes)(products, m, x, n, m, group);
      for (ptrdiff_t i = group * FK_LANES; rows != D && i < fk_min(m, (group + 1) * FK_LANES); i++)
        memcpy(D + i * ldd, rows + i * ldv, (size_t)d * sizeof(T));
    }
    /* D = (V - Q^T X) / lambda at first, D + W^T X to refine */
    FK_TRY(FK_FN(gemm)(D, ldd, products, m, 1, X, ldx, 0, m, d, n, pass == 0 ? -1 / damping : 1,
                       pass == 0 ? 1 / damping : 1, threads));
  }
  /* with a block that failed q is 0, and V / lambda would pass for a direction */
  for (ptrdiff_t i = 0; i < m && n > 0; i++)
    if (L[i / FK_LANES * stride + i % FK_LANES] == 0) memset(D + i * ldd, 0, (size_t)d * sizeof(T));
  return FK_OK;
}
