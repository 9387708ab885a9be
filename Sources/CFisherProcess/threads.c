/* Threads that are tried out before somebody needs them who would abort without: the OpenMP runtime. */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <sys/resource.h>

#include "ckernels.h"
#include "fisher_process.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int waiting;

static void *wait_at_gate(void *nothing) {
  free(malloc(64)); /* a thread that allocates takes room of its own for it */
  atomic_fetch_add(&waiting, 1);
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return nothing;
}

static int has_spare(size_t bytes) {
  void *spare = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (spare == MAP_FAILED) return 0;
  munmap(spare, bytes);
  return 1;
}

int fisher_possible_threads(int wanted, size_t stack, size_t spare) {
  pthread_t *threads = wanted > 0 ? malloc((size_t)wanted * sizeof *threads) : NULL;
  pthread_attr_t attributes;
  if (!threads || pthread_attr_init(&attributes) != 0) return free(threads), 0;
  int made = 0, possible = 0;
  atomic_store(&waiting, 0);
  pthread_mutex_lock(&gate);
  if (pthread_attr_setstacksize(&attributes, stack) == 0) {
    while (made < wanted && pthread_create(&threads[made], &attributes, wait_at_gate, NULL) == 0) {
      made++;
      while (atomic_load(&waiting) < made) sched_yield();
      if (!has_spare(spare)) break;
      possible = made;
    }
  }
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < made; i++) pthread_join(threads[i], NULL);
  pthread_attr_destroy(&attributes);
  free(threads);
  return possible;
}

void fisher_save_address_space(void) {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
#endif
}

void fisher_start_threads(int threads) { fk_start_threads(threads); }

static void *call(void *body) {
  (*(void (**)(void))body)();
  return NULL;
}

int fisher_call_with_stack(size_t stack, void (*body)(void)) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= stack) {
    body();
    return 0;
  }
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, stack) == 0 &&
      pthread_create(&thread, &attributes, call, &body) == 0)
    return pthread_join(thread, NULL);
  /* A stack grows up to what the limit is now, as far as it may be raised. */
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > stack ? stack : limit.rlim_max;
  if (limit.rlim_cur < stack || setrlimit(RLIMIT_STACK, &limit) != 0) return -1;
  body();
  return 0;
}
