/* exp, expm1, log1p and the tail of the normal distribution on vectors, to 2 or 3 units in the last place, gradual
 * underflow included.
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

/* e^r - 1 and k for x - low in range, where low is below the last place of x and corrects it. */
INLINE V FK_LEAF(exp_reduced)(V x, V low, VI *k) {
  static const T inverse_factorial[] = {
      1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,       1.0 / 5040,
      1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  V shifted = x * splat((T)1.44269504088896340736) + splat(ROUND_MAGIC);
  *k = (VI)shifted - (VI)splat(ROUND_MAGIC);
  V rounded = shifted - splat(ROUND_MAGIC);
  V r = x - rounded * splat(LN2_HIGH);
  r = r - rounded * splat(LN2_LOW);
  r = r - low; /* nothing at all where low is the constant 0 */
  V p = splat(inverse_factorial[EXP_DEGREE - 1]);
  UNROLL
  for (int i = EXP_DEGREE - 2; i > 0; i--) p = p * r + splat(inverse_factorial[i]);
  return r + (p * r) * r;
}

/* e^(x - low) as the product of the result and `scale`: other factors may go between the two, so that a denormal is
 * rounded once and last. */
INLINE V FK_LEAF(vexp_factors)(V x, V low, V *scale) {
  VI k;
  V p = FK_LEAF(exp_reduced)(x, low, &k);
  VI half = k >> 1;
  *scale = FK_LEAF(power_of_two)(k - half);
  return (splat(1) + p) * FK_LEAF(power_of_two)(half);
}

/* A NaN stays one: it is neither below nor above, and k of garbage is harmless once NaN is selected. */
INLINE V FK_LEAF(vexp)(V x) {
  V scale, e = FK_LEAF(vexp_factors)(vmax(vmin(x, splat(EXP_HIGHEST)), splat(EXP_LOWEST)), splat(0), &scale);
  return select(x == x, e * scale, x);
}

/* e^x - 1 for x <= 0: nothing is lost near 0. */
INLINE V FK_LEAF(vexpm1_negative)(V x) {
  VI k;
  V p = FK_LEAF(exp_reduced)(vmax(x, splat(SINGLE ? -40 : -60)), splat(0), &k);
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

/* a e^(-a^2/2), and so Phi(-a) too, is less than half of the smallest denormal beyond. */
#define NORMAL_FURTHEST ((T)(SINGLE ? 15 : 40))
/* The upper half of the bits of the mantissa, and the sign and the exponent. */
#define UPPER_HALF ((INT)(SINGLE ? ~(INT)0xfff : ~(INT)0x7ffffff))

/* e^(-a^2/2) in the factors of vexp_factors, for 0 <= a <= NORMAL_FURTHEST. The rounding of a^2, up to a^2/2 units in
 * the last place of the result, is found by splitting a in halves, whose products lose nothing that counts, and put
 * right. */
INLINE V FK_LEAF(vgauss_factors)(V a, V *scale) {
  V square = a * a, high = (V)((VI)a & UPPER_HALF), low = a - high;
  V missing = (high * high - square) + splat(2) * high * low;
  missing = missing + low * low;
  return FK_LEAF(vexp_factors)(splat((T)-0.5) * square, splat((T)0.5) * missing, scale);
}

/* Phi(-a) e^(a^2/2) for 0 <= a <= NORMAL_FURTHEST: half a scaled complementary error function, 1/2 at 0 and like
 * 1 / (a sqrt(2 pi)) far away. With t = 1 / (1 + a/4) it is t times a smooth function of t, taken as a polynomial in
 * s = 2t - 1, of which the first coefficient is the largest.
 *
 * Its coefficients are the minimax ones for the relative error on this interval, found by Remez's exchange in 50 digits
 * from mpmath's erfc. The polynomial is off by at most 9.1e-9 in float and 2.1e-17 in double, under a fifth of the unit
 * roundoff; with its coefficients rounded, by 0.55 and 0.65 of it. A factor 1/4 of a comes close to the lowest degree
 * in both, and costs no rounding. */
INLINE V FK_LEAF(vnormal_tail_scaled)(V a) {
  static const T single[] = {0.1888212838,   0.151974145,     0.09678422911,    0.04663091405, 0.01510087228,
                             0.001881001035, -0.000877551835, -0.0003921021425, 4.36631449e-5, 3.355010609e-5};
  static const T twice[] = {
      0.18882128260393786942,     0.15197416049297301597,     0.096784350185554927518,    0.046630464489915943437,
      0.015099143722663522503,    0.0018850472416223213219,   -0.00086992309034191416129, -0.00040770461352581031571,
      0.000033336061551267788247, 0.000057773727666888605048, -4.7695787554216231511e-7,  -8.7861513119253837076e-6,
      1.7873421098519043391e-7,   1.4800315292376318247e-6,   -1.56290522499983974e-7,    -2.5552307746986346596e-7,
      6.602678152152494727e-8,    3.9221964896784844927e-8,   -1.9308515152795111041e-8,  -4.069415218640508611e-9,
      3.6700530029244864044e-9,   1.0049328175104976795e-10,  -3.0633315945383652164e-10};
  const T *c = SINGLE ? single : twice;
  const int degree = SINGLE ? 9 : 22;
  /* Near 0, t is 1 - v with an exact 1: as a quotient its rounding, which the product magnifies three times, would be
   * most of the error. */
  V t = splat(1) / (splat(1) + splat((T)0.25) * a), v = splat((T)0.25) * a * t;
  VI near = a < splat(2);
  V s = select(near, splat(1) - splat(2) * v, splat(2) * t - splat(1)), p = splat(c[degree]);
  UNROLL
  for (int i = degree - 1; i >= 0; i--) p = p * s + splat(c[i]);
  return p * select(near, splat(1) - v, t);
}

#define vexp FK_LEAF(vexp)
#define vexpm1_negative FK_LEAF(vexpm1_negative)
#define vlog1p_unit FK_LEAF(vlog1p_unit)
#define vexp_factors FK_LEAF(vexp_factors)
#define vgauss_factors FK_LEAF(vgauss_factors)
#define vnormal_tail_scaled FK_LEAF(vnormal_tail_scaled)
