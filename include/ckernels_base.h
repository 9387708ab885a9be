/* ckernels_base.h: what all C functions of FisherKit have in common, and which of them run on this CPU and with how
 * many threads. The functions are in ckernels.h, which includes this.
 *
 * Names are fk_ + precision (s: float, d: double) + operation. Arguments go outputs, inputs, sizes, options.
 * Notation of the paper: X is (n,d), one sample x~ = (x, 1) a row, the bias column already there; W, V are (m,d), one
 * neuron a row; nu, eta, z are (n,m). All are row-major with a leading dimension "ld" counted in elements.
 *
 * Contracts that hold everywhere:
 *   - no allocation, no printing, no exit; work space is the caller's, sized by the ..._work_size twin (in bytes);
 *   - every function returns an fk_status; sizes are checked for overflow before anything is touched;
 *   - `threads` is the number of OpenMP threads, at most 4096, 0 meaning fk_default_threads (OMP_NUM_THREADS or all
 *     cores unless set); results do not depend on it, except in the last places where BLAS makes them (gemm, gram, the
 *     matvecs and the kernel form, unless products are our own): it sums in an order of its own for each shape it is
 *     given;
 *     functions without the argument use fk_default_threads;
 *   - pointers need the alignment of their element only; 64 bytes is faster.
 */
#ifndef FISHERKIT_CKERNELS_BASE_H
#define FISHERKIT_CKERNELS_BASE_H

#include <stddef.h>
#include <stdint.h>

/* The size of an enumeration where the language can state it: clang in any C, C++ since 2011, others since C23. */
#if defined(__clang__) || defined(__cplusplus) || __STDC_VERSION__ >= 202311L
#define FK_ENUM_SIZE : int32_t
#else
#define FK_ENUM_SIZE
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fk_status FK_ENUM_SIZE {
  FK_OK = 0,
  FK_INVALID_ARGUMENT = 1,      /* a negative size, a leading dimension below the row length, too little work space */
  FK_SIZE_OVERFLOW = 2,         /* the sizes multiply to more than ptrdiff_t, or BLAS's int, can index */
  FK_NOT_POSITIVE_DEFINITE = 3, /* a pivot was not positive, or not finite: see fk_failure */
  FK_UNSUPPORTED = 4,           /* a CPU level that does not exist here */
  FK_NO_CONVERGENCE = 5         /* LAPACK gave up on an eigenvalue */
} fk_status;

/* Where a factorisation first failed: the lowest block, and in it the first pivot, both from 0. Functions that fill one
 * in take NULL as well. */
typedef struct fk_failure {
  ptrdiff_t block, pivot;
  ptrdiff_t failed_blocks; /* how many blocks failed in all */
  double value;            /* the pivot found where a positive number was needed */
} fk_failure;

/* ---- CPU levels: chosen at run time, selectable by name ---------------------------------------------------------- */

/* Levels compiled in, from the plainest (0, "baseline") up, and whether this CPU runs them. */
int fk_level_count(void);
const char *fk_level_name(int level);
int fk_level_supported(int level);
/* The level in force on this thread: the one it selected, else FISHERKIT_CPU (by name), else the best supported. */
int fk_level_current(void);
/* Selects a level for the calling thread only; a negative level goes back to the default. */
fk_status fk_level_select(int level);
/* The bytes of a level's vectors; 0 for a level that does not exist. */
int fk_level_bytes(int level);
/* The number of threads that `threads` = 0 stands for, in the whole process; 0 or less goes back to OpenMP's own, or
 * without OMP_NUM_THREADS to what a CPU quota of the process is worth where that is less. */
int fk_default_threads(void);
void fk_default_threads_set(int threads);
/* The cores that a CPU quota is worth: its time and period as in cpu.max ("150000 100000"), 0 where it is none. */
int fk_quota_cores(const char *quota);
/* The least of them over the control groups that the text of /proc/self/cgroup names, and all that these are in, with
 * the hierarchies mounted below `root`; 0 where there is none. */
int fk_group_cores(const char *root, const char *membership);
/* Makes as many OpenMP threads, which the functions then find: where one cannot be had, OpenMP ends the process. */
void fk_start_threads(int threads);

/* ---- BLAS, and who multiplies large matrices --------------------------------------------------------------------- */

/* The BLAS that is linked, such as "OpenBLAS 0.3.21", and the CPU whose kernels it chose, such as "Haswell"; each
 * "unknown" where it does not say. */
const char *fk_blas_library(void);
const char *fk_blas_core(void);
/* The bytes of the vectors that OpenBLAS's kernels for a CPU of this name multiply and add at once, in any case of
 * letters; 0 where the name is unknown. */
int fk_blas_core_bytes(const char *core);

/* Who computes the products that are too large to be read straight from their operands (gemm, gram, and all that is
 * made of them). AUTO is OWN where BLAS chose kernels of narrower vectors than the level in force has, else BLAS. It
 * goes by these names and not by a measurement, because the last places of every result depend on it. */
typedef enum fk_product_route FK_ENUM_SIZE { FK_PRODUCTS_AUTO = 0, FK_PRODUCTS_BLAS, FK_PRODUCTS_OWN } fk_product_route;

/* The route in force on this thread, BLAS or OWN: the one it selected, else that of the process, else
 * FISHERKIT_PRODUCTS (auto, blas or own), else AUTO. */
fk_product_route fk_product_route_current(void);
/* Sets it for the whole process; AUTO takes the environment's. */
fk_status fk_set_product_route(fk_product_route route);
/* Selects it for the calling thread only; AUTO goes back to that of the process. */
fk_status fk_product_route_select(fk_product_route route);

#ifdef __cplusplus
}
#endif
#endif
