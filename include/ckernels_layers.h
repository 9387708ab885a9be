/* ckernels_layers.h: the part of ckernels.h that layers with positions need: convolutions, pooling, and normalisations
 * of each row. Notation and contracts are those of ckernels_base.h. A sample has height x width positions, a row of
 * channels for each, the rows of a sample one behind the other: X is (n height width, channels). */
#ifndef FISHERKIT_CKERNELS_LAYERS_H
#define FISHERKIT_CKERNELS_LAYERS_H

#include "ckernels_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Convolutions ------------------------------------------------------------------------------------------------ */

/* Where a window of kernel_height x kernel_width positions goes: the output at (y, x) is of the inputs at
 * (y stride_y - padding_y + i dilation_y, x stride_x - padding_x + j dilation_x), zeros outside of the image. In one
 * dimension height, kernel_height, stride_y and dilation_y are 1, and padding_y is 0. */
typedef struct fk_window {
  ptrdiff_t height, width;
  ptrdiff_t kernel_height, kernel_width;
  ptrdiff_t stride_y, stride_x;
  ptrdiff_t padding_y, padding_x;
  ptrdiff_t dilation_y, dilation_x;
} fk_window;

/* The positions that come out. FK_INVALID_ARGUMENT where a size, stride or dilation is below 1, a padding is negative
 * or not less than the window's reach, or the window is larger than the padded image; FK_SIZE_OVERFLOW where positions
 * cannot be counted. */
fk_status fk_window_outputs(const fk_window *window, ptrdiff_t *height, ptrdiff_t *width);

/* `outputs` channels from `channels`, in groups that see channels / groups of them each. A patch of a group is
 * p~ = (its window row by row, in each position the group's channels; 1), of order d = kernel_height kernel_width
 * channels / groups + 1; W is (outputs, d), the bias last. Depthwise: groups = channels. From one sample of X to the
 * next are `image_stride` elements, or where that is 0 height width ldx: samples that are rows of features are images
 * with ldx = channels, which are that far apart. */
typedef struct fk_convolution {
  fk_window window;
  ptrdiff_t channels, outputs, groups;
  ptrdiff_t image_stride;
} fk_convolution;

#define FK_DECLARE_CONVOLUTION(T, p)                                                                                   \
  /* For all three below, with `threads` as they get it; -1 for a convolution that is none or cannot be indexed. */    \
  ptrdiff_t fk_##p##convolution_work_size(const fk_convolution *convolution, int threads);                             \
  /* Z (n positions, outputs) = W p~ for every position that comes out. Cost 2 n positions outputs d flops. */         \
  fk_status fk_##p##convolution_forward(T *Z, ptrdiff_t ldz, const T *X, ptrdiff_t ldx, const T *W, ptrdiff_t ldw,     \
                                        ptrdiff_t n, const fk_convolution *convolution, void *work,                    \
                                        ptrdiff_t work_size, int threads);                                             \
  /* G (outputs, d) = the sum of delta p~^T over all positions, from delta (n positions, outputs). */                  \
  fk_status fk_##p##convolution_weight_gradient(T *G, ptrdiff_t ldg, const T *delta, ptrdiff_t lddelta, const T *X,    \
                                                ptrdiff_t ldx, ptrdiff_t n, const fk_convolution *convolution,         \
                                                void *work, ptrdiff_t work_size, int threads);                         \
  /* dX (n height width, channels) = the transpose of the map applied to delta. */                                     \
  fk_status fk_##p##convolution_input_gradient(T *dX, ptrdiff_t lddx, const T *delta, ptrdiff_t lddelta, const T *W,   \
                                               ptrdiff_t ldw, ptrdiff_t n, const fk_convolution *convolution,          \
                                               void *work, ptrdiff_t work_size, int threads);                          \
  /* Row r of P (count, d) = p~ of `group` at rows[r] = sample * positions + position, 0 <= rows[r] < n positions. */  \
  fk_status fk_##p##convolution_patches(T *P, ptrdiff_t ldp, const T *X, ptrdiff_t ldx, ptrdiff_t n,                   \
                                        const ptrdiff_t *rows, ptrdiff_t count, ptrdiff_t group,                       \
                                        const fk_convolution *convolution, int threads);
