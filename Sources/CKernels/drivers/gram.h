/* The weighted Gram of a layer: panels of packed elements are shared out to threads; each thread builds the products
 * x~x~^T of its panel for a chunk of samples and multiplies them into all neurons while they are in its cache.
 *
 * Rounding, in units u of it and at its worst, which is many equal samples: FK_GRAM_CHUNK / 2 in registers; half a unit
 * for each chunk that is added to G. Where there are many chunks, what these additions lose is kept beside them: for a
 * block of samples in the work space, or by the caller in a batch of its own. */

#ifndef FK_GRAM_CHUNK
#define FK_GRAM_CHUNK ((ptrdiff_t)128)  /* samples summed in registers before they are added to G */
#define FK_GRAM_BLOCK ((ptrdiff_t)8192) /* samples whose nu is packed at a time: bounds the work space */
#define FK_GRAM_PANEL ((ptrdiff_t)192)  /* packed elements of a panel: with its samples it fits a level-2 cache */
#define FK_GRAM_PADDING ((ptrdiff_t)16) /* keeps rows of a panel off the same cache set, and tiles inside it */
#endif

ptrdiff_t FK_FN(gram_weighted_batch_work_size)(ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, int threads) {
  ptrdiff_t columns, packed, panels, lost, total;
  if (n < 0 || m < 0 || m > PTRDIFF_MAX - FK_LANES || fk_triangle(d) < 0) return -1;
  ptrdiff_t team = threads > 0 ? threads : fk_default_threads();
  columns = fk_ceil_div(m, FK_LANES) * FK_LANES;
  if (!fk_multiply(&packed, columns, fk_min(n, FK_GRAM_BLOCK))) return -1;
  if (!fk_multiply(&panels, team, (FK_GRAM_PANEL + FK_GRAM_PADDING) * fk_min(n, FK_GRAM_CHUNK))) return -1;
  if (!fk_multiply(&lost, columns, n > FK_GRAM_BLOCK ? team * FK_GRAM_PANEL : 0)) return -1;
  if (__builtin_add_overflow(packed, panels, &total) || __builtin_add_overflow(total, lost, &total) ||
      total > PTRDIFF_MAX / (ptrdiff_t)sizeof(T) - FK_CACHE_LINE)
    return -1;
  return total * (ptrdiff_t)sizeof(T) + FK_CACHE_LINE;
}

/* packed (groups, n, lanes) = alpha nu, zero past m. */
static void FK_LOCAL(pack_nu)(T *packed, const T *nu, ptrdiff_t ldnu, ptrdiff_t n, ptrdiff_t m, ptrdiff_t group,
                              T alpha) {
  ptrdiff_t lanes = fk_min(FK_LANES, m - group * FK_LANES);
  T *out = packed + group * n * FK_LANES;
  for (ptrdiff_t s = 0; s < n; s++, out += FK_LANES) {
    const T *in = nu + s * ldnu + group * FK_LANES;
    for (ptrdiff_t l = 0; l < lanes; l++) out[l] = alpha * in[l];
    for (ptrdiff_t l = lanes; l < FK_LANES; l++) out[l] = 0;
  }
}

