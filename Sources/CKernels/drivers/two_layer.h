/* A hidden layer seen through the layer above it (eqs 11 and 12): products with samples and with the weights above. */

/* Z (n,m) and A (n, outputs). */
ptrdiff_t FK_FN(two_layer_matvec_work_size)(ptrdiff_t n, ptrdiff_t m, ptrdiff_t outputs) {
  ptrdiff_t width, elements, bytes;
  if (n < 0 || m < 0 || outputs < 0 || __builtin_add_overflow(m, outputs, &width)) return -1;
  if (!fk_multiply(&elements, n, width) || !fk_multiply(&bytes, elements, (ptrdiff_t)sizeof(T))) return -1;
  return bytes > PTRDIFF_MAX - FK_CACHE_LINE ? -1 : bytes + FK_CACHE_LINE;
}

/* The rows of Z (n,m) times those of slopes, element by element. */
static void FK_LOCAL(multiply_rows)(const OPS *ops, T *Z, const T *slopes, ptrdiff_t ldslopes, ptrdiff_t n, ptrdiff_t m,
                                    int threads) {
  const int team = fk_threads_for(threads, (double)n * (double)m);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (s, n) ops->multiply(Z + s * m, slopes + s * ldslopes, m);
}

fk_status FK_FN(two_layer_matvec)(T *R, ptrdiff_t ldr, const T *X, ptrdiff_t ldx, const T *slopes, ptrdiff_t ldslopes,
                                  const T *C, ptrdiff_t ldc, const T *above, ptrdiff_t ldabove, const T *vectors,
                                  ptrdiff_t ldv, ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, ptrdiff_t outputs,
                                  fk_outputs_kind kind, double alpha, void *work, ptrdiff_t work_size, int threads) {
  FK_TRY(fk_check_matrix(R, m, d, ldr, sizeof(T)));
  FK_TRY(fk_check_matrix(X, n, d, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(slopes, n, m, ldslopes, sizeof(T)));
  FK_TRY(fk_check_matrix(C, outputs, m, ldc, sizeof(T)));
  FK_TRY(fk_check_matrix(above, n, outputs, ldabove, sizeof(T)));
  FK_TRY(fk_check_matrix(vectors, m, d, ldv, sizeof(T)));
  if (kind != FK_OUTPUTS_INDEPENDENT && kind != FK_OUTPUTS_SOFTMAX) return FK_INVALID_ARGUMENT;
  const ptrdiff_t needed = FK_FN(two_layer_matvec_work_size)(n, m, outputs);
  if (needed < 0 || !fk_fits_blas(fk_max(n, outputs), ldx, ldc, fk_max(ldr, ldv))) return FK_SIZE_OVERFLOW;
  if (m == 0 || d == 0) return FK_OK;
  if (n > 0 && (work == NULL || work_size < needed)) return FK_INVALID_ARGUMENT;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  T *Z = fk_align(work), *A = Z + n * m;
  FK_TRY(FK_FN(gemm)(Z, m, X, ldx, 0, vectors, ldv, 1, n, m, d, 1, 0, threads));
  FK_LOCAL(multiply_rows)(ops, Z, slopes, ldslopes, n, m, threads);
  FK_TRY(FK_FN(gemm)(A, outputs, Z, m, 0, C, ldc, 1, n, outputs, m, 1, 0, threads));
  const int team = fk_threads_for(threads, (double)n * (double)outputs * 4);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (s, n) {
    if (outputs == 0) continue; /* a softmax of no classes has no likeliest one */
    if (kind == FK_OUTPUTS_SOFTMAX) ops->softmax_project(A + s * outputs, above + s * ldabove, outputs);
    else ops->multiply(A + s * outputs, above + s * ldabove, outputs);
  }
  FK_TRY(FK_FN(gemm)(Z, m, A, outputs, 0, C, ldc, 0, n, m, outputs, 1, 0, threads));
  FK_LOCAL(multiply_rows)(ops, Z, slopes, ldslopes, n, m, threads);
  return FK_FN(gemm)(R, ldr, Z, m, 1, X, ldx, 0, m, d, n, alpha, 0, threads);
}
