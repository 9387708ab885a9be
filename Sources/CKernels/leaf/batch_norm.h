/* Batch normalisation of some channels, side by side in the rows of X. Sums are made of blocks of FK_BN_ROWS rows, so
 * that they stay as accurate as those of few samples. */
#ifndef FK_BN_ROWS
#define FK_BN_ROWS ((ptrdiff_t)64)
#define FK_BN_CHANNELS ((ptrdiff_t)64)
#endif

/* sums[c] = the sum over rows of X, or of (X - mean)^2, or of X Z, by what is not NULL. */
INLINE void FK_LEAF(column_sums)(T *restrict sums, const T *X, ptrdiff_t ldx, const T *mean, const T *Z, ptrdiff_t ldz,
                                 ptrdiff_t n, ptrdiff_t count) {
  for (ptrdiff_t c = 0; c < count; c++) sums[c] = 0;
  for (ptrdiff_t first = 0; first < n; first += FK_BN_ROWS) {
    const ptrdiff_t last = first + FK_BN_ROWS < n ? first + FK_BN_ROWS : n;
    T part[FK_BN_CHANNELS] = {0};
    for (ptrdiff_t s = first; s < last; s++) {
      const T *x = X + s * ldx;
      if (mean) {
        for (ptrdiff_t c = 0; c < count; c++) part[c] += (x[c] - mean[c]) * (x[c] - mean[c]);
      } else if (Z) {
        for (ptrdiff_t c = 0; c < count; c++) part[c] += x[c] * Z[s * ldz + c];
      } else {
        for (ptrdiff_t c = 0; c < count; c++) part[c] += x[c];
      }
    }
    for (ptrdiff_t c = 0; c < count; c++) sums[c] += part[c];
  }
}

/* count <= FK_BN_CHANNELS; S is (count, 2): scale, shift. */
static void FK_LEAF(batch_norm)(T *Y, ptrdiff_t ldy, T *N, ptrdiff_t ldn, T *mean, T *variance, const T *X,
                                ptrdiff_t ldx, const T *S, ptrdiff_t lds, ptrdiff_t n, ptrdiff_t count, T epsilon) {
  T inverse[FK_BN_CHANNELS], scale[FK_BN_CHANNELS], shift[FK_BN_CHANNELS];
  FK_LEAF(column_sums)(mean, X, ldx, NULL, NULL, 0, n, count);
  for (ptrdiff_t c = 0; c < count; c++) mean[c] /= (T)n;
  FK_LEAF(column_sums)(variance, X, ldx, mean, NULL, 0, n, count);
  for (ptrdiff_t c = 0; c < count; c++) {
    variance[c] /= (T)n;
    const T damped = variance[c] + epsilon;
    inverse[c] = 1 / (SINGLE ? (T)__builtin_sqrtf((float)damped) : (T)__builtin_sqrt((double)damped));
    scale[c] = S[c * lds];
    shift[c] = S[c * lds + 1];
  }
  for (ptrdiff_t s = 0; s < n; s++) {
    const T *x = X + s * ldx;
    T *y = Y + s * ldy, *normal = N + s * ldn;
    for (ptrdiff_t c = 0; c < count; c++) {
      const T value = (x[c] - mean[c]) * inverse[c];
      normal[c] = value;
      y[c] = scale[c] * value + shift[c];
    }
  }
}

static void FK_LEAF(batch_norm_backward)(T *D, ptrdiff_t ldd, T *G, ptrdiff_t ldg, const T *N, ptrdiff_t ldn,
                                         const T *variance, const T *S, ptrdiff_t lds, ptrdiff_t n, ptrdiff_t count,
                                         T epsilon) {
  T along[FK_BN_CHANNELS], sum[FK_BN_CHANNELS], factor[FK_BN_CHANNELS];
  FK_LEAF(column_sums)(along, D, ldd, NULL, N, ldn, n, count);
  FK_LEAF(column_sums)(sum, D, ldd, NULL, NULL, 0, n, count);
  for (ptrdiff_t c = 0; c < count; c++) {
    G[c * ldg] = along[c];
    G[c * ldg + 1] = sum[c];
    along[c] /= (T)n;
    sum[c] /= (T)n;
    const T damped = variance[c] + epsilon;
    factor[c] = S[c * lds] / (SINGLE ? (T)__builtin_sqrtf((float)damped) : (T)__builtin_sqrt((double)damped));
  }
  for (ptrdiff_t s = 0; s < n; s++) {
    T *delta = D + s * ldd;
    const T *normal = N + s * ldn;
    for (ptrdiff_t c = 0; c < count; c++) delta[c] = factor[c] * (delta[c] - sum[c] - normal[c] * along[c]);
  }
}

static void FK_LEAF(batch_norm_fixed)(T *Y, ptrdiff_t ldy, const T *mean, const T *variance, const T *X, ptrdiff_t ldx,
                                      const T *S, ptrdiff_t lds, ptrdiff_t n, ptrdiff_t count, T epsilon) {
  T scale[FK_BN_CHANNELS], shift[FK_BN_CHANNELS];
  for (ptrdiff_t c = 0; c < count; c++) {
    const T damped = variance[c] + epsilon;
    scale[c] = S[c * lds] / (SINGLE ? (T)__builtin_sqrtf((float)damped) : (T)__builtin_sqrt((double)damped));
    shift[c] = S[c * lds + 1];
  }
  for (ptrdiff_t s = 0; s < n; s++) {
    for (ptrdiff_t c = 0; c < count; c++) Y[s * ldy + c] = scale[c] * (X[s * ldx + c] - mean[c]) + shift[c];
  }
}
