/* Batch-minor storage: its lane count and size. */
ptrdiff_t FK_FN(lanes)(void) { return FK_LANES; }

ptrdiff_t FK_FN(block_batch_count)(ptrdiff_t d, ptrdiff_t m) {
  ptrdiff_t triangle = fk_triangle(d), group, count;
  if (triangle < 0 || m < 0 || m > PTRDIFF_MAX - FK_LANES) return -1;
  if (!fk_multiply(&group, triangle, FK_LANES)) return -1;
  if (!fk_multiply(&count, group, fk_ceil_div(m, FK_LANES)) || !fk_indexable(count, 1, sizeof(T))) return -1;
  return count;
}