FK_DECLARE_CONVOLUTION(float, s)
FK_DECLARE_CONVOLUTION(double, d)

/* ---- Pooling ----------------------------------------------------------------------------------------------------- */

#define FK_DECLARE_POOLING(T, p)                                                                                       \
  /* Y (n positions, channels) = the largest of each window's inputs, zeros outside of the image not among them, and   \
   * NaN where one of them is; where (n positions, channels), packed: the window's place of it, row by row from 0. */  \
  fk_status fk_##p##max_pool(T *Y, ptrdiff_t ldy, int32_t *where, const T *X, ptrdiff_t ldx, ptrdiff_t n,              \
                             ptrdiff_t channels, const fk_window *window, int threads);                                \
  /* dX (n height width, channels) from dY: each goes to where the largest was. */                                     \
  fk_status fk_##p##max_pool_backward(T *dX, ptrdiff_t lddx, const T *dY, ptrdiff_t lddy, const int32_t *where,        \
                                      ptrdiff_t n, ptrdiff_t channels, const fk_window *window, int threads);          \
  /* Y = the mean over each window, zeros outside of the image among them. */                                          \
  fk_status fk_##p##average_pool(T *Y, ptrdiff_t ldy, const T *X, ptrdiff_t ldx, ptrdiff_t n, ptrdiff_t channels,      \
                                 const fk_window *window, int threads);                                                \
  fk_status fk_##p##average_pool_backward(T *dX, ptrdiff_t lddx, const T *dY, ptrdiff_t lddy, ptrdiff_t n,             \
                                          ptrdiff_t channels, const fk_window *window, int threads);
FK_DECLARE_POOLING(float, s)
FK_DECLARE_POOLING(double, d)

/* ---- Normalisation of each row, or of groups of channels over a sample's positions ------------------------------- */

#define FK_DECLARE_NORM(T, p)                                                                                          \
  /* For each sample of `positions` rows and each of `groups` groups of channels of X (n positions, m): the mean (0    \
   * where not `centred`), istd = 1 / sqrt(mean of squares of what is left + epsilon), xhat = (X - mean) istd, and Y = \
   * gamma xhat + beta, row i of W (m, 2) being (gamma_i, beta_i), or of W (m, 1) gamma_i with beta_i = 0 where not    \
   * `centred`. istd is (n, groups), packed. Layer normalisation is one position and one group (positions of a sample  \
   * taken as samples), RMS normalisation the same not centred. epsilon is from 0 to 1e30; where the mean of squares   \
   * overflows the group comes out NaN. */                                                                             \
  fk_status fk_##p##group_norm_forward(T *Y, ptrdiff_t ldy, T *xhat, ptrdiff_t ldxhat, T *istd, const T *X,            \
                                       ptrdiff_t ldx, const T *W, ptrdiff_t ldw, ptrdiff_t n, ptrdiff_t positions,     \
                                       ptrdiff_t m, ptrdiff_t groups, int centred, double epsilon, int threads);       \
  /* dX (n positions, m) = gamma-weighted dY less its projections: with e = gamma dY,                                  \
   * dX = istd (e - mean e - xhat mean(e xhat)), the first mean 0 where not centred. dX and dY may be the same. */     \
  fk_status fk_##p##group_norm_backward(T *dX, ptrdiff_t lddx, const T *dY, ptrdiff_t lddy, const T *xhat,             \
                                        ptrdiff_t ldxhat, const T *istd, const T *W, ptrdiff_t ldw, ptrdiff_t n,       \
                                        ptrdiff_t positions, ptrdiff_t m, ptrdiff_t groups, int centred, int threads); \
  /* G (m, 2) = (sum dY xhat, sum dY) over all rows, or (m, 1) the first. */                                           \
  fk_status fk_##p##scale_gradient(T *G, ptrdiff_t ldg, ptrdiff_t columns, const T *dY, ptrdiff_t lddy, const T *xhat, \
                                   ptrdiff_t ldxhat, ptrdiff_t rows, ptrdiff_t m, int threads);
FK_DECLARE_NORM(float, s)
FK_DECLARE_NORM(double, d)

#ifdef __cplusplus
}
#endif
#endif
