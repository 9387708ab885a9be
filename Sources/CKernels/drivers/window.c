/* Where windows of convolutions and pooling go. */
#include "internal/parallel.h"
#include "internal/window.h"

/* *out = the positions of one dimension. */
static fk_status outputs_of(ptrdiff_t *out, ptrdiff_t size, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t padding,
                            ptrdiff_t dilation) {
  if (size < 1 || kernel < 1 || stride < 1 || padding < 0 || dilation < 1) return FK_INVALID_ARGUMENT;
  ptrdiff_t reach, padded;
  if (!fk_multiply(&reach, kernel - 1, dilation) || reach == PTRDIFF_MAX || !fk_multiply(&padded, padding, 2) ||
      __builtin_add_overflow(padded, size, &padded))
    return FK_SIZE_OVERFLOW;
  reach++;
  /* (a window that sees zeros only has no largest input) */
  if (padding >= reach || padded < reach) return FK_INVALID_ARGUMENT;
  *out = (padded - reach) / stride + 1;
  return FK_OK;
}

fk_status fk_window_outputs(const fk_window *window, ptrdiff_t *height, ptrdiff_t *width) {
  if (window == NULL || height == NULL || width == NULL) return FK_INVALID_ARGUMENT;
  const fk_window w = *window;
  ptrdiff_t rows, columns, count;
  FK_TRY(outputs_of(&rows, w.height, w.kernel_height, w.stride_y, w.padding_y, w.dilation_y));
  FK_TRY(outputs_of(&columns, w.width, w.kernel_width, w.stride_x, w.padding_x, w.dilation_x));
  if (!fk_multiply(&count, rows, columns) || !fk_multiply(&count, w.height, w.width) ||
      !fk_multiply(&count, w.kernel_height, w.kernel_width) || count > INT32_MAX)
    return FK_SIZE_OVERFLOW;
  *height = rows, *width = columns;
  return FK_OK;
}

fk_status fk_convolution_geometry(const fk_convolution *convolution, fk_geometry *geometry) {
  if (convolution == NULL) return FK_INVALID_ARGUMENT;
  const fk_convolution c = *convolution;
  fk_geometry g = {0};
  FK_TRY(fk_window_outputs(&c.window, &g.out_height, &g.out_width));
  if (c.channels < 1 || c.outputs < 1 || c.groups < 1 || c.channels % c.groups != 0 || c.outputs % c.groups != 0)
    return FK_INVALID_ARGUMENT;
  g.channels = c.channels / c.groups, g.outputs = c.outputs / c.groups;
  g.positions = g.out_height * g.out_width, g.area = c.window.height * c.window.width;
  if (!fk_multiply(&g.terms, c.window.kernel_height * c.window.kernel_width, g.channels) || g.terms == PTRDIFF_MAX)
    return FK_SIZE_OVERFLOW;
  g.order = g.terms + 1;
  g.is_depthwise = c.groups > 1 && g.channels == 1 && g.outputs == 1;
  *geometry = g;
  return FK_OK;
}
