/* The inverse of a Cholesky factor, in double throughout: of one matrix, small enough that a product by it is what
 * costs. */

#define WIDE 64

/* sums[k] -= u row[k] */
INLINE void FK_LEAF(subtract_row)(double *restrict sums, const T *restrict row, ptrdiff_t count, double u) {
  for (ptrdiff_t k = 0; k < count; k++) sums[k] -= u * (double)row[k];
}

static void FK_LEAF(inverse_factor)(T *x, ptrdiff_t ldx, const T *a, ptrdiff_t lda, ptrdiff_t r, double shift) {
  double sums[WIDE];
  /* U = L^T above the diagonal, row by row, and 1 / u_ii on it */
  for (ptrdiff_t i = 0; i < r; i++) {
    double inverse = 0;
    for (ptrdiff_t first = i; first < r; first += WIDE) {
      const ptrdiff_t width = fk_min(WIDE, r - first);
      for (ptrdiff_t k = 0; k < width; k++) sums[k] = (double)a[i * lda + first + k];
      for (ptrdiff_t j = 0; j < i; j++) {
        FK_LEAF(subtract_row)(sums, x + j * ldx + first, width, (double)x[j * ldx + i]);
      }
      if (first == i) {
        const double pivot = sums[0] + shift;
        inverse = 1 / __builtin_sqrt(pivot > shift ? pivot : shift);
        x[i * ldx + i] = (T)inverse;
      }
      for (ptrdiff_t k = first == i; k < width; k++) x[i * ldx + first + k] = (T)(sums[k] * inverse);
    }
  }
  /* row i of L^-1 below it: (e_i - sum_k<i l_ik row k) / l_ii */
  for (ptrdiff_t i = 1; i < r; i++) {
    const double inverse = (double)x[i * ldx + i];
    for (ptrdiff_t first = 0; first < i; first += WIDE) {
      const ptrdiff_t width = fk_min(WIDE, i - first);
      for (ptrdiff_t k = 0; k < width; k++) sums[k] = 0;
      for (ptrdiff_t j = first; j < i; j++) {
        FK_LEAF(subtract_row)(sums, x + j * ldx + first, fk_min(width, j - first + 1), (double)x[j * ldx + i]);
      }
      for (ptrdiff_t k = 0; k < width; k++) x[i * ldx + first + k] = (T)(sums[k] * inverse);
    }
  }
  for (ptrdiff_t i = 0; i < r; i++) {
    for (ptrdiff_t k = i + 1; k < r; k++) x[i * ldx + k] = 0;
  }
}

#undef WIDE
