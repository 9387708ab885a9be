/* OpenBLAS makes its threads while it is loaded, before main. We have no use for them (our OpenMP threads share the
 * work out, see CKernels' blas_guard.h), and they do harm: where one cannot be made OpenBLAS sends the process a
 * SIGINT, where one cannot get its memory it waits for it for ever when the process ends. OPENBLAS_NUM_THREADS=1 makes
 * none, but has to be there before the library is loaded. So the program starts itself anew with it, from the one place
 * where code of ours runs before that of libraries: .preinit_array. It costs a second look for the libraries, a few
 * milliseconds. What else there is, is worse: openblas_set_num_threads(1) comes too late, a getenv of our own would be
 * everybody's, and to load OpenBLAS by dlopen is to do without its header.
 *
 * The process keeps its number, its files and its name; children get the user's own value back. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fisher_process.h"

#define BLAS_THREADS "OPENBLAS_NUM_THREADS"
/* The process's number, then "=" and the value that the user had there, or nothing. That it is there says that all this
 * has been done; another number is that of a parent, and says nothing. */
#define BEFORE "FISHERKIT_BLAS_THREADS_BEFORE"

static const char *skip(const char *text, const char *start) {
  return text && strncmp(text, start, strlen(start)) == 0 ? text + strlen(start) : NULL;
}

static const char *value_of(char *const *environment, const char *name) {
  for (; *environment; environment++) {
    const char *value = skip(*environment, name);
    if (value && *value == '=') return value + 1;
  }
  return NULL;
}

/* The digits of this process's number. (What formats numbers is not ready so early.) */
static const char *process_number(char text[24]) {
  char *first = text + 23;
  *first = 0;
  for (long number = getpid(); number > 0 || !*first; number /= 10) *--first = (char)('0' + number % 10);
  return first;
}

/* What follows the number in `before`, or NULL where it is not ours. */
static const char *own(const char *before) {
  char text[24];
  const char *rest = skip(before, process_number(text));
  return rest && (*rest == '=' || *rest == 0) ? rest : NULL;
}

#if defined(__linux__)
static void begin(int argc, char **argv, char **environment) {
  (void)argc;
  const char *threads = value_of(environment, BLAS_THREADS);
  if (own(value_of(environment, BEFORE)) || (threads && strcmp(threads, "1") == 0)) return;
  size_t count = 0;
  while (environment[count]) count++;
  char *changed[count + 3], number[24], before[sizeof BEFORE + 26 + (threads ? strlen(threads) : 0)];
  strcat(strcpy(before, BEFORE "="), process_number(number));
  if (threads) strcat(strcat(before, "="), threads);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (!skip(environment[i], BLAS_THREADS "=") && !skip(environment[i], BEFORE "=")) changed[kept++] = environment[i];
  changed[kept++] = BLAS_THREADS "=1";
  changed[kept++] = before;
  changed[kept] = NULL;
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return; /* without /proc we go on with what there is */
  path[length] = 0;
  execve(path, argv, changed);
}

__attribute__((section(".preinit_array"), used)) static void (*const early)(int, char **, char **) = begin;
#endif

void fisher_restore_environment(void) {
  const char *before = own(getenv(BEFORE));
  if (before && *before == '=') setenv(BLAS_THREADS, before + 1, 1);
  else if (before) unsetenv(BLAS_THREADS);
  unsetenv(BEFORE);
}
