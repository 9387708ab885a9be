/* OpenMP without its header (the Swift toolchain ships none), and what drivers share: sizes and work space. */
#ifndef FK_PARALLEL_H
#define FK_PARALLEL_H

#include <limits.h>

#include "ckernels.h"

#ifdef _OPENMP
extern int omp_get_max_threads(void);
extern int omp_get_num_procs(void);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_in_parallel(void);
#else
static inline int omp_get_max_threads(void) { return 1; }
static inline int omp_get_num_procs(void) { return 1; }
static inline int omp_get_thread_num(void) { return 0; }
static inline int omp_get_num_threads(void) { return 1; }
static inline int omp_in_parallel(void) { return 0; }
#endif

#define FK_CACHE_LINE 64

/* More threads than this are a mistake, not a wish: they are cut down to it. */
#define FK_MOST_THREADS 4096

/* Below this much work (flops, or as many element visits) waking a second thread costs more than it saves. */
#define FK_WORTH_A_THREAD 500000.0

/* What the CPU quotas of this process are worth: see fk_group_cores. */
int fk_quota_of_process(void);

/* The threads to use for `work` flops when the caller asked for `threads`. Inside somebody's parallel region: one. */
static inline int fk_threads_for(int threads, double work) {
  if (work < FK_WORTH_A_THREAD || omp_in_parallel()) return 1;
  if (threads > FK_MOST_THREADS) return FK_MOST_THREADS;
  return threads > 0 ? threads : fk_default_threads();
}

/* The next piece of work of a parallel region. A schedule(dynamic) loop would need a runtime as new as the compiler:
 * clang 19 and later end it with a call that the libomp of Debian 12 lacks. */
static inline ptrdiff_t fk_take(ptrdiff_t *next) { return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED); }

/* Where the part of 0 ..< count of thread me + `next` of this team begins: all parts are as equal as can be. */
static inline ptrdiff_t fk_share(ptrdiff_t count, int next) {
  const ptrdiff_t team = omp_get_num_threads(), me = omp_get_thread_num() + next;
  return count / team * me + count % team * me / team;
}

/* The loop over this thread's part of 0 ..< count in a parallel region. A `for` of OpenMP's own would format a
 * debugging message in every thread each time, in libomp as Debian builds it. */
#define FK_FOR(i, count) for (ptrdiff_t i = fk_share(count, 0), i##_end = fk_share(count, 1); i < i##_end; i++)

static inline ptrdiff_t fk_min(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t fk_max(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
static inline ptrdiff_t fk_ceil_div(ptrdiff_t a, ptrdiff_t b) { return a / b + (a % b != 0); }

/* *product = a * b, or false when it does not fit. */
static inline int fk_multiply(ptrdiff_t *product, ptrdiff_t a, ptrdiff_t b) {
  return !__builtin_mul_overflow(a, b, product);
}

/* Elements of a packed triangle of order d, or -1. */
static inline ptrdiff_t fk_triangle(ptrdiff_t d) {
  ptrdiff_t p;
  if (d < 0 || d == PTRDIFF_MAX) return -1;
  return (d % 2 == 0 ? fk_multiply(&p, d / 2, d + 1) : fk_multiply(&p, d, (d + 1) / 2)) ? p : -1;
}

/* Elements of an (n, ld) matrix of `size`-byte elements: false when they cannot be indexed in bytes. */
static inline int fk_indexable(ptrdiff_t n, ptrdiff_t ld, size_t size) {
  ptrdiff_t elements, bytes;
  return fk_multiply(&elements, n, ld) && fk_multiply(&bytes, elements, (ptrdiff_t)size);
}

/* What every driver asks of an (n, m) argument with leading dimension ld. */
static inline fk_status fk_check_matrix(const void *a, ptrdiff_t n, ptrdiff_t m, ptrdiff_t ld, size_t size) {
  if (n < 0 || m < 0 || ld < m || (a == NULL && n > 0 && m > 0)) return FK_INVALID_ARGUMENT;
  return fk_indexable(n, ld, size) ? FK_OK : FK_SIZE_OVERFLOW;
}

/* Whether BLAS, whose sizes are int, takes these. */
static inline int fk_fits_blas(ptrdiff_t a, ptrdiff_t b, ptrdiff_t c, ptrdiff_t d) {
  return fk_max(fk_max(a, b), fk_max(c, d)) <= INT_MAX;
}

#define FK_TRY(expression)                                                                                             \
  do {                                                                                                                 \
    fk_status fk_try_status = (expression);                                                                            \
    if (fk_try_status != FK_OK) return fk_try_status;                                                                  \
  } while (0)

/* The first cache-line boundary at or after p. */
static inline void *fk_align(void *p) {
  return (void *)(((uintptr_t)p + (FK_CACHE_LINE - 1)) & ~(uintptr_t)(FK_CACHE_LINE - 1));
}

#endif
