/* Gathering mini-batches and updating parameters. */

/* Rows of a data set are anywhere in memory: each is asked for while the rows before it are converted. */
#ifndef FK_AHEAD
#define FK_AHEAD 2
static inline void fk_prefetch(const void *p, ptrdiff_t bytes) {
  for (ptrdiff_t i = 0; i < bytes; i += FK_CACHE_LINE) __builtin_prefetch((const char *)p + i);
}
#endif

/* X is (n, width + 1); `source` has as many rows as its owner knows, so that only their presence can be checked. */
static fk_status FK_LOCAL(check_gather)(const T *X, ptrdiff_t ldx, const void *source, const int32_t *rows, ptrdiff_t n,
                                        ptrdiff_t width) {
  if (width < 0) return FK_INVALID_ARGUMENT;
  if (width == PTRDIFF_MAX) return FK_SIZE_OVERFLOW;
  FK_TRY(fk_check_matrix(X, n, width + 1, ldx, sizeof(T)));
  return n > 0 && (rows == NULL || (source == NULL && width > 0)) ? FK_INVALID_ARGUMENT : FK_OK;
}

/* Memory is what bounds these passes: an element visited weighs as many flops as may be done in the time it takes. */
#ifndef FK_VISIT_FLOPS
#define FK_VISIT_FLOPS 8.0
#define FK_PIECE ((ptrdiff_t)4096) /* elements: pieces begin on a cache line, and no two threads write to one */
#endif

/* A vector of `count` elements. */
static fk_status FK_LOCAL(check_vector)(const T *a, ptrdiff_t count) {
  return fk_check_matrix(a, 1, count, count, sizeof(T));
}

fk_status FK_FN(gather_bytes)(T *X, ptrdiff_t ldx, const uint8_t *source, const int32_t *rows, ptrdiff_t n,
                              ptrdiff_t width, double scale, int threads) {
  FK_TRY(FK_LOCAL(check_gather)(X, ldx, source, rows, n, width));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, 2 * FK_VISIT_FLOPS * (double)n * (double)width);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (r, n) {
    if (r + FK_AHEAD < n)
      fk_prefetch(source + (ptrdiff_t)rows[r + FK_AHEAD] * width, width * (ptrdiff_t)sizeof(*source));
    ops->gather_bytes(X + r * ldx, source + (ptrdiff_t)rows[r] * width, width, (T)scale);
    X[r * ldx + width] = 1;
  }
  return FK_OK;
}

fk_status FK_FN(gather_floats)(T *X, ptrdiff_t ldx, const float *source, const int32_t *rows, ptrdiff_t n,
                               ptrdiff_t width, double scale, int threads) {
  FK_TRY(FK_LOCAL(check_gather)(X, ldx, source, rows, n, width));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(threads, 2 * FK_VISIT_FLOPS * (double)n * (double)width);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (r, n) {
    if (r + FK_AHEAD < n)
      fk_prefetch(source + (ptrdiff_t)rows[r + FK_AHEAD] * width, width * (ptrdiff_t)sizeof(*source));
    ops->gather_floats(X + r * ldx, source + (ptrdiff_t)rows[r] * width, width, (T)scale);
    X[r * ldx + width] = 1;
  }
  return FK_OK;
}

fk_status FK_FN(add_weight_decay)(T *G, ptrdiff_t ldg, const T *W, ptrdiff_t ldw, ptrdiff_t m, ptrdiff_t d, double l2) {
  FK_TRY(fk_check_matrix(G, m, d, ldg, sizeof(T)));
  FK_TRY(fk_check_matrix(W, m, d, ldw, sizeof(T)));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, FK_VISIT_FLOPS * (double)m * (double)d);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (i, d > 0 ? m : 0) ops->axpy(G + i * ldg, W + i * ldw, d - 1, (T)l2);
  return FK_OK;
}

