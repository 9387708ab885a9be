/* Cholesky factorisation of one dense matrix, and solves with it, by blocks of FK_BLOCK columns. A block column is
 * brought up to date with all those before it just before it is solved for, so that elements are written once and each
 * is the same sum in the same order whichever thread it falls to. */

/* The rows D (rows, ..) hold L^-1 applied to columns 0 ..< j, and now also to the `width` columns from j. Rows of L
 * itself below block j are such rows. */
static void FK_LOCAL(solve_forward)(const OPS *ops, T *D, ptrdiff_t ldd, const T *L, ptrdiff_t ldl, ptrdiff_t rows,
                                    ptrdiff_t j, ptrdiff_t width) {
  T packed[FK_DEPTH * FK_BLOCK] __attribute__((aligned(64)));
  if (rows == 0) return;
  for (ptrdiff_t k = 0; k < j; k += FK_DEPTH) {
    const ptrdiff_t depth = fk_min(FK_DEPTH, j - k);
    ops->pack_transposed(packed, L + j * ldl + k, ldl, depth, width);
    ops->product(D + j, ldd, D + k, ldd, packed, rows, width, depth, -1, 1);
  }
  ops->solve_rows(D + j, ldd, L + j * ldl + j, ldl, rows, width, 0);
}

/* The same for L^-T, from the last column down. */
static void FK_LOCAL(solve_backward)(const OPS *ops, T *D, ptrdiff_t ldd, const T *L, ptrdiff_t ldl, ptrdiff_t rows,
                                     ptrdiff_t j, ptrdiff_t width, ptrdiff_t d) {
  T packed[FK_DEPTH * FK_BLOCK] __attribute__((aligned(64)));
  for (ptrdiff_t k = j + width; k < d; k += FK_DEPTH) {
    const ptrdiff_t depth = fk_min(FK_DEPTH, d - k);
    ops->pack(packed, L + k * ldl + j, ldl, NULL, depth, width);
    ops->product(D + j, ldd, D + k, ldd, packed, rows, width, depth, -1, 1);
  }
  ops->solve_rows(D + j, ldd, L + j * ldl + j, ldl, rows, width, 1);
}

/* Factors the diagonal block at j, where the columns before it are done. The products are formed in a copy: they fill
 * squares, and what is above the diagonal is not ours. Returns `width` or the first bad pivot. */
static ptrdiff_t FK_LOCAL(factor_diagonal)(const OPS *ops, T *A, ptrdiff_t lda, ptrdiff_t j, ptrdiff_t width, T damping,
                                           double *value) {
  T packed[FK_DEPTH * FK_BLOCK] __attribute__((aligned(64))), block[FK_BLOCK * FK_BLOCK] __attribute__((aligned(64)));
  T diagonal[FK_BLOCK];
  const T *rows = A + j * lda;
  for (ptrdiff_t i = 0; i < width; i++) {
    for (ptrdiff_t c = 0; c < i; c++) block[i * FK_BLOCK + c] = rows[i * lda + j + c];
    diagonal[i] = block[i * FK_BLOCK + i] = rows[i * lda + j + i] + damping;
    for (ptrdiff_t c = i + 1; c < FK_BLOCK; c++) block[i * FK_BLOCK + c] = 0;
  }
  for (ptrdiff_t k = 0; k < j; k += FK_DEPTH) {
    const ptrdiff_t depth = fk_min(FK_DEPTH, j - k);
    ops->pack_transposed(packed, rows + k, lda, depth, width);
    ops->product_lower(block, FK_BLOCK, rows + k, lda, packed, width, width, depth, -1, 1);
  }
  return ops->factor_block(A + j * lda + j, lda, block, diagonal, width, value);
}

/* How many of the `rows` below block j the first of `team` threads takes, when it has the next diagonal block of order
 * `next` to do as well: in multiplications, with what was measured for the parts that run slower than products. */
static ptrdiff_t FK_LOCAL(first_share)(ptrdiff_t rows, ptrdiff_t j, ptrdiff_t width, ptrdiff_t next, int team) {
  const double row = (double)width * (double)(j + 2 * width);
  const double diagonal = (double)((j + width) * next) * (0.75 * (double)next + 6) + 80000;
  const double share = (((double)rows * row + diagonal) / team - diagonal) / row;
  return fk_max(next, (ptrdiff_t)share);
}

