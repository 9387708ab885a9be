/* The dense matrix of eq 10. Block (i,j) is X^T diag(w) X with w_s = alpha eta_i (delta_ij - eta_j): of the m^2 blocks
 * m (m+1) / 2 differ, and each is symmetric. The work space holds the transposes of X, of eta, and of eta (1 - eta). */

static ptrdiff_t FK_LOCAL(padded_samples)(ptrdiff_t n) { return fk_ceil_div(n, FK_LANES) * FK_LANES; }

ptrdiff_t FK_FN(softmax_block_dense_work_size)(ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, int threads) {
  (void)threads;
  ptrdiff_t rows, elements, bytes;
  if (n < 0 || d < 0 || m < 0 || n > PTRDIFF_MAX - FK_LANES) return -1;
  if (!fk_multiply(&rows, m, 2) || __builtin_add_overflow(rows, d, &rows)) return -1;
  if (!fk_multiply(&elements, rows, FK_LOCAL(padded_samples)(n))) return -1;
  if (!fk_multiply(&bytes, elements, (ptrdiff_t)sizeof(T)) || bytes > PTRDIFF_MAX - FK_CACHE_LINE) return -1;
  return bytes + FK_CACHE_LINE;
}

/* 1 - eta_i; where eta_i is nearly all, as the sum of the others. */
static T FK_LOCAL(complement)(const T *eta, ptrdiff_t m, ptrdiff_t i) {
  if (eta[i] < (T)0.75) return 1 - eta[i];
  T others = 0;
  for (ptrdiff_t k = 0; k < m; k++) others += k == i ? 0 : eta[k];
  return others;
}

/* What one block is made of. */
typedef struct {
  const T *X, *transposed, *left, *right; /* w = alpha left right, or alpha left where right is NULL */
  ptrdiff_t ldx, padded, n, d;
  T alpha;
} FK_LOCAL(weighted);

/* The rows c ..< d of these columns: G is their corner on the block's diagonal. Squares on it are filled. */
static void FK_LOCAL(block_columns)(const OPS *ops, T *G, ptrdiff_t ldg, const FK_LOCAL(weighted) * of, ptrdiff_t c,
                                    ptrdiff_t width) {
  T packed[FK_DEPTH * FK_BLOCK] __attribute__((aligned(64))), weights[FK_DEPTH];
  ptrdiff_t s = 0;
  do {
    const ptrdiff_t depth = fk_min(FK_DEPTH, of->n - s);
    for (ptrdiff_t k = 0; k < depth; k++)
      weights[k] = of->alpha * (of->right ? of->left[s + k] * of->right[s + k] : of->left[s + k]);
    ops->pack(packed, of->X + s * of->ldx + c, of->ldx, weights, depth, width);
    ops->product_lower(G, ldg, of->transposed + c * of->padded + s, of->padded, packed, of->d - c, width, depth, 1,
                       s == 0 ? 0 : 1);
    s += depth;
  } while (s < of->n);
}

static fk_status FK_LOCAL(softmax_block)(T *G, ptrdiff_t ldg, const T *X, ptrdiff_t ldx, const T *eta, ptrdiff_t ldeta,
                                         ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double alpha, void *work,
                                         ptrdiff_t work_size, int threads, int both) {
  ptrdiff_t order;
  if (n < 0 || d < 0 || m < 0) return FK_INVALID_ARGUMENT;
  const ptrdiff_t needed = FK_FN(softmax_block_dense_work_size)(n, d, m, threads), pairs = fk_triangle(m);
  if (needed < 0 || pairs < 0 || !fk_multiply(&order, d, m)) return FK_SIZE_OVERFLOW;
  FK_TRY(fk_check_matrix(X, n, d, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(eta, n, m, ldeta, sizeof(T)));
  FK_TRY(fk_check_matrix(G, order, order, ldg, sizeof(T)));
  if (order == 0) return FK_OK;
  if (work == NULL || work_size < needed) return FK_INVALID_ARGUMENT;

  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t padded = FK_LOCAL(padded_samples)(n), parts = fk_ceil_div(d, FK_BLOCK);
  T *transposed = fk_align(work), *etas = transposed + d * padded, *nus = etas + m * padded;
  const int team = fk_threads_for(threads, (double)pairs * ((double)n + 4) * (double)d * (double)(d + 1));
  (void)team;
  ptrdiff_t next = 0;
#pragma omp parallel num_threads(team) if (team > 1)
  {
    FK_FOR (c, parts)
      ops->transposed(transposed + c * FK_BLOCK * padded, padded, X + c * FK_BLOCK, ldx, n,
                      fk_min(FK_BLOCK, d - c * FK_BLOCK));
    FK_FOR (i, m)
      for (ptrdiff_t s = 0; s < n; s++) {
        const T *e = eta + s * ldeta;
        etas[i * padded + s] = e[i];
        nus[i * padded + s] = e[i] * FK_LOCAL(complement)(e, m, i);
      }
#pragma omp barrier
    ptrdiff_t i = 0, j = 0, seen = 0; /* the pair of the last task taken; tasks come in order */
    for (ptrdiff_t task; (task = fk_take(&next)) / parts < pairs;) {
      for (; seen < task / parts; seen++)
        if (++j > i) i++, j = 0;
      const ptrdiff_t c = task % parts * FK_BLOCK, width = fk_min(FK_BLOCK, d - c), rows = d - c;
      T *block = G + (i * d + c) * ldg + j * d + c, *other = G + (j * d + c) * ldg + i * d + c;
      /* w = eta_i (1 - eta_i) or -eta_i eta_j */
      const FK_LOCAL(weighted) of = {.X = X,
                                     .transposed = transposed,
                                     .left = (i == j ? nus : etas) + i * padded,
                                     .right = i == j ? NULL : etas + j * padded,
                                     .ldx = ldx,
                                     .padded = padded,
                                     .n = n,
                                     .d = d,
                                     .alpha = (T)(i == j ? alpha : -alpha)};
      FK_LOCAL(block_columns)(ops, block, ldg, &of, c, width);
      if (both || i != j) ops->mirror(block, ldg, rows, width);
      if (!both || i == j) continue;
      for (ptrdiff_t r = 0; r < rows; r++)
        memcpy(other + r * ldg, block + r * ldg, sizeof(T) * (size_t)(r < width ? rows : width));
    }
  }
  return FK_OK;
}

fk_status FK_FN(softmax_block_dense)(T *G, ptrdiff_t ldg, const T *X, ptrdiff_t ldx, const T *eta, ptrdiff_t ldeta,
                                     ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double alpha, void *work,
                                     ptrdiff_t work_size, int threads) {
  return FK_LOCAL(softmax_block)(G, ldg, X, ldx, eta, ldeta, n, d, m, alpha, work, work_size, threads, 1);
}

fk_status FK_FN(softmax_block_lower)(T *G, ptrdiff_t ldg, const T *X, ptrdiff_t ldx, const T *eta, ptrdiff_t ldeta,
                                     ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double alpha, void *work,
                                     ptrdiff_t work_size, int threads) {
  return FK_LOCAL(softmax_block)(G, ldg, X, ldx, eta, ldeta, n, d, m, alpha, work, work_size, threads, 0);
}
