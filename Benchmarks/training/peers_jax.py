"""optax in one jitted lax.scan between two evaluations, batches gathered inside it."""

import jax
import numpy as np
import optax
from jax import numpy

import optimizers_jax
from task import starting_weights

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
        for layer in layers[:-1]:
            x = jax.nn.relu(x @ layer["w"] + layer["b"])
        return x @ layers[-1]["w"] + layers[-1]["b"]

    def cross_entropy(self, layers, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(self.logits(layers, x), y).mean()

    def sums(self, layers, x, y):
        logits = self.logits(layers, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).sum(), (logits.argmax(1) == y).sum()

    def prepare(self, optimizer, setting, shape, factors):
        """`factors` of the rates, one for each step, or None where they are constant."""
        given = {k: v for k, v in setting.items() if k not in ("batch", "schedule", "horizon")}
        # What is a float is an argument of what is compiled, so that it need not be compiled again for another one.
        self.traced = {k: numpy.float32(v) for k, v in given.items() if isinstance(v, float)}
        fixed = {k: v for k, v in given.items() if k not in self.traced}
        self.shape = shape
        self.table = numpy.ones(1)
        if factors is not None:
            padded = -len(factors) % PADDING
            self.table = numpy.asarray(np.pad(factors, (0, padded), mode="edge"), numpy.float32)
        key = (optimizer, *sorted(fixed.items()), *sorted(self.traced), factors is None, len(shape))

        def transformation(traced, table):
            def rate(base):
                return base if factors is None else lambda step: base * table[numpy.minimum(step, len(table) - 1)]

            return built(optimizers_jax.OPTIMIZERS[optimizer], fixed | traced, rate, len(shape) - 1)

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
        return [{"w": numpy.array(w.T), "b": numpy.zeros(len(w))} for w in starting_weights(self.shape, seed)]

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


def built(function, setting, rate, layers):
    """The transformation of one step: coupled L2, the optimizer, and decay, if they are there."""
    mask = [{"w": True, "b": False}] * layers
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
