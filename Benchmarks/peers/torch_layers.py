"""Formulations of the kernels that never form a matrix, and of plain products. See torch_blocks for what they are."""

import torch

from torch_blocks import DAMPING, LU_ORDER, samples, softmax_operands


def softmax_block_matvec(d, m, n, dtype):
    """R (m,d) = 1/n S^T X with S = eta Z - eta (eta . Z), Z = X V^T."""
    x, eta = softmax_operands(d, m, n, dtype)
    v = torch.randn(m, d, dtype=dtype)

    def by_sample():
        z, out = torch.empty(n, m, dtype=dtype), torch.empty(m, d, dtype=dtype)
        sums = torch.empty(n, 1, dtype=dtype)

        def run():
            torch.mm(x, v.t(), out=z)
            z.mul_(eta)
            torch.sum(z, 1, keepdim=True, out=sums)
            z.addcmul_(eta, sums, value=-1)
            torch.addmm(out, z.t(), x, beta=0, alpha=1 / n, out=out)

        return run, lambda: out

    def by_class():
        classes = eta.t().contiguous()
        z, out = torch.empty(m, n, dtype=dtype), torch.empty(m, d, dtype=dtype)
        sums = torch.empty(1, n, dtype=dtype)

        def run():
            torch.mm(v, x.t(), out=z)
            z.mul_(classes)
            torch.sum(z, 0, keepdim=True, out=sums)
            z.addcmul_(classes, sums, value=-1)
            torch.addmm(out, z, x, beta=0, alpha=1 / n, out=out)

        return run, lambda: out

    def dots():
        z, out = torch.empty(n, m, dtype=dtype), torch.empty(m, d, dtype=dtype)
        sums = torch.empty(n, 1, 1, dtype=dtype)

        def run():
            torch.mm(x, v.t(), out=z)
            torch.bmm(eta[:, None, :], z[:, :, None], out=sums)
            z.sub_(sums[:, :, 0]).mul_(eta)
            torch.addmm(out, z.t(), x, beta=0, alpha=1 / n, out=out)

        return run, lambda: out

    return {"samples first": by_sample, "classes first": by_class, "bmm of dots": dots}


def kernel_batch(d, m, n, dtype):
    """(G_i + damping I)^-1 v_i by systems of order n: K = X X^T, shared, and a factor for each neuron."""
    x, nu = samples(n, d, dtype), torch.rand(n, m, dtype=dtype)
    v = torch.randn(m, d, dtype=dtype)
    weights = nu.t().contiguous()

    def formulation(solve):
        roots, k = torch.empty(m, n, dtype=dtype), torch.empty(n, n, dtype=dtype)
        a, p = torch.empty(m, n, n, dtype=dtype), torch.empty(m, n, dtype=dtype)
        q, out = torch.empty(m, n, 1, dtype=dtype), torch.empty(m, d, dtype=dtype)
        diagonal = a.diagonal(dim1=1, dim2=2)
        solve = solve(a, p[:, :, None], q)

        def run():
            torch.div(weights, n, out=roots)
            roots.sqrt_()
            torch.mm(x, x.t(), out=k)
            torch.mul(roots[:, :, None], k, out=a)
            a.mul_(roots[:, None, :])
            diagonal.add_(DAMPING)
            torch.mm(v, x.t(), out=p)
            p.mul_(roots)
            solve()
            roots.mul_(q[:, :, 0])
            torch.addmm(v, roots, x, beta=1 / DAMPING, alpha=-1 / DAMPING, out=out)

        return run, lambda: out

    def cholesky(a, p, q):
        factors = torch.empty_like(a)

        def run():
            torch.linalg.cholesky(a, out=factors)
            torch.cholesky_solve(p, factors, out=q)

        return run

    def triangular(a, p, q):
        factors, half = torch.empty_like(a), torch.empty_like(q)
        info = torch.empty(m, dtype=torch.int32)

        def run():
            torch.linalg.cholesky_ex(a, out=(factors, info))
            torch.linalg.solve_triangular(factors, p, upper=False, out=half)
            torch.linalg.solve_triangular(factors.mT, half, upper=True, out=q)

        return run

    def lu(a, p, q):
        return lambda: torch.linalg.solve(a, p, out=q)

    solves = {"cholesky + cholesky_solve": cholesky, "cholesky_ex + solve_triangular": triangular}
    if n < LU_ORDER:
        solves["solve"] = lu
    return {name: lambda solve=solve: formulation(solve) for name, solve in solves.items()}


def two_layer_matvec(d, m, n, outputs, dtype):
    """Eq 12, independent outputs: R = 1/n (F A C)^T X with A = nu (Z C^T), Z = F X V^T."""
    x, nu = samples(n, d, dtype), torch.rand(n, outputs, dtype=dtype)
    slopes, c = torch.rand(n, m, dtype=dtype), torch.randn(outputs, m, dtype=dtype)
    v = torch.randn(m, d, dtype=dtype)

    def by_sample():
        z, a = torch.empty(n, m, dtype=dtype), torch.empty(n, outputs, dtype=dtype)
        out = torch.empty(m, d, dtype=dtype)

        def run():
            torch.mm(x, v.t(), out=z)
            z.mul_(slopes)
            torch.mm(z, c.t(), out=a)
            a.mul_(nu)
            torch.mm(a, c, out=z)
            z.mul_(slopes)
            torch.addmm(out, z.t(), x, beta=0, alpha=1 / n, out=out)

        return run, lambda: out

    def by_neuron():
        z, a = torch.empty(m, n, dtype=dtype), torch.empty(outputs, n, dtype=dtype)
        out = torch.empty(m, d, dtype=dtype)
        f, o = slopes.t().contiguous(), nu.t().contiguous()

        def run():
            torch.mm(v, x.t(), out=z)
            z.mul_(f)
            torch.mm(c, z, out=a)
            a.mul_(o)
            torch.mm(c.t(), a, out=z)
            z.mul_(f)
            torch.addmm(out, z, x, beta=0, alpha=1 / n, out=out)

        return run, lambda: out

    return {"samples first": by_sample, "neurons first": by_neuron}


def gemm(d, m, n, dtype):
    """Z = X W^T."""
    x, w = samples(n, d, dtype), torch.randn(m, d, dtype=dtype)

    def plain():
        out = torch.empty(n, m, dtype=dtype)
        return lambda: torch.mm(x, w.t(), out=out), lambda: out

    def transposed():
        out = torch.empty(m, n, dtype=dtype)
        return lambda: torch.mm(w, x.t(), out=out), lambda: out.t()

    return {"mm": plain, "mm, transposed": transposed}


def gram(d, n, dtype):
    """G = 1/n X^T X, both triangles."""
    x = samples(n, d, dtype)

    def plain():
        out = torch.empty(d, d, dtype=dtype)
        return lambda: torch.addmm(out, x.t(), x, beta=0, alpha=1 / n, out=out), lambda: out

    def scaled():
        out, copy = torch.empty(d, d, dtype=dtype), torch.empty(n, d, dtype=dtype)

        def run():
            torch.div(x, n, out=copy)
            torch.mm(copy.t(), x, out=out)

        return run, lambda: out

    return {"addmm": plain, "mm of scaled rows": scaled}


KERNELS = {
    "softmax_block_matvec": softmax_block_matvec,
    "kernel_batch": kernel_batch,
    "kernel_batch + solve": kernel_batch,
    "kernel_batch_factor + solve": kernel_batch,
    "two_layer_matvec": two_layer_matvec,
    "gemm": gemm,
    "gram": gram,
}