/* `lost` is the caller's compensation of G, or NULL. */
static fk_status FK_LOCAL(gram_batch)(T *G, T *lost, const T *X, ptrdiff_t ldx, const T *nu, ptrdiff_t ldnu,
                                      ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double alpha, double beta, void *work,
                                      ptrdiff_t work_size, int threads) {
  FK_TRY(fk_check_matrix(X, n, d, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(nu, n, m, ldnu, sizeof(T)));
  ptrdiff_t needed = FK_FN(gram_weighted_batch_work_size)(n, d, m, threads);
  if (FK_FN(block_batch_count)(d, m) < 0 || needed < 0) return FK_SIZE_OVERFLOW;
  if (d == 0 || m == 0) return FK_OK;
  if (G == NULL || work == NULL || work_size < needed) return FK_INVALID_ARGUMENT;

  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t elements = fk_triangle(d), groups = fk_ceil_div(m, FK_LANES), stride = elements * FK_LANES;
  const ptrdiff_t panels = fk_ceil_div(elements, FK_GRAM_PANEL), ldpanel = FK_GRAM_PANEL + FK_GRAM_PADDING;
  const int team = fk_threads_for(threads, (double)n * (double)m * (double)d * (double)(d + 1));
  const ptrdiff_t columns = groups * FK_LANES, most = threads > 0 ? threads : fk_default_threads();
  T *packed = fk_align(work), *panel_space = packed + columns * fk_min(n, FK_GRAM_BLOCK);
  T *lost_space = n > FK_GRAM_BLOCK && !lost ? panel_space + most * ldpanel * FK_GRAM_CHUNK : NULL;
  if (n == 0) { /* an empty sum */
    for (ptrdiff_t i = 0; i < groups * stride; i++) G[i] = beta == 0 ? 0 : (T)beta * G[i];
    for (ptrdiff_t i = 0; lost && i < groups * stride; i++) lost[i] = beta == 0 ? 0 : (T)beta * lost[i];
    return FK_OK;
  }
  for (ptrdiff_t start = 0; start < n; start += FK_GRAM_BLOCK) {
    const ptrdiff_t block = fk_min(n - start, FK_GRAM_BLOCK);
    const T *block_nu = nu + start * ldnu, *block_x = X + start * ldx;
    const T block_beta = start == 0 ? (T)beta : 1, block_loss = start == 0 ? (T)(1 - beta) : 0;
    ptrdiff_t next = 0;
#pragma omp parallel num_threads(team) if (team > 1)
    {
      T *panel = panel_space + omp_get_thread_num() * ldpanel * fk_min(n, FK_GRAM_CHUNK);
      T *lost_here = lost_space ? lost_space + omp_get_thread_num() * columns * FK_GRAM_PANEL : NULL;
      FK_FOR (group, groups) FK_LOCAL(pack_nu)(packed, block_nu, ldnu, block, m, group, (T)alpha);
#pragma omp barrier
      for (ptrdiff_t p; (p = fk_take(&next)) < panels;) {
        const ptrdiff_t first = p * FK_GRAM_PANEL, last = fk_min(elements, first + FK_GRAM_PANEL);
        T *lost_panel = lost ? lost + first * FK_LANES : lost_here;
        for (ptrdiff_t i = 0; lost_here && i < columns * FK_GRAM_PANEL; i++) lost_here[i] = 0;
        for (ptrdiff_t s = 0; s < block; s += FK_GRAM_CHUNK) {
          const ptrdiff_t chunk = fk_min(block - s, FK_GRAM_CHUNK);
          ops->gram_panel(panel, ldpanel, block_x + s * ldx, ldx, chunk, first, last);
          ops->gram_accumulate(G + first * FK_LANES, stride, lost_panel, lost ? stride : FK_GRAM_PANEL * FK_LANES,
                               panel, ldpanel, packed + s * FK_LANES, block * FK_LANES, chunk, last - first, groups,
                               s == 0 ? block_beta : 1, s == 0 ? block_loss : 0);
        }
      }
    }
  }
  return FK_OK;
}

fk_status FK_FN(gram_weighted_batch)(T *G, const T *X, ptrdiff_t ldx, const T *nu, ptrdiff_t ldnu, ptrdiff_t n,
                                     ptrdiff_t d, ptrdiff_t m, double alpha, double beta, void *work,
                                     ptrdiff_t work_size, int threads) {
  return FK_LOCAL(gram_batch)(G, NULL, X, ldx, nu, ldnu, n, d, m, alpha, beta, work, work_size, threads);
}

fk_status FK_FN(gram_weighted_batch_compensated)(T *G, T *lost, const T *X, ptrdiff_t ldx, const T *nu, ptrdiff_t ldnu,
                                                 ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double alpha, double beta,
                                                 void *work, ptrdiff_t work_size, int threads) {
  if (lost == NULL && d > 0 && m > 0) return FK_INVALID_ARGUMENT;
  return FK_LOCAL(gram_batch)(G, lost, X, ldx, nu, ldnu, n, d, m, alpha, beta, work, work_size, threads);
}
