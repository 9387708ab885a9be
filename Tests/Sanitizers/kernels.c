/* Every C kernel once or more, on several threads, at each CPU level and in both precisions: what scripts/sanitize runs
 * under AddressSanitizer and ThreadSanitizer. Results are looked at by the Swift tests; here each call has to return
 * the status that it should, and to have the threads that it was given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckernels.h"

extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);

/* scripts/sanitize compiles the kernels with omp_get_thread_num renamed to this: it notes the largest team. */
static int largest_team;
extern int omp_get_thread_num(void);
int fk_probe_thread_num(void);
int fk_probe_thread_num(void) {
  const int team = omp_get_num_threads(), seen = __atomic_load_n(&largest_team, __ATOMIC_RELAXED);
  if (team > seen) __atomic_store_n(&largest_team, team, __ATOMIC_RELAXED);
  return omp_get_thread_num();
}

static int failures;
#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (condition) break;                                                                                              \
    fprintf(stderr, "%s:%d: %s, level %s\n", __FILE__, __LINE__, #condition, fk_level_name(fk_level_current()));       \
    failures++;                                                                                                        \
  } while (0)
#define OK(call) EXPECT((call) == FK_OK)

/* Memory of exactly the size asked for, so that AddressSanitizer sees the first byte too many. */
static void *take(ptrdiff_t bytes) {
  if (bytes < 0) abort();
  void *p = malloc((size_t)bytes + (bytes == 0));
  if (!p) abort();
  return p;
}
static unsigned state = 1;
static double number(void) { return (double)(state = state * 1664525u + 1013904223u) / 4294967296.0; }

