/* OpenBLAS has a thread pool of its own, and two pools on the same cores wait for each other. So every BLAS call here
 * is single-threaded and our OpenMP threads share out the work. OpenBLAS's thread count belongs to the whole process:
 * it is set to one while any of our calls is under way, and put back by the last to leave. */
#ifndef FK_BLAS_GUARD_H
#define FK_BLAS_GUARD_H

#include <cblas.h>
#include <lapacke.h>
#include <stdatomic.h>

static atomic_flag fk_blas_lock = ATOMIC_FLAG_INIT;
static int fk_blas_users, fk_blas_threads_before;

static inline void fk_blas_enter_or_leave(int change) {
  while (atomic_flag_test_and_set_explicit(&fk_blas_lock, memory_order_acquire)) {
  }
#ifdef OPENBLAS_VERSION
  if (change > 0 && fk_blas_users == 0) {
    fk_blas_threads_before = openblas_get_num_threads();
    if (fk_blas_threads_before != 1) openblas_set_num_threads(1);
  }
  fk_blas_users += change;
  if (change < 0 && fk_blas_users == 0 && fk_blas_threads_before != 1) openblas_set_num_threads(fk_blas_threads_before);
#else
  fk_blas_users += change;
#endif
  atomic_flag_clear_explicit(&fk_blas_lock, memory_order_release);
}

static inline void fk_blas_enter(void) { fk_blas_enter_or_leave(1); }
static inline void fk_blas_leave(void) { fk_blas_enter_or_leave(-1); }

#endif
