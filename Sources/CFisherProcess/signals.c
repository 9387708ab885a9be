/* Signal handlers. They do nothing but what is safe in one: atomic variables, unlink, write, _exit. */
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fisher_process.h"

enum { FREE, CHANGING, NOTED };
static struct {
  atomic_int state;
  char path[PATH_MAX];
} unfinished[16];
#define UNFINISHED (sizeof unfinished / sizeof unfinished[0])

static atomic_int is_deferred, caught;
static atomic_llong caught_at;

/* What libomp puts there for as long as the process lives, and takes away in an exit handler. */
static char openmp_mark[64];

static _Noreturn void end_at_once(int status) {
  for (size_t i = 0; i < UNFINISHED; i++)
    if (atomic_load(&unfinished[i].state) == NOTED) unlink(unfinished[i].path);
  if (*openmp_mark) unlink(openmp_mark);
  _exit(status);
}

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_interrupt(int number) {
  int none = 0;
  if (!atomic_load(&is_deferred)) end_at_once(128 + number);
  if (atomic_compare_exchange_strong(&caught, &none, number)) atomic_store(&caught_at, milliseconds());
  /* timeout(1) sends its signal to the process and to its group: one wish that comes twice */
  else if (milliseconds() - atomic_load(&caught_at) > 50) end_at_once(128 + number);
}

static void on_fault(int number) {
  static const char line[] =
      "fisher: expected to go on, found memory that ran out or a fault (SWIFT_BACKTRACE=enable=yes shows where)\n";
  /* (who aborts or traps has said why) */
  const int is_silent = number == SIGSEGV || number == SIGBUS || number == SIGFPE;
  if (is_silent && write(STDERR_FILENO, line, sizeof line - 1) < 0) end_at_once(70);
  end_at_once(70);
}

void fisher_catch_signals(void) {
  snprintf(openmp_mark, sizeof openmp_mark, "/dev/shm/__KMP_REGISTERED_LIB_%d_%d", (int)getpid(), (int)getuid());
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = on_interrupt;
  /* Also where they were ignored or held back: a shell without job control ignores SIGINT for what it starts in the
   * background, and who sends one all the same wants the run to end. */
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigprocmask(SIG_UNBLOCK, &both, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &action, NULL);
  if (getenv("SWIFT_BACKTRACE")) return; /* somebody is looking for a fault */
  static char stack[1 << 16];
  const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&other, NULL);
  action.sa_handler = on_fault;
  action.sa_flags = SA_ONSTACK;
  const int faults[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) sigaction(faults[i], &action, NULL);
}

void fisher_defer_signals(int defer) { atomic_store(&is_deferred, defer); }

int fisher_caught_signal(void) { return atomic_load(&caught); }

void fisher_note_unfinished(const char *path, int is_unfinished) {
  if (strlen(path) >= PATH_MAX) return;
  for (size_t i = 0; i < UNFINISHED; i++) {
    int from = is_unfinished ? FREE : NOTED;
    if (!is_unfinished && (atomic_load(&unfinished[i].state) != NOTED || strcmp(unfinished[i].path, path) != 0))
      continue;
    if (!atomic_compare_exchange_strong(&unfinished[i].state, &from, CHANGING)) continue;
    if (is_unfinished) strcpy(unfinished[i].path, path);
    atomic_store(&unfinished[i].state, is_unfinished ? NOTED : FREE);
    return;
  }
}

void fisher_end(int status) {
  fflush(NULL);
  end_at_once(status);
}
