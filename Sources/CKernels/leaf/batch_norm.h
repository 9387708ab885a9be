/* Batch normalisation of up to LANES channels, one cache line of every row: a channel is a lane, and nothing is summed
 * across lanes. */
#define SLICES (LANES / VW)
/* Rows that are summed before they are added to the sum of all: a float sum of 10,000 then rounds like one of 200. */
#define STRETCH ((ptrdiff_t)128)
#define EACH_SLICE                                                                                                     \
  UNROLL                                                                                                               \
  for (ptrdiff_t k = 0; k < SLICES; k++)

INLINE void FK_LEAF(load_channels)(V v[SLICES], const T *p, ptrdiff_t width) {
  EACH_SLICE {
    const ptrdiff_t left = width - k * VW;
    v[k] = left >= VW ? load(p + k * VW) : left > 0 ? FK_LEAF(load_part)(p + k * VW, left) : splat(0);
  }
}

INLINE void FK_LEAF(store_channels)(T *p, const V v[SLICES], ptrdiff_t width) {
  EACH_SLICE {
    const ptrdiff_t left = width - k * VW;
    if (left >= VW) store(p + k * VW, v[k]);
    else if (left > 0) FK_LEAF(store_part)(p + k * VW, v[k], left);
  }
}

INLINE void FK_LEAF(load_column)(V v[SLICES], const T *p, ptrdiff_t ld, ptrdiff_t width) {
  T line[LANES];
  for (ptrdiff_t i = 0; i < LANES; i++) line[i] = i < width ? p[i * ld] : 0;
  EACH_SLICE v[k] = load(line + k * VW);
}

INLINE void FK_LEAF(store_column)(T *p, ptrdiff_t ld, const V v[SLICES], ptrdiff_t width) {
  T line[LANES];
  EACH_SLICE store(line + k * VW, v[k]);
  for (ptrdiff_t i = 0; i < width; i++) p[i * ld] = line[i];
}

/* 1 / sqrt(variance + epsilon); NaN where that is not finite: a channel whose variance overflows does not come out as
 * beta in silence. */
INLINE void FK_LEAF(inverse_deviation)(V istd[SLICES], const V variance[SLICES], T epsilon) {
  EACH_SLICE {
    for (ptrdiff_t lane = 0; lane < VW; lane++) {
      const T sum = variance[k][lane] + epsilon;
      const T deviation = SINGLE ? (T)__builtin_sqrtf((float)sum) : (T)__builtin_sqrt((double)sum);
      istd[k][lane] = __builtin_isfinite(deviation) ? 1 / deviation : (T)__builtin_nan("");
    }
  }
}

/* mean = the mean of (x - first) - shift over the rows, or of its square. */
INLINE void FK_LEAF(channel_mean)(V mean[SLICES], const V first[SLICES], const V shift[SLICES], const T *X,
                                  ptrdiff_t ldx, ptrdiff_t n, ptrdiff_t width, const int squared) {
  EACH_SLICE mean[k] = splat(0);
  for (ptrdiff_t start = 0; start < n; start += STRETCH) {
    V part[SLICES], x[SLICES];
    EACH_SLICE part[k] = splat(0);
    for (ptrdiff_t s = start; s < fk_min(n, start + STRETCH); s++) {
      FK_LEAF(load_channels)(x, X + s * ldx, width);
      EACH_SLICE {
        const V d = (x[k] - first[k]) - shift[k];
        part[k] = squared ? d * d + part[k] : d + part[k];
      }
    }
    EACH_SLICE mean[k] = mean[k] + part[k];
  }
  EACH_SLICE mean[k] = mean[k] / splat((T)n);
}

/* All is taken of differences from the first row, and the mean is added to that only where it is given out: a channel
 * far from 0 keeps its digits, and one that is constant has variance 0 exactly. */
