"""Formulations of convolutions, pooling and layer normalisation. See torch_blocks for what they are."""

import torch
import torch.nn.functional as F

FORMATS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


def rows(x):
    """(n, C, H, W) to (n H W, C)."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def images(n, channels, side, dtype, layout):
    return torch.randn(n, channels, side, side, dtype=dtype).contiguous(memory_format=layout)


def by_layout(make):
    return {name: (lambda layout=layout: make(layout)) for name, layout in FORMATS.items()}


def convolution_operands(m, n, side, channels, dtype, layout):
    torch.manual_seed(1)
    x = images(n, channels, side, dtype, layout)
    w = torch.randn(m, channels, 3, 3, dtype=dtype).contiguous(memory_format=layout)
    return x, w, torch.randn(m, dtype=dtype), images(n, m, side, dtype, layout)


def convolution_forward(m, n, side, channels, dtype):
    """Z (n side side, m), 3x3 with padding 1."""
    def make(layout):
        x, w, b, _ = convolution_operands(m, n, side, channels, dtype, layout)
        out = [None]

        def run():
            out[0] = F.conv2d(x, w, b, padding=1)

        return run, lambda: rows(out[0])

    return by_layout(make)


def gradients(m, n, side, channels, dtype, mask, layout):
    x, w, _, delta = convolution_operands(m, n, side, channels, dtype, layout)
    out = [None]

    def run():
        out[0] = torch.ops.aten.convolution_backward(delta, x, w, [m], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask)

    return run, out


def convolution_weight_gradient(m, n, side, channels, dtype):
    """G (m, 9 channels + 1), the bias last."""
    def make(layout):
        run, out = gradients(m, n, side, channels, dtype, [False, True, True], layout)
        return run, lambda: torch.cat([out[0][1].permute(0, 2, 3, 1).reshape(m, -1), out[0][2][:, None]], 1)

    return by_layout(make)


def convolution_input_gradient(m, n, side, channels, dtype):
    """dX (n side side, channels)."""
    def make(layout):
        run, out = gradients(m, n, side, channels, dtype, [True, False, False], layout)
        return run, lambda: rows(out[0][0])

    return by_layout(make)


def max_pool(n, side, channels, dtype):
    """The largest of windows of 2x2, and where they are, which a backward pass needs."""
    def make(layout):
        torch.manual_seed(2)
        x, out = images(n, channels, side, dtype, layout), [None]

        def run():
            out[0] = F.max_pool2d(x, 2, return_indices=True)

        return run, lambda: rows(out[0][0])

    return by_layout(make)


def max_pool_backward(n, side, channels, dtype):
    def make(layout):
        torch.manual_seed(2)
        x = images(n, channels, side, dtype, layout)
        y, where = F.max_pool2d(x, 2, return_indices=True)
        out = [None]

        def run():
            out[0] = torch.ops.aten.max_pool2d_with_indices_backward(y, x, [2, 2], [2, 2], [0, 0], [1, 1], False, where)

        return run, lambda: rows(out[0])

    return by_layout(make)


def group_norm_forward(m, n, dtype):
    """Layer normalisation of n rows, with the means and deviations that a backward pass needs."""
    def native():
        torch.manual_seed(3)
        x, w, b, out = torch.randn(n, m, dtype=dtype), torch.randn(m, dtype=dtype), torch.randn(m, dtype=dtype), [None]

        def run():
            out[0] = torch.native_layer_norm(x, (m,), w, b, 1e-5)

        return run, lambda: out[0][0]

    return {"native_layer_norm": native}


def group_norm_backward(m, n, dtype):
    def native():
        torch.manual_seed(3)
        x, w, b = torch.randn(n, m, dtype=dtype), torch.randn(m, dtype=dtype), torch.randn(m, dtype=dtype)
        _, mean, rstd = torch.native_layer_norm(x, (m,), w, b, 1e-5)
        delta, out = torch.randn(n, m, dtype=dtype), [None]

        def run():
            out[0] = torch.ops.aten.native_layer_norm_backward(delta, x, (m,), mean, rstd, w, b, [True, False, False])

        return run, lambda: out[0][0]

    return {"native_layer_norm_backward": native}


KERNELS = {
    f.__name__: f
    for f in (convolution_forward, convolution_weight_gradient, convolution_input_gradient, max_pool, max_pool_backward,
              group_norm_forward, group_norm_backward)
}
