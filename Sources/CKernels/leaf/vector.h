/* The vectors of one precision at one CPU level. The including level file defines FK_LEVEL, FK_VECTOR_BYTES and
 * FK_REGISTERS; leaf.h defines T, INT, P and includes this file once for each. */
#define V FK_LEAF(vector)
#define VI FK_LEAF(ivector)
#define VU FK_LEAF(unaligned)
#define VW ((ptrdiff_t)(FK_VECTOR_BYTES / sizeof(T)))
#define LANES ((ptrdiff_t)(64 / sizeof(T)))
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef T V __attribute__((ext_vector_type(FK_VECTOR_BYTES / sizeof(T))));
typedef INT VI __attribute__((ext_vector_type(FK_VECTOR_BYTES / sizeof(T))));
typedef T VU __attribute__((ext_vector_type(FK_VECTOR_BYTES / sizeof(T)), aligned(sizeof(T)), may_alias));

INLINE V FK_LEAF(load)(const T *p) { return *(const VU *)p; }
INLINE void FK_LEAF(store)(T *p, V v) { *(VU *)p = v; }
INLINE V FK_LEAF(splat)(T x) { return (V)(x); }
/* a where mask is all ones, else b. */
INLINE V FK_LEAF(select)(VI mask, V a, V b) { return mask ? a : b; }
INLINE V FK_LEAF(vmin)(V a, V b) { return a < b ? a : b; }
INLINE V FK_LEAF(vmax)(V a, V b) { return a > b ? a : b; }
INLINE V FK_LEAF(vabs)(V a) { return a < (V)(0) ? -a : a; }
INLINE T FK_LEAF(sum)(V v) {
  T total = 0;
  for (ptrdiff_t i = 0; i < VW; i++) total += v[i];
  return total;
}

#define load FK_LEAF(load)
#define store FK_LEAF(store)
#define splat FK_LEAF(splat)
#define select FK_LEAF(select)
#define vmin FK_LEAF(vmin)
#define vmax FK_LEAF(vmax)
#define vabs FK_LEAF(vabs)
#define vsum FK_LEAF(sum)
