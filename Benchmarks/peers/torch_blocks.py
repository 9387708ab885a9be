"""Formulations of the kernels that have a matrix for each neuron, and of the softmax block as a matrix.

A kernel is a function of its sizes that returns {name: formulation}. A formulation, when called, allocates what it
needs and returns what is timed and a function that gives its result in the form that all of them have.
"""

import torch

DAMPING = 0.005
# Bytes that an intermediate result may have: beyond, a formulation is left out.
LARGEST = 2_000_000_000
# Orders from which an LU factorisation, of twice the work, is left out (MKL's has been seen to fail and hang at 785).
LU_ORDER = 200


def samples(n, d, dtype):
    x = torch.randn(n, d, dtype=dtype)
    x[:, -1] = 1
    return x


def gram_weighted_batch(d, m, n, dtype):
    """G_i = 1/n sum_s nu(s,i) x_s x_s^T: (m,d,d), both triangles."""
    x, nu = samples(n, d, dtype), torch.rand(n, m, dtype=dtype)
    weights = (nu.t() / n).contiguous()
    size = x.element_size()

    def batched():
        scaled, out = torch.empty(m, n, d, dtype=dtype), torch.empty(m, d, d, dtype=dtype)
        right = x.expand(m, n, d)

        def run():
            torch.mul(weights[:, :, None], x, out=scaled)
            torch.bmm(scaled.transpose(1, 2), right, out=out)

        return run, lambda: out

    def batched_roots():
        scaled, roots = torch.empty(m, n, d, dtype=dtype), torch.empty(m, n, dtype=dtype)
        out = torch.empty(m, d, d, dtype=dtype)

        def run():
            torch.sqrt(weights, out=roots)
            torch.mul(roots[:, :, None], x, out=scaled)
            torch.bmm(scaled.transpose(1, 2), scaled, out=out)

        return run, lambda: out

    def one_product():
        scaled, out = torch.empty(n, m, d, dtype=dtype), torch.empty(d, m * d, dtype=dtype)
        by_sample = weights.t().contiguous()

        def run():
            torch.mul(by_sample[:, :, None], x[:, None, :], out=scaled)
            torch.mm(x.t(), scaled.view(n, m * d), out=out)

        return run, lambda: out.view(d, m, d).permute(1, 2, 0)

    def outer_products():
        outer, out = torch.empty(n, d, d, dtype=dtype), torch.empty(m, d * d, dtype=dtype)

        def run():
            torch.mul(x[:, :, None], x[:, None, :], out=outer)
            torch.mm(weights, outer.view(n, d * d), out=out)

        return run, lambda: out.view(m, d, d)

    found = {"bmm": batched, "bmm of roots": batched_roots}
    if n * m * d * size <= LARGEST:
        found["one mm of scaled rows"] = one_product
    if n * d * d * size <= LARGEST:
        found["one mm of outer products"] = outer_products
    return found


def damped_blocks(d, m, dtype):
    rows = torch.rand(m, 50, 1, dtype=dtype).div_(50).sqrt_() * samples(50, d, dtype)
    return torch.bmm(rows.transpose(1, 2), rows)


def cholesky_batch_and_solve(d, m, dtype):
    """(G_i + damping I)^-1 v_i: the copy that a factorisation in place would destroy is not timed."""
    blocks, v = damped_blocks(d, m, dtype), torch.randn(m, d, 1, dtype=dtype)
    diagonal = blocks.diagonal(dim1=1, dim2=2).clone()

    def damped():
        a = blocks.clone()
        target = a.diagonal(dim1=1, dim2=2)
        return a, lambda: torch.add(diagonal, DAMPING, out=target)

    def cholesky():
        a, damp = damped()
        factors, out = torch.empty_like(a), torch.empty_like(v)

        def run():
            damp()
            torch.linalg.cholesky(a, out=factors)
            torch.cholesky_solve(v, factors, out=out)

        return run, lambda: out

    def triangular():
        a, damp = damped()
        factors, info = torch.empty_like(a), torch.empty(m, dtype=torch.int32)
        half, out = torch.empty_like(v), torch.empty_like(v)

        def run():
            damp()
            torch.linalg.cholesky_ex(a, out=(factors, info))
            torch.linalg.solve_triangular(factors, v, upper=False, out=half)
            torch.linalg.solve_triangular(factors.mT, half, upper=True, out=out)

        return run, lambda: out

    def lu():
        a, damp = damped()
        out = torch.empty_like(v)

        def run():
            damp()
            torch.linalg.solve(a, v, out=out)

        return run, lambda: out

    found = {"cholesky + cholesky_solve": cholesky, "cholesky_ex + solve_triangular": triangular}
    return found | {"solve": lu} if d < LU_ORDER else found


