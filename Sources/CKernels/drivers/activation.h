/* f, f' and nu_f, row by row. */

/* The flops an exponential is worth when deciding on threads. */
#ifndef FK_EXP_FLOPS
#define FK_EXP_FLOPS 20.0
#endif

static fk_status FK_LOCAL(check_activation)(const fk_activation *a) {
  if (a->kind < FK_TANH || a->kind > FK_GELU) return FK_INVALID_ARGUMENT;
  if (a->kind == FK_RELU && !(a->iota >= 0 && a->iota < 1 && a->omega >= 0 && a->omega < 1e30))
    return FK_INVALID_ARGUMENT;
  if (a->kind == FK_ELU && !(a->alpha >= 0 && a->alpha < 1e30)) return FK_INVALID_ARGUMENT;
  return FK_OK;
}

fk_status FK_FN(activation)(T *value, ptrdiff_t ldvalue, T *derivative, ptrdiff_t ldderivative, T *nu, ptrdiff_t ldnu,
                            const T *z, ptrdiff_t ldz, ptrdiff_t n, ptrdiff_t m, fk_activation activation,
                            int threads) {
  FK_TRY(FK_LOCAL(check_activation)(&activation));
  FK_TRY(fk_check_matrix(z, n, m, ldz, sizeof(T)));
  if (value) FK_TRY(fk_check_matrix(value, n, m, ldvalue, sizeof(T)));
  if (derivative) FK_TRY(fk_check_matrix(derivative, n, m, ldderivative, sizeof(T)));
  if (nu) FK_TRY(fk_check_matrix(nu, n, m, ldnu, sizeof(T)));
  if (m == 0) return FK_OK;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  int team = fk_threads_for(threads, (double)n * (double)m * FK_EXP_FLOPS);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (s, n)
    ops->activation(value ? value + s * ldvalue : NULL, derivative ? derivative + s * ldderivative : NULL,
                    nu ? nu + s * ldnu : NULL, z + s * ldz, m, &activation);
  return FK_OK;
}

fk_status FK_FN(activation_backward)(T *delta, ptrdiff_t lddelta, const T *z, ptrdiff_t ldz, ptrdiff_t n, ptrdiff_t m,
                                     fk_activation activation, int threads) {
  FK_TRY(FK_LOCAL(check_activation)(&activation));
  FK_TRY(fk_check_matrix(z, n, m, ldz, sizeof(T)));
  FK_TRY(fk_check_matrix(delta, n, m, lddelta, sizeof(T)));
  if (m == 0) return FK_OK;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  int team = fk_threads_for(threads, (double)n * (double)m * FK_EXP_FLOPS);
  (void)team;
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (s, n) ops->activation_backward(delta + s * lddelta, z + s * ldz, m, &activation);
  return FK_OK;
}
