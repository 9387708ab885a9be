/* What follows from the sizes of a convolution. */
#ifndef FK_WINDOW_H
#define FK_WINDOW_H

#include "ckernels.h"

typedef struct fk_geometry {
  ptrdiff_t out_height, out_width;
  ptrdiff_t positions, area;   /* of a sample: that come out, that go in */
  ptrdiff_t channels, outputs; /* of a group */
  ptrdiff_t image;             /* elements from one sample of X to the next */
  ptrdiff_t terms, order;      /* of a patch without and with its 1 */
  int is_depthwise;
} fk_geometry;

/* Checks all that fk_convolution says. */
fk_status fk_convolution_geometry(const fk_convolution *convolution, fk_geometry *geometry);

#endif