#define DEFINE_RUN(T, p)                                                                                               \
  static T *p##numbers(ptrdiff_t count) {                                                                              \
    T *a = take(count * (ptrdiff_t)sizeof(T));                                                                         \
    for (ptrdiff_t i = 0; i < count; i++) a[i] = (T)number();                                                          \
    return a;                                                                                                          \
  }                                                                                                                    \
  static void p##gram_and_cholesky(ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, int threads) {                               \
    const ptrdiff_t count = fk_##p##block_batch_count(d, m);                                                           \
    T *x = p##numbers(n * d), *nu = p##numbers(n * m), *g = p##numbers(count);                                         \
    T *v = p##numbers(m * d);                                                                                          \
    const ptrdiff_t size = fk_##p##gram_weighted_batch_work_size(n, d, m, threads);                                    \
    const ptrdiff_t solve_size = fk_##p##cholesky_batch_solve_work_size(d, m, threads);                                \
    void *work = take(size), *solve_work = take(solve_size);                                                           \
    ptrdiff_t *info = take(m * (ptrdiff_t)sizeof *info);                                                               \
    fk_failure failure;                                                                                                \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##gram_weighted_batch(g, x, d, nu, m, n, d, m, 1, 0, work, size, threads));                               \
    EXPECT(largest_team == threads || n * m * d * d < 500000);                                                         \
    OK(fk_##p##cholesky_batch(g, info, &failure, d, m, 1 / (double)n, 0.1, threads));                                  \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##cholesky_batch_solve(v, d, g, v, d, d, m, solve_work, solve_size, threads));                            \
    EXPECT(largest_team == threads || m * d * d < 250000);                                                             \
    for (ptrdiff_t i = 0; i < count; i++) g[i] = -1; /* every block fails, on every thread */                          \
    EXPECT(fk_##p##cholesky_batch(g, info, &failure, d, m, 1, 0, threads) == FK_NOT_POSITIVE_DEFINITE);                \
    EXPECT(failure.block == 0 && failure.pivot == 0 && failure.failed_blocks == m);                                    \
    free(x), free(nu), free(g), free(v), free(work), free(solve_work), free(info);                                     \
  }                                                                                                                    \
  static void p##softmaxes(ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, int threads) {                                       \
    T *x = p##numbers(n * d), *z = p##numbers(n * m), *eta = p##numbers(n * m), *nu = p##numbers(n * m);               \
    T *delta = p##numbers(n * m), *v = p##numbers(m * d), *r = p##numbers(m * d), *block = p##numbers(m * d * m * d);  \
    int32_t *labels = take(n * (ptrdiff_t)sizeof *labels);                                                             \
    for (ptrdiff_t i = 0; i < n; i++) labels[i] = (int32_t)(i % m);                                                    \
    const ptrdiff_t size = fk_##p##softmax_block_dense_work_size(n, d, m, threads);                                    \
    const ptrdiff_t product_size = fk_##p##softmax_block_matvec_work_size(n, m);                                       \
    void *work = take(size), *product_work = take(product_size);                                                       \
    double loss;                                                                                                       \
    ptrdiff_t correct;                                                                                                 \
    OK(fk_##p##softmax(eta, m, nu, m, z, m, n, m, threads));                                                           \
    OK(fk_##p##softmax_cross_entropy(&loss, &correct, delta, m, z, m, labels, n, m, 1));                               \
    OK(fk_##p##softmax_block_dense(block, m *d, x, d, eta, m, n, d, m, 1, work, size, threads));                       \
    OK(fk_##p##softmax_block_matvec(r, d, x, d, eta, m, v, d, n, d, m, 1, product_work, product_size, threads));       \
    free(x), free(z), free(eta), free(nu), free(delta), free(v), free(r), free(block), free(labels), free(work);       \
    free(product_work);                                                                                                \
  }                                                                                                                    \
  static void p##elementwise(ptrdiff_t n, ptrdiff_t m, int threads) {                                                  \
    T *z = p##numbers(n * m), *a = p##numbers(n * m), *b = p##numbers(n * m), *c = p##numbers(n * m);                  \
    T *wide = p##numbers(n * (m + 1));                                                                                 \
    float *source = take(n * m * (ptrdiff_t)sizeof *source);                                                           \
    uint8_t *bytes = take(n * m);                                                                                      \
    int32_t *rows = take(n * (ptrdiff_t)sizeof *rows);                                                                 \
    for (ptrdiff_t i = 0; i < n * m; i++) source[i] = (float)(bytes[i] = (uint8_t)i);                                  \
    for (ptrdiff_t i = 0; i < n; i++) rows[i] = (int32_t)(n - 1 - i);                                                  \
    for (int kind = FK_TANH; kind <= FK_GELU; kind++) {                                                                \
      const fk_activation activation = {.kind = (fk_activation_kind)kind, .omega = kind % 2, .alpha = 1};              \
      OK(fk_##p##activation(a, m, b, m, c, m, z, m, n, m, activation, threads));                                       \
      OK(fk_##p##activation_backward(a, m, z, m, n, m, activation, threads));                                          \
    }                                                                                                                  \
    OK(fk_##p##gather_floats(wide, m + 1, source, rows, n, m, 0.5, threads));                                          \
    OK(fk_##p##gather_bytes(wide, m + 1, bytes, rows, n, m, 0.5, threads));                                            \
    OK(fk_##p##add_weight_decay(a, m, b, m, n, m, 0.1));                                                               \
    OK(fk_##p##update_sgd(a, m, b, m, n, m, 0.1, 0.1));                                                                \
    OK(fk_##p##update_momentum(a, b, z, n *m, 0.1, 0.9));                                                              \
    OK(fk_##p##update_adam(a, b, c, z, n *m, 0.1, 0.9, 0.99, 1e-8));                                                   \
    int finite;                                                                                                        \
    OK(fk_##p##all_finite(&finite, z, m, n, m));                                                                       \
    EXPECT(finite == 1);                                                                                               \
    double *dots = take(n * (ptrdiff_t)sizeof *dots);                                                                  \
    OK(fk_##p##row_dots(dots, z, m, a, m, n, m));                                                                      \
    OK(fk_##p##take_gradient(dots, c, m, z, m, a, m, n, m, 0.1));                                                      \
    OK(fk_##p##take_average(dots, c, m, z, m, a, m, b, m, n, m, 0.1, 0.9, 0.1, 0.9, 0.1));                             \
    OK(fk_##p##update_blend(a, b, n *m, 0.9, 0.1, 0.9, 0.1));                                                          \
    OK(fk_##p##update_schedule_free(a, b, c, n *m, 0.9, 0.1));                                                         \
    OK(fk_##p##scale_weights(a, m, n, m, 0.9));                                                                        \
    free(dots);                                                                                                        \
    free(z), free(a), free(b), free(c), free(wide), free(source), free(bytes), free(rows);                             \
  }                                                                                                                    \
  static void p##normalisation(ptrdiff_t n, ptrdiff_t m, int threads) {                                                \
    T *x = p##numbers(n * m), *y = p##numbers(n * m), *xhat = p##numbers(n * m), *w = p##numbers(2 * m);               \
    T *g = p##numbers(2 * m), *mean = p##numbers(m), *variance = p##numbers(m), *istd = p##numbers(m);                 \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##batch_norm_forward(y, m, xhat, m, mean, variance, istd, x, m, w, 2, n, m, 1e-3, threads));              \
    EXPECT(largest_team == threads || n * m < 25000);                                                                  \
    OK(fk_##p##batch_norm_backward(y, m, g, 2, y, m, xhat, m, istd, w, 2, n, m, threads));                             \
    OK(fk_##p##batch_norm_evaluate(y, m, x, m, mean, variance, w, 2, n, m, 1e-3, threads));                            \
    free(x), free(y), free(xhat), free(w), free(g), free(mean), free(variance), free(istd);                            \
  }                                                                                                                    \
  static void p##dense(ptrdiff_t n, ptrdiff_t d, int threads) {                                                        \
    T *x = p##numbers(n * d), *g = p##numbers(d * d), *y = p##numbers(d * d), *values = p##numbers(d),                 \
      *z = p##numbers(n * d), *inverse = p##numbers(d * d);                                                            \
    const ptrdiff_t size = fk_##p##eigenvalues_work_size(d);                                                           \
    void *work = take(size);                                                                                           \
    OK(fk_##p##gram(g, d, x, d, n, d, 1, 0, threads));                                                                 \
    OK(fk_##p##gemm(y, d, x, d, 1, x, d, 0, d, d, n, 1, 0, threads));                                                  \
    OK(fk_##p##gemm(y, d, x, n, 0, x, n, 1, d, d, n, 1, 0, threads)); /* the samples as d long rows */                 \
    OK(fk_##p##gemm(z, d, x, d, 0, g, d, 1, n, d, d, 1, 0, threads));                                                  \
    OK(fk_##p##inverse_factor(inverse, d, g, d, d, 1e-5));                                                             \
    OK(fk_##p##cholesky(g, d, NULL, d, 1, threads));                                                                   \
    OK(fk_##p##cholesky_solve(y, d, g, d, d, d, threads));                                                             \
    OK(fk_##p##eigenvalues(values, g, d, d, work, size));                                                              \
    const ptrdiff_t room = fk_##p##eigenvectors_work_size(d);                                                          \
    void *more = take(room);                                                                                           \
    OK(fk_##p##gram(g, d, x, d, n, d, 1, 0, threads));                                                                 \
    OK(fk_##p##eigenvectors(values, g, d, d, more, room));                                                             \
    free(x), free(g), free(y), free(values), free(z), free(inverse), free(work), free(more);                           \
  }                                                                                                                    \
  static void p##packed(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, int threads) {                                          \
    T *a = p##numbers(k * m), *b = p##numbers(n * k), *c = p##numbers(m * n), *g = p##numbers(m * m);                  \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##gemm(c, n, a, m, 1, b, k, 1, m, n, k, 0.5, 0.5, threads));                                              \
    EXPECT(largest_team == threads);                                                                                   \
    OK(fk_##p##gram(g, m, a, m, k, m, 0.5, 0.5, threads));                                                             \
    free(a), free(b), free(c), free(g);                                                                                \
  }                                                                                                                    \
  static void p##chained(int threads) {                                                                                \
    const ptrdiff_t count = fk_##p##multiply_add_width() * threads;                                                    \
    T *x = p##numbers(count);                                                                                          \
    OK(fk_##p##multiply_add(x, count, 100, 0.5, 1, threads));                                                          \
    free(x);                                                                                                           \
  }                                                                                                                    \
  static void p##projected(ptrdiff_t d, ptrdiff_t r, ptrdiff_t m, int threads) {                                       \
    T *g = p##numbers(m * d), *inside = p##numbers(m * r), *room = p##numbers(m * r), *u = p##numbers(r * d);          \
    T *blocks = p##numbers(fk_##p##block_batch_count(r, m));                                                           \
    double *outside = take(m * (ptrdiff_t)sizeof *outside);                                                            \
    for (ptrdiff_t i = 0; i < m; i++) outside[i] = 0.5;                                                                \
    const ptrdiff_t size = fk_##p##symmetric_batch_multiply_work_size(r, m, threads);                                  \
    void *work = take(size);                                                                                           \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##projected_multiply(g, d, inside, r, room, r, u, d, blocks, outside, d, r, m, work, size, threads));     \
    EXPECT(largest_team == threads || m * r * d < 250000);                                                             \
    free(g), free(inside), free(room), free(u), free(blocks), free(outside), free(work);                               \
  }                                                                                                                    \
  static void p##orthogonal(int is_bfloat16, int threads) {                                                            \
    const ptrdiff_t m[] = {30, 70, 5, 300}, d[] = {90, 40, 5, 310};                                                    \
    T *g[4];                                                                                                           \
    for (int i = 0; i < 4; i++) g[i] = p##numbers(m[i] * d[i]);                                                        \
    const double coefficients[] = {3.4445, -4.775, 2.0315, 2, -1.5, 0.5};                                              \
    const ptrdiff_t size = fk_##p##newton_schulz_work_size(m, d, 4, 2, is_bfloat16, threads);                          \
    void *work = take(size);                                                                                           \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##newton_schulz(g, d, m, d, 4, coefficients, 2, is_bfloat16, work, size, threads));                       \
    EXPECT(largest_team == threads);                                                                                   \
    for (int i = 0; i < 4; i++) free(g[i]);                                                                            \
    free(work);                                                                                                        \
  }                                                                                                                    \
  static void p##images(fk_convolution c, ptrdiff_t n, int threads) {                                                  \
    ptrdiff_t height, width;                                                                                           \
    OK(fk_window_outputs(&c.window, &height, &width));                                                                 \
    const ptrdiff_t in = n * c.window.height * c.window.width, out = n * height * width;                               \
    const ptrdiff_t d = c.window.kernel_height * c.window.kernel_width * (c.channels / c.groups) + 1;                  \
    T *x = p##numbers(in * c.channels), *dx = p##numbers(in * c.channels), *z = p##numbers(out * c.outputs);           \
    T *w = p##numbers(c.outputs * d), *g = p##numbers(c.outputs * d), *patches = p##numbers(out * d);                  \
    ptrdiff_t *rows = take(out * (ptrdiff_t)sizeof *rows);                                                             \
    for (ptrdiff_t r = 0; r < out; r++) rows[r] = out - 1 - r;                                                         \
    const ptrdiff_t size = fk_##p##convolution_work_size(&c, threads);                                                 \
    void *work = take(size);                                                                                           \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##convolution_forward(z, c.outputs, x, c.channels, w, d, n, &c, work, size, threads));                    \
    EXPECT(largest_team == threads || out * c.outputs * d < 250000);                                                   \
    OK(fk_##p##convolution_weight_gradient(g, d, z, c.outputs, x, c.channels, n, &c, work, size, threads));            \
    OK(fk_##p##convolution_input_gradient(dx, c.channels, z, c.outputs, w, d, n, &c, work, size, threads));            \
    OK(fk_##p##convolution_patches(patches, d, x, c.channels, n, rows, out, c.groups - 1, &c, threads));               \
    T *y = p##numbers(out * c.channels);                                                                               \
    int32_t *where = take(out * c.channels * (ptrdiff_t)sizeof *where);                                                \
    OK(fk_##p##max_pool(y, c.channels, where, x, c.channels, n, c.channels, &c.window, threads));                      \
    OK(fk_##p##max_pool_backward(dx, c.channels, y, c.channels, where, n, c.channels, &c.window, threads));            \
    OK(fk_##p##average_pool(y, c.channels, x, c.channels, n, c.channels, &c.window, threads));                         \
    OK(fk_##p##average_pool_backward(dx, c.channels, y, c.channels, n, c.channels, &c.window, threads));               \
    free(x), free(dx), free(z), free(w), free(g), free(patches), free(rows), free(work), free(y), free(where);         \
  }                                                                                                                    \
  static void p##groups(ptrdiff_t n, ptrdiff_t positions, ptrdiff_t m, ptrdiff_t groups, int centred, int threads) {   \
    const ptrdiff_t rows = n * positions, columns = centred ? 2 : 1;                                                   \
    T *x = p##numbers(rows * m), *y = p##numbers(rows * m), *xhat = p##numbers(rows * m);                              \
    T *w = p##numbers(m * columns), *g = p##numbers(m * columns), *istd = p##numbers(n * groups);                      \
    largest_team = 0;                                                                                                  \
    OK(fk_##p##group_norm_forward(y, m, xhat, m, istd, x, m, w, columns, n, positions, m, groups, centred, 1e-3,       \
                                  threads));                                                                           \
    EXPECT(largest_team == threads || rows * m < 25000);                                                               \
    OK(fk_##p##scale_gradient(g, columns, columns, y, m, xhat, m, rows, m, threads));                                  \
    OK(fk_##p##group_norm_backward(y, m, y, m, xhat, m, istd, w, columns, n, positions, m, groups, centred, threads)); \
    free(x), free(y), free(xhat), free(w), free(g), free(istd);                                                        \
  }                                                                                                                    \
  static void p##run(int threads) {                                                                                    \
    p##gram_and_cholesky(300, 21, 37, threads);                                                                        \
    p##gram_and_cholesky(8200, 9, 3, threads);                                                                         \
    p##gram_and_cholesky(20, 60, 75, threads);                                                                         \
    p##gram_and_cholesky(3, 2, 1, threads);                                                                            \
    p##softmaxes(300, 21, 11, threads);                                                                                \
    p##softmaxes(800, 3, 40, threads);                                                                                 \
    p##elementwise(333, 95, threads);                                                                                  \
    p##elementwise(3, 5, threads);                                                                                     \
    p##normalisation(400, 95, threads);                                                                                \
    p##normalisation(1, 3, threads);                                                                                   \
    p##dense(300, 61, threads);                                                                                        \
    p##dense(8200, 140, threads);                                                                                      \
    p##packed(300, 61, 300, threads);                                                                                  \
    p##packed(61, 300, 300, threads);                                                                                  \
    p##projected(300, 33, 80, threads);                                                                                \
    p##projected(17, 5, 3, threads);                                                                                   \
    p##projected(3, 2, 19, threads);                                                                                   \
    p##chained(threads);                                                                                               \
    p##images((fk_convolution){{14, 13, 3, 3, 1, 1, 1, 1, 1, 1}, 8, 24, 1, 0}, 5, threads);                            \
    p##images((fk_convolution){{14, 13, 3, 2, 2, 3, 2, 1, 2, 1}, 6, 9, 3, 0}, 4, threads);                             \
    p##images((fk_convolution){{16, 16, 3, 3, 1, 1, 1, 1, 1, 1}, 35, 35, 35, 0}, 4, threads);                          \
    p##images((fk_convolution){{1, 1, 1, 1, 1, 1, 0, 0, 1, 1}, 3, 2, 1, 0}, 1, threads);                               \
    p##groups(400, 1, 95, 1, 1, threads);                                                                              \
    p##groups(6, 49, 96, 8, 1, threads);                                                                               \
    p##groups(3, 2, 5, 5, 0, threads);                                                                                 \
    p##orthogonal(0, threads);                                                                                         \
  }
DEFINE_RUN(float, s)
DEFINE_RUN(double, d)

/* Inside a parallel region of the caller's a kernel takes no further threads. */
static void nested(void) {
  static int teams[3];
  float *g[3];
#pragma omp parallel for num_threads(3)
  for (int i = 0; i < 3; i++) {
    const ptrdiff_t n = 40, d = 40, m = 20, size = fk_sgram_weighted_batch_work_size(n, d, m, 3);
    float *x = take(n * d * 4), *nu = take(n * m * 4);
    void *work = take(size);
    g[i] = take(fk_sblock_batch_count(d, m) * 4);
    for (ptrdiff_t k = 0; k < n * d; k++) x[k] = 1;
    for (ptrdiff_t k = 0; k < n * m; k++) nu[k] = 1;
    if (fk_sgram_weighted_batch(g[i], x, d, nu, m, n, d, m, 1, 0, work, size, 3) != FK_OK) abort();
    teams[i] = omp_get_num_threads();
    free(x), free(nu), free(work);
  }
  for (int i = 0; i < 3; i++) {
    EXPECT(teams[i] == 3);
    EXPECT(g[i][0] == 40);
    free(g[i]);
  }
  EXPECT(largest_team <= 1);
}

int main(void) {
  EXPECT(fk_default_threads() <= omp_get_max_threads()); /* (a CPU quota may be less) */
  const char *wanted = getenv("OMP_NUM_THREADS");
  if (wanted) EXPECT(fk_default_threads() == atoi(wanted));
  const int counts[] = {1, 2, 3, 5};
  for (int level = 0; level < fk_level_count(); level++) {
    if (fk_level_select(level) != FK_OK) continue;
    for (int i = 0; i < 8; i++) {
      EXPECT(fk_product_route_select(i < 4 ? FK_PRODUCTS_BLAS : FK_PRODUCTS_OWN) == FK_OK);
      srun(counts[i % 4]);
      drun(counts[i % 4]);
      if (fk_bfloat16_supported()) sorthogonal(1, counts[i % 4]);
    }
  }
  EXPECT(fk_product_route_select(FK_PRODUCTS_AUTO) == FK_OK);
  for (int i = 0; i < 2; i++) { /* of the process, which the thread's own comes before */
    const fk_product_route route = i == 0 ? FK_PRODUCTS_OWN : FK_PRODUCTS_BLAS;
    EXPECT(fk_set_product_route(route) == FK_OK && fk_product_route_current() == route);
    EXPECT(fk_product_route_select(FK_PRODUCTS_OWN) == FK_OK && fk_product_route_current() == FK_PRODUCTS_OWN);
    EXPECT(fk_product_route_select(FK_PRODUCTS_AUTO) == FK_OK);
  }
  EXPECT(fk_set_product_route(FK_PRODUCTS_AUTO) == FK_OK);
  largest_team = 0;
  nested();
  if (failures) fprintf(stderr, "%d expectations failed\n", failures);
  return failures != 0;
}
