/* Softmax, its loss, and its relative Fisher matrix (eq 10) as a product with vectors. */
#include <math.h>

fk_status FK_FN(softmax)(T *eta, ptrdiff_t ldeta, T *nu, ptrdiff_t ldnu, const T *z, ptrdiff_t ldz, ptrdiff_t n,
                         ptrdiff_t m, int threads) {
  FK_TRY(fk_check_matrix(z, n, m, ldz, sizeof(T)));
  if (eta) FK_TRY(fk_check_matrix(eta, n, m, ldeta, sizeof(T)));
  if (nu) FK_TRY(fk_check_matrix(nu, n, m, ldnu, sizeof(T)));
  if (m == 0 || (!eta && !nu)) return FK_OK;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, (double)n * (double)m * 20);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (s, n) ops->softmax(eta ? eta + s * ldeta : NULL, nu ? nu + s * ldnu : NULL, z + s * ldz, m);
  return FK_OK;
}

#ifndef FK_LOSS_ROWS
#define FK_EXP_FLOPS 1000.0           /* an exponential in double precision takes as long */
#define FK_LOSS_ROWS ((ptrdiff_t)512) /* rows whose losses are kept until they are summed, in order */
#endif

/* The loss of one row; *right = whether the label's logit is the largest, the first of equal ones. */
static double FK_LOCAL(row_loss)(const T *row, ptrdiff_t label, ptrdiff_t m, int *right) {
  /* log sum e^{z_i - z_label} = largest + log sum e^{z_i - z_label - largest}, no term above 1 */
  double largest = 0, sum = (double)row[label] - (double)row[label]; /* 0, or NaN for a logit that is not finite */
  int best = 1;
  for (ptrdiff_t i = 0; i < m; i++) {
    const double difference = (double)row[i] - (double)row[label];
    largest = difference > largest ? difference : largest;
    best &= i < label ? difference < 0 : difference <= 0; /* false for a NaN */
  }
  for (ptrdiff_t i = 0; i < m; i++)
    if (i != label || largest > 0) sum += exp((double)row[i] - (double)row[label] - largest);
  *right = best;
  /* with the label on top the sum is 1 + (the others): log1p keeps a tiny loss exact */
  return largest > 0 ? largest + log(sum) : log1p(sum);
}

fk_status FK_FN(softmax_cross_entropy)(double *loss, ptrdiff_t *correct, T *delta, ptrdiff_t lddelta, const T *z,
                                       ptrdiff_t ldz, const int32_t *labels, ptrdiff_t n, ptrdiff_t m, double scale) {
  FK_TRY(fk_check_matrix(z, n, m, ldz, sizeof(T)));
  if (delta) FK_TRY(fk_check_matrix(delta, n, m, lddelta, sizeof(T)));
  if (loss == NULL || (labels == NULL && n > 0)) return FK_INVALID_ARGUMENT;
  for (ptrdiff_t s = 0; s < n; s++)
    if (labels[s] < 0 || labels[s] >= m) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, (double)n * (double)m * FK_EXP_FLOPS);
  (void)team;
  double total = 0;
  ptrdiff_t right = 0;
  for (ptrdiff_t first = 0; first < n; first += FK_LOSS_ROWS) {
    const ptrdiff_t rows = fk_min(FK_LOSS_ROWS, n - first);
    double losses[FK_LOSS_ROWS];
    int hits[FK_LOSS_ROWS];
#pragma omp parallel num_threads(team) if (team > 1)
    FK_FOR (r, rows) {
      const ptrdiff_t s = first + r;
      losses[r] = FK_LOCAL(row_loss)(z + s * ldz, labels[s], m, &hits[r]);
      if (!delta) continue;
      T *out = delta + s * lddelta;
      ops->softmax(out, NULL, z + s * ldz, m);
      for (ptrdiff_t i = 0; i < m; i++) out[i] = (out[i] - (i == labels[s])) * (T)scale;
    }
    for (ptrdiff_t r = 0; r < rows; r++) total += losses[r], right += hits[r];
  }
  *loss = total;
  if (correct) *correct = right;
  return FK_OK;
}

ptrdiff_t FK_FN(softmax_block_matvec_work_size)(ptrdiff_t n, ptrdiff_t m) {
  ptrdiff_t elements, bytes;
  if (n < 0 || m < 0 || !fk_multiply(&elements, n, m) || !fk_multiply(&bytes, elements, (ptrdiff_t)sizeof(T)))
    return -1;
  return bytes > PTRDIFF_MAX - FK_CACHE_LINE ? -1 : bytes + FK_CACHE_LINE;
}

fk_status FK_FN(softmax_block_matvec)(T *R, ptrdiff_t ldr, const T *X, ptrdiff_t ldx, const T *eta, ptrdiff_t ldeta,
                                      const T *vectors, ptrdiff_t ldv, ptrdiff_t n, ptrdiff_t d, ptrdiff_t m,
                                      double alpha, void *work, ptrdiff_t work_size, int threads) {
  FK_TRY(fk_check_matrix(X, n, d, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(eta, n, m, ldeta, sizeof(T)));
  FK_TRY(fk_check_matrix(vectors, m, d, ldv, sizeof(T)));
  FK_TRY(fk_check_matrix(R, m, d, ldr, sizeof(T)));
  const ptrdiff_t needed = FK_FN(softmax_block_matvec_work_size)(n, m);
  if (needed < 0) return FK_SIZE_OVERFLOW;
  if (m == 0 || d == 0) return FK_OK;
  if (n > 0 && (work == NULL || work_size < needed)) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  T *S = fk_align(work);
  FK_TRY(FK_FN(gemm)(S, m, X, ldx, 0, vectors, ldv, 1, n, m, d, 1, 0, threads));
  const int team = fk_threads_for(threads, (double)n * (double)m * 4);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (s, n) ops->softmax_project(S + s * m, eta + s * ldeta, m);
  return FK_FN(gemm)(R, ldr, S, m, 1, X, ldx, 0, m, d, n, alpha, 0, threads);
}
