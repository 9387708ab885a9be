/* fisher_process.h: what the command line tools need of a process that cannot be written in Swift: a moment before the
 * shared libraries begin, signal handlers, and threads that are tried out. */
#ifndef FISHER_PROCESS_H
#define FISHER_PROCESS_H

#include <stddef.h>

/* ---- early.c ----------------------------------------------------------------------------------------------------- */

/* Puts the environment back as the user gave it. (For the libraries it was changed: see early.c.) */
void fisher_restore_environment(void);

/* ---- signals.c --------------------------------------------------------------------------------------------------- */

/* SIGINT and SIGTERM end the process at once with status 130 or 143, a fault with one line and status 70; whichever,
 * files that are unfinished go. A limit on file sizes makes writing fail, as a full disk does. */
void fisher_catch_signals(void);

/* While `is_deferred`, the first SIGINT or SIGTERM is only noted; the second ends the process at once. */
void fisher_defer_signals(int is_deferred);

/* The signal that was noted, or 0. */
int fisher_caught_signal(void);

/* Notes a file that is to go when a signal ends the process, or that it is not to any more. */
void fisher_note_unfinished(const char *path, int is_unfinished);

/* Ends the process without the exit handlers of libraries, which wait for threads that may not be there. */
_Noreturn void fisher_end(int status);

/* ---- memory.c ---------------------------------------------------------------------------------------------------- */

/* Has memory go back to the system when it is freed, from 1 MiB on. What a refresh makes in passing is then not still
 * there, in pieces that nothing fits into, when the next one makes something larger: glibc keeps pieces of up to 32 MiB
 * otherwise, and a plan of what is held at a time falls short by as much. A step allocates nothing, and is as fast. */
void fisher_return_freed_memory(void);

/* ---- threads.c --------------------------------------------------------------------------------------------------- */

/* How many of `wanted` threads with stacks of that size can be had at once, `spare` bytes of address space left over.
 */
int fisher_possible_threads(int wanted, size_t stack, size_t spare);

/* Lets all threads allocate from one arena: each of its own would reserve 64 MiB of an address space that is limited.
 */
void fisher_save_address_space(void);

/* Makes the threads that parallel regions use. */
void fisher_start_threads(int threads);

/* Calls `body` with at least that much stack, on another thread where this one has less. -1 where it cannot be had. */
int fisher_call_with_stack(size_t stack, void (*body)(void));

#endif
