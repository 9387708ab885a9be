/* Which level's leaf kernels run: the plain table first, then the better ones where the CPU has them. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "internal/ops.h"
#include "internal/parallel.h"

typedef struct fk_level {
  const char *name;
  int bytes; /* of its vectors */
  const fk_sops *s;
  const fk_dops *d;
  const fk_pair_ops *pairs; /* where the CPU has them too */
} fk_level;

static const fk_level levels[] = {
    {"baseline", 16, &fk_sops_baseline, &fk_dops_baseline, NULL},
#if defined(__x86_64__)
    {"avx2", 32, &fk_sops_avx2, &fk_dops_avx2, NULL},
    {"avx512", 64, &fk_sops_avx512, &fk_dops_avx512, &fk_pair_ops_avx512},
#endif
};

static _Thread_local int selected_level = -1;
static atomic_int default_level = -1;
static atomic_int default_threads;
static atomic_int quota_cores = -1; /* 0: none, or OMP_NUM_THREADS says otherwise */

int fk_level_count(void) { return (int)(sizeof levels / sizeof levels[0]); }

const char *fk_level_name(int level) { return level < 0 || level >= fk_level_count() ? NULL : levels[level].name; }

int fk_level_bytes(int level) { return level < 0 || level >= fk_level_count() ? 0 : levels[level].bytes; }

int fk_level_supported(int level) {
  if (level == 0) return 1;
#if defined(__x86_64__)
  if (level == 1) return __builtin_cpu_supports("x86-64-v3") != 0;
  if (level == 2) return __builtin_cpu_supports("x86-64-v4") != 0;
#endif
  return 0;
}

static int find_default_level(void) {
  const char *wanted = getenv("FISHERKIT_CPU");
  int best = 0;
  for (int level = 0; level < fk_level_count(); level++) {
    if (!fk_level_supported(level)) continue;
    best = level;
    if (wanted && strcmp(wanted, levels[level].name) == 0) break;
  }
  return best;
}

int fk_level_current(void) {
  if (selected_level >= 0) return selected_level;
  int level = atomic_load_explicit(&default_level, memory_order_relaxed);
  if (level < 0) {
    level = find_default_level();
    atomic_store_explicit(&default_level, level, memory_order_relaxed);
  }
  return level;
}

fk_status fk_level_select(int level) {
  if (level >= fk_level_count() || (level >= 0 && !fk_level_supported(level))) return FK_UNSUPPORTED;
  selected_level = level < 0 ? -1 : level;
  return FK_OK;
}

int fk_default_threads(void) {
  int threads = atomic_load_explicit(&default_threads, memory_order_relaxed);
  if (threads > 0) return threads;
  /* libomp makes garbage of an OMP_NUM_THREADS that is not a number: then it counts as not set. */
  threads = omp_get_max_threads();
  if (threads <= 0 || threads > FK_MOST_THREADS) threads = (int)fk_min(fk_max(omp_get_num_procs(), 1), FK_MOST_THREADS);
  int quota = atomic_load_explicit(&quota_cores, memory_order_relaxed);
  if (quota < 0) {
    const char *wanted = getenv("OMP_NUM_THREADS");
    quota = wanted && *wanted ? 0 : fk_quota_of_process();
    atomic_store_explicit(&quota_cores, quota, memory_order_relaxed);
  }
  return quota > 0 ? (int)fk_min(threads, quota) : threads;
}

void fk_default_threads_set(int threads) {
  atomic_store_explicit(&default_threads, (int)fk_min(threads, FK_MOST_THREADS), memory_order_relaxed);
}

void fk_start_threads(int threads) {
  volatile int first; /* (a region without anything in it is none) */
#pragma omp parallel num_threads((int)fk_min(threads, FK_MOST_THREADS)) if (threads > 1)
  if (omp_get_thread_num() == 0) first = omp_get_num_threads();
  (void)first;
}

const fk_pair_ops *fk_pair_ops_current(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return levels[fk_level_current()].pairs;
#endif
  return NULL;
}

int fk_bfloat16_supported(void) { return fk_pair_ops_current() != NULL; }

const fk_sops *fk_sops_current(void) { return levels[fk_level_current()].s; }
const fk_dops *fk_dops_current(void) { return levels[fk_level_current()].d; }