static void FK_LEAF(batch_norm_forward)(T *Y, ptrdiff_t ldy, T *xhat, ptrdiff_t ldxhat, T *mean, T *variance, T *istd,
                                        const T *X, ptrdiff_t ldx, const T *W, ptrdiff_t ldw, ptrdiff_t n,
                                        ptrdiff_t width, T epsilon) {
  V first[SLICES], shift[SLICES], spread[SLICES], scale[SLICES], gamma[SLICES], beta[SLICES], x[SLICES];
  FK_LEAF(load_channels)(first, X, width);
  EACH_SLICE scale[k] = splat(0);
  FK_LEAF(channel_mean)(shift, first, scale, X, ldx, n, width, 0);
  FK_LEAF(channel_mean)(spread, first, shift, X, ldx, n, width, 1);
  FK_LEAF(inverse_deviation)(scale, spread, epsilon);
  EACH_SLICE x[k] = first[k] + shift[k];
  FK_LEAF(store_channels)(mean, x, width);
  FK_LEAF(store_channels)(variance, spread, width);
  FK_LEAF(store_channels)(istd, scale, width);
  FK_LEAF(load_column)(gamma, W, ldw, width);
  FK_LEAF(load_column)(beta, W + 1, ldw, width);
  for (ptrdiff_t s = 0; s < n; s++) {
    FK_LEAF(load_channels)(x, X + s * ldx, width);
    EACH_SLICE x[k] = ((x[k] - first[k]) - shift[k]) * scale[k];
    FK_LEAF(store_channels)(xhat + s * ldxhat, x, width);
    EACH_SLICE x[k] = gamma[k] * x[k] + beta[k];
    FK_LEAF(store_channels)(Y + s * ldy, x, width);
  }
}

/* dX may be dY: a row is read before it is written, and after both sums are done. */
static void FK_LEAF(batch_norm_backward)(T *dX, ptrdiff_t lddx, T *G, ptrdiff_t ldg, const T *dY, ptrdiff_t lddy,
                                         const T *xhat, ptrdiff_t ldxhat, const T *istd, const T *W, ptrdiff_t ldw,
                                         ptrdiff_t n, ptrdiff_t width) {
  V to_gamma[SLICES], to_beta[SLICES], scale[SLICES], gamma[SLICES], d[SLICES], x[SLICES];
  EACH_SLICE to_gamma[k] = splat(0), to_beta[k] = splat(0);
  for (ptrdiff_t first = 0; first < n; first += STRETCH) {
    V products[SLICES], sums[SLICES];
    EACH_SLICE products[k] = splat(0), sums[k] = splat(0);
    for (ptrdiff_t s = first; s < fk_min(n, first + STRETCH); s++) {
      FK_LEAF(load_channels)(d, dY + s * lddy, width);
      FK_LEAF(load_channels)(x, xhat + s * ldxhat, width);
      EACH_SLICE products[k] = d[k] * x[k] + products[k], sums[k] = sums[k] + d[k];
    }
    EACH_SLICE to_gamma[k] = to_gamma[k] + products[k], to_beta[k] = to_beta[k] + sums[k];
  }
  FK_LEAF(store_column)(G, ldg, to_gamma, width);
  FK_LEAF(store_column)(G + 1, ldg, to_beta, width);
  FK_LEAF(load_channels)(scale, istd, width);
  FK_LEAF(load_column)(gamma, W, ldw, width);
  EACH_SLICE {
    scale[k] = gamma[k] * scale[k];
    to_gamma[k] = to_gamma[k] / splat((T)n);
    to_beta[k] = to_beta[k] / splat((T)n);
  }
  for (ptrdiff_t s = 0; s < n; s++) {
    FK_LEAF(load_channels)(d, dY + s * lddy, width);
    FK_LEAF(load_channels)(x, xhat + s * ldxhat, width);
    EACH_SLICE d[k] = scale[k] * (d[k] - to_beta[k] - x[k] * to_gamma[k]);
    FK_LEAF(store_channels)(dX + s * lddx, d, width);
  }
}

/* The mean is taken off before the scale is put on, not folded into a shift: a channel far from 0 keeps its digits. */
static void FK_LEAF(batch_norm_evaluate)(T *Y, ptrdiff_t ldy, const T *X, ptrdiff_t ldx, const T *mean,
                                         const T *variance, const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t width,
                                         T epsilon) {
  V center[SLICES], spread[SLICES], scale[SLICES], gamma[SLICES], beta[SLICES], x[SLICES];
  FK_LEAF(load_channels)(center, mean, width);
  FK_LEAF(load_channels)(spread, variance, width);
  FK_LEAF(inverse_deviation)(scale, spread, epsilon);
  FK_LEAF(load_column)(gamma, W, ldw, width);
  FK_LEAF(load_column)(beta, W + 1, ldw, width);
  EACH_SLICE scale[k] = gamma[k] * scale[k];
  for (ptrdiff_t s = 0; s < n; s++) {
    FK_LEAF(load_channels)(x, X + s * ldx, width);
    EACH_SLICE x[k] = scale[k] * (x[k] - center[k]) + beta[k];
    FK_LEAF(store_channels)(Y + s * ldy, x, width);
  }
}
