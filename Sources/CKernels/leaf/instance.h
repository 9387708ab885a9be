/* One precision at one level: the bodies, then the table that names them. */
#include "leaf/vector.h"

#include "leaf/math.h"

#include "leaf/activation.h"
#include "leaf/cholesky.h"
#include "leaf/gram.h"
#include "leaf/inverse.h"
#include "leaf/inverse_factor.h"
#include "leaf/kernel.h"
#include "leaf/product.h"
#include "leaf/direct.h"
#include "leaf/dots.h"
#include "leaf/factor.h"
#include "leaf/softmax.h"
#include "leaf/training.h"
#include "leaf/batch_norm.h"

#define FK_TABLE_(P, level) fk_##P##ops_##level
#define FK_TABLE(P, level) FK_TABLE_(P, level)

const OPS FK_TABLE(P, FK_LEVEL) = {
    .slices = LANES / VW,
    .activation = FK_LEAF(activation),
    .activation_backward = FK_LEAF(activation_backward),
    .gram_panel = FK_LEAF(gram_panel),
    .gram_accumulate = FK_LEAF(gram_accumulate),
    .cholesky = FK_LEAF(cholesky),
    .cholesky_solve = FK_LEAF(cholesky_solve),
    .cholesky_inverse = FK_LEAF(cholesky_inverse),
    .inverse_factor = FK_LEAF(inverse_factor),
    .symmetric_multiply = FK_LEAF(symmetric_multiply),
    .kernel_block = FK_LEAF(kernel_block),
    .multiply = FK_LEAF(multiply),
    .subtract_product = FK_LEAF(subtract_product),
    .scaled_root = FK_LEAF(scaled_root),
    .pack = FK_LEAF(pack),
    .pack_transposed = FK_LEAF(pack_transposed),
    .product = FK_LEAF(product),
    .product_lower = FK_LEAF(product_lower),
    .direct = FK_LEAF(direct),
    .dots = FK_LEAF(dots),
    .transposed = FK_LEAF(transposed),
    .mirror = FK_LEAF(mirror),
    .factor_block = FK_LEAF(factor_block),
    .solve_rows = FK_LEAF(solve_rows),
    .sweep_forward = FK_LEAF(sweep_forward),
    .sweep_backward = FK_LEAF(sweep_backward),
    .softmax = FK_LEAF(softmax),
    .softmax_project = FK_LEAF(softmax_project),
    .gather_bytes = FK_LEAF(gather_bytes),
    .gather_floats = FK_LEAF(gather_floats),
    .axpy = FK_LEAF(axpy),
    .descend = FK_LEAF(descend),
    .momentum = FK_LEAF(momentum),
    .adam = FK_LEAF(adam),
    .dot = FK_LEAF(dot),
    .take_gradient = FK_LEAF(take_gradient),
    .all_finite = FK_LEAF(all_finite),
    .batch_norm_forward = FK_LEAF(batch_norm_forward),
    .batch_norm_backward = FK_LEAF(batch_norm_backward),
    .batch_norm_evaluate = FK_LEAF(batch_norm_evaluate),
};

#undef FK_TABLE
#undef FK_TABLE_
#undef AT
#undef ROWS
#undef TILE
#undef ELEMENTS
#undef HEIGHT
#undef TILE_HEIGHTS
#undef DOT_ROWS
#undef DOTS
#undef STRIP
#undef ROW_STRIDE
#undef SOLVED
#undef TRIANGLE_STRIDE
#undef SWEPT
#undef SLICES
#undef STRETCH
#undef EACH_SLICE
#undef V
#undef VI
#undef VU
#undef VW
#undef LANES
#undef INLINE
#undef UNROLL
#undef load
#undef store
#undef splat
#undef select
#undef vmin
#undef vmax
#undef vabs
#undef vsum
#undef vexp
#undef vexpm1_negative
#undef vlog1p_unit
#undef vexp_factors
#undef vgauss_factors
#undef vnormal_tail_scaled
#undef SINGLE
#undef MANTISSA
#undef EXPONENT_BIAS
#undef ROUND_MAGIC
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_DEGREE
#undef EXP_LOWEST
#undef EXP_HIGHEST
#undef NORMAL_FURTHEST
#undef UPPER_HALF
#undef SILU_FURTHEST