fk_status FK_FN(cholesky)(T *A, ptrdiff_t lda, fk_failure *failure, ptrdiff_t d, double damping, int threads) {
  FK_TRY(fk_check_matrix(A, d, d, lda, sizeof(T)));
  if (d == 0) return FK_OK;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const ptrdiff_t blocks = fk_ceil_div(d, FK_BLOCK);
  /* a quarter of the flops: with three blocks or fewer the threads mostly wait for the diagonal */
  const int team = (int)fk_min(blocks, fk_threads_for(threads, (double)d * (double)d * (double)d / 12));
  (void)team;
  double value = 0;
  ptrdiff_t first = fk_min(FK_BLOCK, d), bad = FK_LOCAL(factor_diagonal)(ops, A, lda, 0, first, (T)damping, &value);
  if (bad == first) bad = -1;
  const ptrdiff_t last = bad < 0 ? d - FK_BLOCK : 0; /* block columns that start before this have rows below them */
#pragma omp parallel num_threads(team) if (team > 1 && last > 0)
  {
    const int me = omp_get_thread_num(), all = omp_get_num_threads();
    for (ptrdiff_t j = 0; j < last; j += FK_BLOCK) {
      const ptrdiff_t below = j + FK_BLOCK, rows = d - below, next = fk_min(FK_BLOCK, rows);
      const ptrdiff_t mine = all == 1 ? rows : FK_LOCAL(first_share)(rows, j, FK_BLOCK, next, all), rest = rows - mine;
      const ptrdiff_t start = me == 0 ? 0 : mine + rest * (me - 1) / (all - 1);
      const ptrdiff_t end = me == 0 ? mine : mine + rest * me / (all - 1);
      FK_LOCAL(solve_forward)(ops, A + (below + start) * lda, lda, A, lda, end - start, j, FK_BLOCK);
      if (me == 0) {
        const ptrdiff_t pivot = FK_LOCAL(factor_diagonal)(ops, A, lda, below, next, (T)damping, &value);
        if (pivot < next) __atomic_store_n(&bad, below + pivot, __ATOMIC_RELAXED);
      }
#pragma omp barrier
      /* all stop at the same step: thread 0 may be a step ahead by now, and have written the next one's */
      const ptrdiff_t seen = __atomic_load_n(&bad, __ATOMIC_RELAXED);
      if (seen >= 0 && seen < below + FK_BLOCK) break;
    }
  }
  if (bad < 0) return FK_OK;
  if (failure) *failure = (fk_failure){.block = 0, .pivot = bad, .failed_blocks = 1, .value = value};
  return FK_NOT_POSITIVE_DEFINITE;
}

fk_status FK_FN(inverse_factor)(T *X, ptrdiff_t ldx, const T *A, ptrdiff_t lda, ptrdiff_t r, double shift) {
  FK_TRY(fk_check_matrix(X, r, r, ldx, sizeof(T)));
  FK_TRY(fk_check_matrix(A, r, r, lda, sizeof(T)));
  if (!(shift > 0 && shift <= 1e30)) return FK_INVALID_ARGUMENT;
  FK_PASTE(fk_, P, ops_current)()->inverse_factor(X, ldx, A, lda, r, shift);
  return FK_OK;
}

fk_status FK_FN(cholesky_solve)(T *D, ptrdiff_t ldd, const T *L, ptrdiff_t ldl, ptrdiff_t d, ptrdiff_t m, int threads) {
  FK_TRY(fk_check_matrix(D, m, d, ldd, sizeof(T)));
  FK_TRY(fk_check_matrix(L, d, d, ldl, sizeof(T)));
  if (d == 0 || m == 0) return FK_OK;
  const OPS *ops = FK_PASTE(fk_, P, ops_current)();
  const int team = (int)fk_min(m, fk_threads_for(threads, 2.0 * (double)m * (double)d * (double)d));
#pragma omp parallel num_threads(team) if (team > 1)
  FK_FOR (t, team) {
    const ptrdiff_t first = m * t / team, rows = m * (t + 1) / team - first;
    T *mine = D + first * ldd;
    if (m <= 4) { /* too few to be worth the packing; decided by m, that threads make no difference */
      for (ptrdiff_t i = 0; i < rows; i++) {
        ops->sweep_forward(mine + i * ldd, L, ldl, d);
        ops->sweep_backward(mine + i * ldd, L, ldl, d);
      }
      continue;
    }
    for (ptrdiff_t j = 0; j < d; j += FK_BLOCK)
      FK_LOCAL(solve_forward)(ops, mine, ldd, L, ldl, rows, j, fk_min(FK_BLOCK, d - j));
    for (ptrdiff_t j = (d - 1) / FK_BLOCK * FK_BLOCK; j >= 0; j -= FK_BLOCK)
      FK_LOCAL(solve_backward)(ops, mine, ldd, L, ldl, rows, j, fk_min(FK_BLOCK, d - j), d);
  }
  return FK_OK;
}
