/* f, f' and nu_f of Table 1, each in a form that neither overflows nor cancels at large |z|. */

/* tanh (eqs 5-7): with t = e^{-2|z|}, tanh z = +-(1 - t)/(1 + t) and nu = f' = sech^2 z = 4 t / (1 + t)^2. */
INLINE void FK_LEAF(tanh_all)(V z, V *value, V *derivative, V *nu) {
  V minus = splat(-2) * vabs(z), t = vexp(minus), e = vexpm1_negative(minus);
  V magnitude = -e / (splat(2) + e), plus = splat(1) + t;
  *value = select(z < splat(0), -magnitude, magnitude);
  *derivative = *nu = (splat(4) * t / plus) / plus;
}

/* sigm: with t = e^{-|z|}, sigm z = 1/(1 + t) or t/(1 + t), and nu = f' = t / (1 + t)^2. */
INLINE void FK_LEAF(sigm_all)(V z, V *value, V *derivative, V *nu) {
  V t = vexp(-vabs(z)), plus = splat(1) + t;
  *value = select(z < splat(0), t, splat(1)) / plus;
  *derivative = *nu = (t / plus) / plus;
}

/* max(z, iota z) without the 0 * infinity of iota = 0. A NaN passes through. */
INLINE V FK_LEAF(leaky)(V z, T iota) { return select(z < splat(0), iota == 0 ? splat(0) : splat(iota) * z, z); }

/* relu_{iota,omega} (eq 2): a = (1 - iota) z / omega, f = max(z, iota z) + omega log(1 + e^{-|a|}),
 * f' = iota + (1 - iota) sigm(a), nu = f'^2 (eq 8). */
INLINE void FK_LEAF(relu_all)(V z, V *value, V *derivative, V *nu, T iota, T omega) {
  V a = splat(1 - iota) * z / splat(omega), t = vexp(-vabs(a)), plus = splat(1) + t;
  *value = FK_LEAF(leaky)(z, iota) + splat(omega) * vlog1p_unit(t);
  *derivative = splat(iota) + splat(1 - iota) * (select(z < splat(0), t, splat(1)) / plus);
  *nu = *derivative * *derivative;
}

/* The limit omega -> 0, with f'(0) = iota. */
INLINE void FK_LEAF(hard_relu_all)(V z, V *value, V *derivative, V *nu, T iota) {
  V slope = select(z > splat(0), splat(1), splat(iota));
  *value = FK_LEAF(leaky)(z, iota);
  *derivative = slope;
  *nu = slope * slope;
}

/* elu (eq 3). */
INLINE void FK_LEAF(elu_all)(V z, V *value, V *derivative, V *nu, T alpha) {
  V low = vmin(z, splat(0));
  *value = select(z < splat(0), splat(alpha) * vexpm1_negative(low), z);
  *derivative = select(z < splat(0), splat(alpha) * vexp(low), splat(1));
  *nu = *derivative * *derivative;
}

/* silu and gelu are f(z) = z G(z) with G(-z) = 1 - G(z), hence with a = |z|
 *     f(z) = max(z, 0) - a G(-a),  f'(-a) = G(-a) - a G'(a),  f'(a) = 1 - f'(-a),  nu = f'^2 (eq 8),
 * in which only the left tail, `value_left` = a G(-a) and `slope_left` = f'(-a), has to be known. A NaN passes
 * through: the tail, of an a that was limited, is none.
 *
 * Against mpmath at 160 000 z, f is off by at most 3.3 (silu) and 5.9 (gelu) units of roundoff of itself in either
 * precision, and f' by 4.6 and 4.1 of its two terms, which cancel near z = -1.278 and -0.7518. */
INLINE void FK_LEAF(gated)(V z, V value_left, V slope_left, V *value, V *derivative, V *nu) {
  V slope = select(z < splat(0), slope_left, splat(1) - slope_left);
  *value = select(z == z, vmax(z, splat(0)) - value_left, z);
  *derivative = select(z == z, slope, z);
  *nu = *derivative * *derivative;
}

/* a e^-a is less than half of the smallest denormal beyond. */
#define SILU_FURTHEST ((T)(SINGLE ? 110 : 760))

