/* The (n,n) blocks of the kernel form, and the element-wise passes around products with samples. */

static void FK_LEAF(multiply)(T *restrict a, const T *restrict b, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) a[i] *= b[i];
}

/* a = b - a c */
static void FK_LEAF(subtract_product)(T *restrict a, const T *restrict b, const T *restrict c, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) a[i] = b[i] - a[i] * c[i];
}

/* a = sqrt(scale a) */
static void FK_LEAF(scaled_root)(T *a, ptrdiff_t count, T scale) {
  for (ptrdiff_t i = 0; i < count; i++) {
    T square = scale * a[i];
    a[i] = SINGLE ? (T)__builtin_sqrtf((float)square) : (T)__builtin_sqrt((double)square);
  }
}

/* G(s,t) = root_s root_t K(s,t) for the packed lower triangle of a whole group, root (n, lanes). */
static void FK_LEAF(kernel_block)(T *G, const T *root, const T *K, ptrdiff_t ldk, ptrdiff_t n) {
  for (ptrdiff_t lane = 0; lane < LANES; lane += VW) {
    T *out = G + lane;
    for (ptrdiff_t s = 0; s < n; s++) {
      const V root_s = load(AT(root, s) + lane);
      for (ptrdiff_t t = 0; t <= s; t++, out += LANES)
        store(out, splat(K[s * ldk + t]) * (root_s * load(AT(root, t) + lane)));
    }
  }
}
