"""optax in one jitted lax.scan between two evaluations, batches gathered inside it."""

import jax
import numpy as np
import optax
from jax import numpy

import optimizers_jax
from networks import GROUP, SIDE, WEIGHTED, starting_weights, weighted

# Rows of an evaluation at once.
ROWS = 10_000
# A schedule's factors are padded to a multiple of this, so that few lengths are compiled.
PADDING = 4096


class Jax:
    # Each length of a scan has to be compiled before it is timed.
    whole_lengths = True

    def __init__(self, training, validation, threads):
        self.training = tuple(map(numpy.asarray, training))
        self.validation = tuple(map(numpy.asarray, validation))
        self.versions = {"JAX": jax.__version__, "optax": optax.__version__}
        self.measure, self.compiled = jax.jit(self.sums), {}

    def logits(self, layers, x):
        layers, kept = iter(layers), []
        if self.network[0]["kind"] == "convolution":
            x = x.reshape(-1, SIDE, SIDE, 1)
        for part in self.network:
            kind = part["kind"]
            if kind == "pool":
                x = jax.lax.reduce_window(x, -numpy.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
            elif kind == "mean":
                x = x.mean((1, 2))
            elif kind == "skip":
                kept.append(x)
            elif kind == "add":
                x = x + kept.pop()
            if kind not in WEIGHTED:
                continue
            layer = next(layers)
            if kind == "norm":
                x = normalized(x) * layer["g"] + layer["b"]
                continue
            if kind == "convolution":
                # (a matrix for the optimizers, whichever they are)
                kernel = layer["w"].reshape(3, 3, part["channels"], part["outputs"])
                x = self.convolved(x, kernel) + layer["b"]
            else:
                x = x.reshape(len(x), -1) @ layer["w"] + layer["b"]
            if part["relu"]:
                x = jax.nn.relu(x)
        return x

    def convolved(self, x, kernel):
        """As products of matrices, one for each place of the window: XLA's own convolutions take several times as long on the
        way back on a CPU."""
        height, width = x.shape[1:3]
        padded = numpy.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        return sum(padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3))

    def cross_entropy(self, layers, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(self.logits(layers, x), y).mean()

    def sums(self, layers, x, y):
        logits = self.logits(layers, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).sum(), (logits.argmax(1) == y).sum()

    def prepare(self, optimizer, setting, network, factors):
        """`factors` of the rates, one for each step, or None where they are constant."""
        given = {k: v for k, v in setting.items() if k not in ("batch", "schedule", "horizon")}
        # What is a float is an argument of what is compiled, so that it need not be compiled again for another one.
        self.traced = {k: numpy.float32(v) for k, v in given.items() if isinstance(v, float)}
        fixed = {k: v for k, v in given.items() if k not in self.traced}
        self.network = network
        self.table = numpy.ones(1)
        if factors is not None:
            padded = -len(factors) % PADDING
            self.table = numpy.asarray(np.pad(factors, (0, padded), mode="edge"), numpy.float32)
        key = (optimizer, *sorted(fixed.items()), *sorted(self.traced), factors is None, str(network))

        def transformation(traced, table):
            def rate(base):
                return base if factors is None else lambda step: base * table[numpy.minimum(step, len(table) - 1)]

            return built(
                optimizers_jax.OPTIMIZERS[optimizer], fixed | traced, rate, weighted(network))

        def run(layers, state, traced, table, x, y, batches):
            steps = transformation(traced, table)

            def step(carry, batch):
                layers, state = carry
                # (indices are known to be in range: no filling, which is slower)
                inputs, labels = (numpy.take(a, batch, axis=0, mode="clip") for a in (x, y))
                gradient = jax.grad(self.cross_entropy)(layers, inputs, labels)
                updates, state = steps.update(gradient, state, layers)
                return (optax.apply_updates(layers, updates), state), None

            return jax.lax.scan(step, (layers, state), batches)[0]

        self.init = transformation(self.traced, self.table).init
        self.run = self.compiled.setdefault(key, jax.jit(run))

    def starting_layers(self, seed):
        parts = zip(weighted(self.network), starting_weights(self.network, seed))
        return [{"g": numpy.ones(part["channels"]), "b": numpy.zeros(part["channels"])} if w is None
                else {"w": numpy.array(w.T), "b": numpy.zeros(len(w))} for part, w in parts]

    def start(self, seed):
        self.layers = self.starting_layers(seed)
        self.state = self.init(self.layers)

    def train(self, batches):
        result = self.run(self.layers, self.state, self.traced, self.table, *self.training, numpy.asarray(batches))
        self.layers, self.state = jax.block_until_ready(result)

    def evaluated_layers(self):
        averaged = [s for s in self.state if isinstance(s, optax.contrib.ScheduleFreeState)]
        return optax.contrib.schedule_free_eval_params(averaged[0], self.layers) if averaged else self.layers

    def evaluate(self, samples):
        """The mean cross-entropy, and the share that is right."""
        (x, y), layers = samples, self.evaluated_layers()
        found = [self.measure(layers, x[i : i + ROWS], y[i : i + ROWS]) for i in range(0, len(x), ROWS)]
        return tuple(float(sum(part)) / len(x) for part in zip(*found))


def normalized(x):
    """Over groups of channels and all positions of a sample."""
    groups = x.reshape(*x.shape[:3], -1, GROUP)
    groups = groups - groups.mean((1, 2, 4), keepdims=True)
    return (groups * jax.lax.rsqrt((groups**2).mean((1, 2, 4), keepdims=True) + 1e-5)).reshape(x.shape)


def built(function, setting, rate, parts):
    """The transformation of one step: coupled L2, the optimizer, and decay, if they are there."""
    mask = [{"g": False, "b": False} if part["kind"] == "norm" else {"w": True, "b": False} for part in parts]
    l2, decay = setting.pop("l2", 0), setting.pop("decay", 0)
    given = {k: rate(v) if k.endswith("rate") else v for k, v in setting.items()}
    inside = function is optimizers_jax.schedule_free
    parts = [function(optax, **given, **({"decay": decay} if inside else {}))]
    if not is_zero(l2):
        parts.insert(0, optax.add_decayed_weights(l2, mask=mask))
    if not inside and not is_zero(decay):
        parts.append(decoupled(given["rate"], decay, mask))
    return optax.chain(*parts)


def is_zero(value):
    return isinstance(value, int) and value == 0


def decoupled(rate, decay, mask):
    """−rate·decay·w, beside whatever else moves w."""

    def init(params):
        return numpy.zeros((), numpy.int32)

    def update(updates, step, params):
        factor = decay * (rate(step) if callable(rate) else rate)
        moved = [
            {k: u - factor * p[k] if m[k] else u for k, u in layer.items()}
            for layer, p, m in zip(updates, params, mask)
        ]
        return moved, step + 1

    return optax.GradientTransformation(init, update)