/* silu, G = sigm: with t = e^-a, G(-a) = t / (1 + t) and f'(-a) = t (1 + t - a) / (1 + t)^2. */
INLINE void FK_LEAF(silu_all)(V z, V *value, V *derivative, V *nu) {
  V a = vmin(vabs(z), splat(SILU_FURTHEST)), scale, e = vexp_factors(-a, splat(0), &scale);
  V plus = splat(1) + e * scale, gate = e / plus;
  FK_LEAF(gated)(z, a * gate * scale, gate * ((plus - a) / plus) * scale, value, derivative, nu);
}

/* gelu, G = Phi: with e = e^(-a^2/2), G(-a) = e times the scaled tail and f'(-a) = e (that - a / sqrt(2 pi)). */
INLINE void FK_LEAF(gelu_all)(V z, V *value, V *derivative, V *nu) {
  V a = vmin(vabs(z), splat(NORMAL_FURTHEST)), scale, e = vgauss_factors(a, &scale), tail = vnormal_tail_scaled(a);
  V slope = tail - splat((T)0.39894228040143267794) * a;
  FK_LEAF(gated)(z, a * tail * e * scale, slope * e * scale, value, derivative, nu);
}

INLINE void FK_LEAF(activation_all)(V z, V *value, V *derivative, V *nu, const fk_activation *activation) {
  T iota = (T)activation->iota, omega = (T)activation->omega;
  switch (activation->kind) {
  case FK_TANH: FK_LEAF(tanh_all)(z, value, derivative, nu); break;
  case FK_SIGM: FK_LEAF(sigm_all)(z, value, derivative, nu); break;
  case FK_RELU:
    if (omega > 0) FK_LEAF(relu_all)(z, value, derivative, nu, iota, omega);
    else FK_LEAF(hard_relu_all)(z, value, derivative, nu, iota);
    break;
  case FK_ELU: FK_LEAF(elu_all)(z, value, derivative, nu, (T)activation->alpha); break;
  case FK_LINEAR: *value = z, *derivative = splat(1), *nu = splat(1); break;
  case FK_SILU: FK_LEAF(silu_all)(z, value, derivative, nu); break;
  case FK_GELU: FK_LEAF(gelu_all)(z, value, derivative, nu); break;
  }
}

/* The first `count` elements of p, the rest zero. */
INLINE V FK_LEAF(load_part)(const T *p, ptrdiff_t count) {
  T part[VW];
  for (ptrdiff_t i = 0; i < VW; i++) part[i] = i < count ? p[i] : 0;
  return load(part);
}

INLINE void FK_LEAF(store_part)(T *p, V v, ptrdiff_t count) {
  T part[VW];
  store(part, v);
  for (ptrdiff_t i = 0; i < count; i++) p[i] = part[i];
}

static void FK_LEAF(activation)(T *value, T *derivative, T *nu, const T *z, ptrdiff_t count,
                                const fk_activation *activation) {
  for (ptrdiff_t i = 0; i < count; i += VW) {
    ptrdiff_t part = count - i;
    V f, f1, n;
    FK_LEAF(activation_all)(part >= VW ? load(z + i) : FK_LEAF(load_part)(z + i, part), &f, &f1, &n, activation);
    if (part >= VW) {
      if (value) store(value + i, f);
      if (derivative) store(derivative + i, f1);
      if (nu) store(nu + i, n);
    } else {
      if (value) FK_LEAF(store_part)(value + i, f, part);
      if (derivative) FK_LEAF(store_part)(derivative + i, f1, part);
      if (nu) FK_LEAF(store_part)(nu + i, n, part);
    }
  }
}

static void FK_LEAF(activation_backward)(T *delta, const T *z, ptrdiff_t count, const fk_activation *activation) {
  for (ptrdiff_t i = 0; i < count; i += VW) {
    ptrdiff_t part = count - i;
    V f, f1, n;
    FK_LEAF(activation_all)(part >= VW ? load(z + i) : FK_LEAF(load_part)(z + i, part), &f, &f1, &n, activation);
    if (part >= VW) store(delta + i, load(delta + i) * f1);
    else FK_LEAF(store_part)(delta + i, FK_LEAF(load_part)(delta + i, part) * f1, part);
  }
}
