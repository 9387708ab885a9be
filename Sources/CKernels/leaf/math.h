/* exp, expm1 and log1p on vectors, to about 2 units in the last place, gradual underflow included.
 *
 * x = k ln2 + r with |r| <= ln2 / 2, e^r - 1 by its Taylor series (degree 7 in float, 13 in double: the next term is
 * below half a unit in the last place), and 2^k by the exponent field, in two factors so that denormals come out. */
#define SINGLE (sizeof(T) == 4)
#define MANTISSA (SINGLE ? 23 : 52)
#define EXPONENT_BIAS ((INT)(SINGLE ? 127 : 1023))
/* 1.5 * 2^mantissa: adding it rounds to an integer */
#define ROUND_MAGIC ((T)(SINGLE ? 12582912.0 : 6755399441055744.0))
#define LN2_HIGH ((T)(SINGLE ? 0.693359375 : 6.93147180369123816490e-01))
#define LN2_LOW ((T)(SINGLE ? -2.12194440054690583e-4 : 1.90821492927058770002e-10))
#define EXP_DEGREE (SINGLE ? 7 : 13)
#define EXP_LOWEST ((T)(SINGLE ? -104.0 : -746.0)) /* e^x is 0 below */
#define EXP_HIGHEST ((T)(SINGLE ? 89.0 : 710.0))   /* e^x is infinite above */

INLINE V FK_LEAF(power_of_two)(VI k) { return (V)((k + EXPONENT_BIAS) << MANTISSA); }

/* e^r - 1 and k for x in range. */
INLINE V FK_LEAF(exp_reduced)(V x, VI *k) {
  static const T inverse_factorial[] = {
      1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,       1.0 / 5040,
      1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  V shifted = x * splat((T)1.44269504088896340736) + splat(ROUND_MAGIC);
  *k = (VI)shifted - (VI)splat(ROUND_MAGIC);
  V rounded = shifted - splat(ROUND_MAGIC);
  V r = x - rounded * splat(LN2_HIGH);
  r = r - rounded * splat(LN2_LOW);
  V p = splat(inverse_factorial[EXP_DEGREE - 1]);
  UNROLL
  for (int i = EXP_DEGREE - 2; i > 0; i--) p = p * r + splat(inverse_factorial[i]);
  return r + (p * r) * r;
}

/* A NaN stays one: it is neither below nor above, and k of garbage is harmless once NaN is selected. */
INLINE V FK_LEAF(vexp)(V x) {
  VI k;
  V p = FK_LEAF(exp_reduced)(vmax(vmin(x, splat(EXP_HIGHEST)), splat(EXP_LOWEST)), &k);
  VI half = k >> 1;
  V e = (splat(1) + p) * FK_LEAF(power_of_two)(half) * FK_LEAF(power_of_two)(k - half);
  return select(x == x, e, x);
}

/* e^x - 1 for x <= 0: nothing is lost near 0. */
INLINE V FK_LEAF(vexpm1_negative)(V x) {
  VI k;
  V p = FK_LEAF(exp_reduced)(vmax(x, splat(SINGLE ? -40 : -60)), &k);
  V scale = FK_LEAF(power_of_two)(k);
  return select(x == x, scale * p + (scale - splat(1)), x);
}

/* log(1 + t) for 0 <= t <= 1, as 2 artanh(t / (2 + t)). */
INLINE V FK_LEAF(vlog1p_unit)(V t) {
  V u = t / (splat(2) + t), square = u * u;
  enum { terms = 18 };
  const int last = SINGLE ? 8 : terms;
  V p = splat((T)(1.0 / (2 * last + 1)));
  UNROLL
  for (int i = last - 1; i > 0; i--) p = p * square + splat((T)(1.0 / (2 * i + 1)));
  V twice = u + u;
  return twice + twice * (p * square);
}

#define vexp FK_LEAF(vexp)
#define vexpm1_negative FK_LEAF(vexpm1_negative)
#define vlog1p_unit FK_LEAF(vlog1p_unit)
