/* Gathering batches and updating parameters: one pass over memory each. */

static void FK_LEAF(gather_bytes)(T *x, const uint8_t *source, ptrdiff_t count, T scale) {
  for (ptrdiff_t i = 0; i < count; i++) x[i] = (T)source[i] * scale;
}

static void FK_LEAF(gather_floats)(T *x, const float *source, ptrdiff_t count, T scale) {
  for (ptrdiff_t i = 0; i < count; i++) x[i] = (T)source[i] * scale;
}

static void FK_LEAF(axpy)(T *restrict y, const T *restrict x, ptrdiff_t count, T a) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] += a * x[i];
}

static void FK_LEAF(descend)(T *restrict w, const T *restrict g, ptrdiff_t count, T rate, T l2) {
  for (ptrdiff_t i = 0; i < count; i++) w[i] -= rate * (g[i] + l2 * w[i]);
}

static void FK_LEAF(momentum)(T *restrict w, T *restrict v, const T *restrict g, ptrdiff_t count, T rate, T mu) {
  for (ptrdiff_t i = 0; i < count; i++) {
    T velocity = mu * v[i] + g[i];
    v[i] = velocity;
    w[i] -= rate * velocity;
  }
}

static void FK_LEAF(adam)(T *restrict w, T *restrict first, T *restrict second, const T *restrict g, ptrdiff_t count,
                          T rate, T beta1, T beta2, T epsilon) {
  for (ptrdiff_t i = 0; i < count; i++) {
    T m = beta1 * first[i] + (1 - beta1) * g[i];
    T v = beta2 * second[i] + (1 - beta2) * (g[i] * g[i]);
    first[i] = m;
    second[i] = v;
    w[i] -= rate * m / ((SINGLE ? (T)__builtin_sqrtf((float)v) : (T)__builtin_sqrt((double)v)) + epsilon);
  }
}

/* The inner product of a and b. Short sums in T keep a float's error at that of some ten additions. */
static double FK_LEAF(dot)(const T *a, const T *b, ptrdiff_t count) {
  double total = 0;
  for (ptrdiff_t first = 0; first < count; first += 256) {
    const ptrdiff_t last = fk_min(count, first + 256);
    V even = splat(0), odd = splat(0);
    ptrdiff_t i = first;
    for (; i + 2 * VW <= last; i += 2 * VW) {
      even = load(a + i) * load(b + i) + even;
      odd = load(a + i + VW) * load(b + i + VW) + odd;
    }
    T rest = 0;
    for (; i < last; i++) rest += a[i] * b[i];
    total += (double)FK_LEAF(sum)(even + odd) + (double)rest;
  }
  return total;
}

/* g . g; then g += l2 w, but for the last element, and c = g. */
static double FK_LEAF(take_gradient)(T *restrict c, T *restrict g, const T *restrict w, ptrdiff_t count, T l2) {
  double total = 0;
  for (ptrdiff_t first = 0; first < count; first += 256) {
    const ptrdiff_t last = fk_min(count, first + 256), decayed = fk_min(count - 1, last);
    V even = splat(0), odd = splat(0);
    T rest = 0;
    ptrdiff_t i = first;
    for (; i + 2 * VW <= decayed; i += 2 * VW) {
      const V x = load(g + i), y = load(g + i + VW);
      even = x * x + even;
      odd = y * y + odd;
      store(g + i, x + splat(l2) * load(w + i));
      store(g + i + VW, y + splat(l2) * load(w + i + VW));
      store(c + i, load(g + i));
      store(c + i + VW, load(g + i + VW));
    }
    for (; i < last; i++) {
      const T x = g[i];
      rest += x * x;
      c[i] = g[i] = i < count - 1 ? x + l2 * w[i] : x;
    }
    total += (double)FK_LEAF(sum)(even + odd) + (double)rest;
  }
  return total;
}

/* x - x is 0 for a finite x, NaN for an infinity or a NaN. */
static int FK_LEAF(all_finite)(const T *a, ptrdiff_t count) {
  INT bad = 0;
  for (ptrdiff_t i = 0; i < count; i++) bad |= !(a[i] - a[i] == 0);
  return !bad;
}