def cholesky_and_solve(d, m, dtype):
    """(G + damping I)^-1 V^T: one matrix for m rows."""
    block, v = damped_blocks(d, 1, dtype)[0], torch.randn(m, d, dtype=dtype)
    return dense_solves(lambda: (block.clone(), lambda: None), block.diagonal().clone(), v.t())


def dense_solves(build, diagonal, v):
    """Of a matrix that `build` allocates and, each time, forms; `diagonal` is its diagonal where it is not formed."""

    def prepared():
        a, form = build()
        target = a.diagonal()

        def damp():
            form()
            torch.add(target if diagonal is None else diagonal, DAMPING, out=target)

        return a, damp

    def cholesky():
        a, damp = prepared()
        factor, out = torch.empty_like(a), torch.empty_like(v)

        def run():
            damp()
            torch.linalg.cholesky(a, out=factor)
            torch.cholesky_solve(v, factor, out=out)

        return run, lambda: out

    def lu():
        a, damp = prepared()
        out = torch.empty_like(v)

        def run():
            damp()
            torch.linalg.solve(a, v, out=out)

        return run, lambda: out

    found = {"cholesky + cholesky_solve": cholesky}
    return found | {"solve": lu} if v.shape[0] < LU_ORDER else found


def softmax_operands(d, m, n, dtype):
    return samples(n, d, dtype), torch.softmax(torch.randn(n, m, dtype=dtype), 1)


def softmax_blocks(x, eta):
    """The ways to build 1/n sum_s (diag eta_s - eta_s eta_s^T) (x) x_s x_s^T, (md,md): {name: build}."""
    (n, d), m, dtype = x.shape, eta.shape[1], x.dtype
    order = m * d

    def outer_products():
        diagonals = torch.zeros(n, m, m, dtype=dtype)
        outer, block = torch.empty(n, d, d, dtype=dtype), torch.empty(m * m, d * d, dtype=dtype)
        out = torch.empty(order, order, dtype=dtype)

        def run():
            torch.mul(eta[:, :, None], eta[:, None, :] / -n, out=diagonals)
            diagonals.diagonal(dim1=1, dim2=2).add_(eta, alpha=1 / n)
            torch.mul(x[:, :, None], x[:, None, :], out=outer)
            torch.mm(diagonals.view(n, m * m).t(), outer.view(n, d * d), out=block)
            out.view(m, d, m, d).copy_(block.view(m, m, d, d).transpose(1, 2))

        return out, run

    def less_a_gram():
        """The block-diagonal part less Y^T Y, Y (n,md) = the rows eta_s (x) x_s."""
        y, scaled = torch.empty(n, m, d, dtype=dtype), torch.empty(m, n, d, dtype=dtype)
        blocks, out = torch.empty(m, d, d, dtype=dtype), torch.empty(order, order, dtype=dtype)
        right = x.expand(m, n, d)
        on_diagonal = out.view(m, d, m, d).diagonal(dim1=0, dim2=2).permute(2, 0, 1)

        def run():
            torch.mul(eta[:, :, None], x[:, None, :], out=y)
            rows = y.view(n, order)
            torch.addmm(out, rows.t(), rows, beta=0, alpha=-1 / n, out=out)
            torch.mul(eta.t()[:, :, None], x / n, out=scaled)
            torch.bmm(scaled.transpose(1, 2), right, out=blocks)
            on_diagonal.add_(blocks)

        return out, run

    found = {"block diagonal less one mm": less_a_gram}
    if n * d * d * x.element_size() <= LARGEST:
        found["one mm of outer products"] = outer_products
    return found


def softmax_block_dense(d, m, n, dtype):
    def formulation(build):
        out, run = build()
        return run, lambda: out

    builds = softmax_blocks(*softmax_operands(d, m, n, dtype))
    return {name: lambda build=build: formulation(build) for name, build in builds.items()}


def softmax_block_and_solve(d, m, n, dtype):
    builds = softmax_blocks(*softmax_operands(d, m, n, dtype))
    v = torch.randn(m * d, 1, dtype=dtype)
    return {
        f"{name}, {solve}": formulation
        for name, build in builds.items()
        for solve, formulation in dense_solves(build, None, v).items()
    }


KERNELS = {
    "gram_weighted_batch": gram_weighted_batch,
    "cholesky_batch + solve": cholesky_batch_and_solve,
    "cholesky + solve": cholesky_and_solve,
    "softmax_block_dense": softmax_block_dense,
    "softmax_block_dense + solve": softmax_block_and_solve,
    "softmax_block_lower + solve": softmax_block_and_solve,
}