fk_status FK_FN(update_sgd)(T *W, ptrdiff_t ldw, const T *G, ptrdiff_t ldg, ptrdiff_t m, ptrdiff_t d, double rate,
                            double l2) {
  FK_TRY(fk_check_matrix(W, m, d, ldw, sizeof(T)));
  FK_TRY(fk_check_matrix(G, m, d, ldg, sizeof(T)));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, FK_VISIT_FLOPS * (double)m * (double)d);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (i, d > 0 ? m : 0) {
    T *w = W + i * ldw;
    const T *g = G + i * ldg;
    /* (an infinite weight stays one without l2) */
    if (l2 == 0) ops->axpy(w, g, d - 1, (T)-rate);
    else ops->descend(w, g, d - 1, (T)rate, (T)l2);
    ops->axpy(w + d - 1, g + d - 1, 1, (T)-rate);
  }
  return FK_OK;
}

fk_status FK_FN(update_momentum)(T *w, T *v, const T *g, ptrdiff_t count, double rate, double momentum) {
  FK_TRY(FK_LOCAL(check_vector)(w, count));
  FK_TRY(FK_LOCAL(check_vector)(v, count));
  FK_TRY(FK_LOCAL(check_vector)(g, count));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, FK_VISIT_FLOPS * (double)count);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (p, fk_ceil_div(count, FK_PIECE)) {
    const ptrdiff_t i = p * FK_PIECE;
    ops->momentum(w + i, v + i, g + i, fk_min(count - i, FK_PIECE), (T)rate, (T)momentum);
  }
  return FK_OK;
}

fk_status FK_FN(update_adam)(T *w, T *first, T *second, const T *g, ptrdiff_t count, double rate, double beta1,
                             double beta2, double epsilon) {
  FK_TRY(FK_LOCAL(check_vector)(w, count));
  FK_TRY(FK_LOCAL(check_vector)(first, count));
  FK_TRY(FK_LOCAL(check_vector)(second, count));
  FK_TRY(FK_LOCAL(check_vector)(g, count));
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, FK_VISIT_FLOPS * (double)count);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (p, fk_ceil_div(count, FK_PIECE)) {
    const ptrdiff_t i = p * FK_PIECE;
    ops->adam(w + i, first + i, second + i, g + i, fk_min(count - i, FK_PIECE), (T)rate, (T)beta1, (T)beta2,
              (T)epsilon);
  }
  return FK_OK;
}

fk_status FK_FN(row_dots)(double *dots, const T *A, ptrdiff_t lda, const T *B, ptrdiff_t ldb, ptrdiff_t m,
                          ptrdiff_t d) {
  FK_TRY(fk_check_matrix(A, m, d, lda, sizeof(T)));
  FK_TRY(fk_check_matrix(B, m, d, ldb, sizeof(T)));
  if (dots == NULL && m > 0) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, FK_VISIT_FLOPS * (double)m * (double)d);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (i, m) dots[i] = ops->dot(A + i * lda, B + i * ldb, d);
  return FK_OK;
}

fk_status FK_FN(take_gradient)(double *squares, T *C, ptrdiff_t ldc, T *G, ptrdiff_t ldg, const T *W, ptrdiff_t ldw,
                               ptrdiff_t m, ptrdiff_t d, double l2) {
  FK_TRY(fk_check_matrix(C, m, d, ldc, sizeof(T)));
  FK_TRY(fk_check_matrix(G, m, d, ldg, sizeof(T)));
  FK_TRY(fk_check_matrix(W, m, d, ldw, sizeof(T)));
  if (squares == NULL && m > 0) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, FK_VISIT_FLOPS * (double)m * (double)d);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (i, m) squares[i] = ops->take_gradient(C + i * ldc, G + i * ldg, W + i * ldw, d, (T)l2);
  return FK_OK;
}

fk_status FK_FN(all_finite)(int *result, const T *a, ptrdiff_t lda, ptrdiff_t n, ptrdiff_t m) {
  FK_TRY(fk_check_matrix(a, n, m, lda, sizeof(T)));
  if (result == NULL) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = fk_threads_for(0, FK_VISIT_FLOPS * (double)n * (double)m);
  (void)team;
  int bad = 0;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (r, m > 0 ? n : 0) {
    if (!ops->all_finite(a + r * lda, m)) __atomic_store_n(&bad, 1, __ATOMIC_RELAXED);
  }
  *result = !bad;
  return FK_OK;
}
