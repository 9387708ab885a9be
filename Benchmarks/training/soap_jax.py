"""SOAP (Vyas et al., 2024) for optax, which has none: Adam in the eigenbasis of Shampoo's two matrices."""

import jax
import optax
from jax import numpy


def scale_by_soap(b1, b2, every, epsilon=1e-8):
    """Matrices by SOAP, others by Adam. The bases are those of eigh at the first step, then of one QR in `every`."""

    def started(p):
        zero = numpy.zeros_like(p)
        if p.ndim < 2:
            return {"m": zero, "v": zero}
        a, b = p.shape
        left, right = numpy.zeros((a, a)), numpy.zeros((b, b))
        return {"m": zero, "v": zero, "l": left, "r": right, "ql": numpy.eye(a), "qr": numpy.eye(b)}

    def init(params):
        return {"count": numpy.zeros((), numpy.int32), "leaves": jax.tree.map(started, params)}

    def moved(g, s, count):
        m = b1 * s["m"] + (1 - b1) * g
        m_share, v_share = 1 - b1**count, 1 - b2**count
        if g.ndim < 2:
            v = b2 * s["v"] + (1 - b2) * g * g
            return (m / m_share) / (numpy.sqrt(v / v_share) + epsilon), {"m": m, "v": v}
        l, r = (b2 * s["l"] + (1 - b2) * g @ g.T), (b2 * s["r"] + (1 - b2) * g.T @ g)

        def first():
            return numpy.linalg.eigh(l)[1], numpy.linalg.eigh(r)[1]

        def later():
            return numpy.linalg.qr(l @ s["ql"])[0], numpy.linalg.qr(r @ s["qr"])[0]

        def kept():
            return s["ql"], s["qr"]

        ql, qr = jax.lax.cond(count == 1, first, lambda: jax.lax.cond(count % every == 0, later, kept))
        turned = ql.T @ g @ qr
        v = b2 * s["v"] + (1 - b2) * turned * turned
        d = ql @ ((ql.T @ (m / m_share) @ qr) / (numpy.sqrt(v / v_share) + epsilon)) @ qr.T
        return d, {"m": m, "v": v, "l": l, "r": r, "ql": ql, "qr": qr}

    def update(gradients, state, params=None):
        count = state["count"] + 1
        leaves, tree = jax.tree.flatten(gradients)
        found = [moved(g, s, count) for g, s in zip(leaves, tree.flatten_up_to(state["leaves"]))]
        state = {"count": count, "leaves": tree.unflatten([s for _, s in found])}
        return tree.unflatten([d for d, _ in found]), state

    return optax.GradientTransformation(init, update)
