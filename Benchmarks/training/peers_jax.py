"""The peers that run on JAX: optax in a lax.scan, and kfac-jax."""

import jax
import numpy as np
import optax

from task import L2, starting_weights


class Jax:
    """optax in one jitted lax.scan between two evaluations, batches gathered inside it."""

    def __init__(self, x, y, shape, setting, threads):
        self.shape, self.setting = shape, setting
        self.x, self.y = jax.numpy.asarray(x), jax.numpy.asarray(y)
        self.versions = {"JAX": jax.__version__, "optax": optax.__version__}
        self.whole_loss = jax.jit(self.cross_entropy)
        self.build()

    def cross_entropy(self, layers, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(self.logits(layers, x), y).mean()

    def logits(self, layers, x):
        for layer in layers[:-1]:
            x = jax.nn.relu(x @ layer["w"] + layer["b"])
        return x @ layers[-1]["w"] + layers[-1]["b"]

    def starting_layers(self, seed):
        numpy = jax.numpy
        return [{"w": numpy.array(w.T), "b": numpy.zeros(len(w))} for w in starting_weights(self.shape, seed)]

    def build(self):
        rate = self.setting["rate"]
        named = {"sgd": optax.sgd(rate), "momentum": optax.sgd(rate, 0.9), "adam": optax.adam(rate)}
        decay = optax.add_decayed_weights(L2, mask=[{"w": True, "b": False}] * (len(self.shape) - 1))
        self.optimizer = optax.chain(decay, named[self.setting["optimizer"]])

        def run(layers, state, x, y, batches):
            def step(carry, batch):
                layers, state = carry
                # (indices are known to be in range: no filling, which is slower)
                inputs, labels = (jax.numpy.take(a, batch, axis=0, mode="clip") for a in (x, y))
                gradient = jax.grad(self.cross_entropy)(layers, inputs, labels)
                updates, state = self.optimizer.update(gradient, state, layers)
                return (optax.apply_updates(layers, updates), state), None

            return jax.lax.scan(step, (layers, state), batches)[0]

        self.run = jax.jit(run)

    def start(self, seed):
        self.layers = self.starting_layers(seed)
        self.state = self.optimizer.init(self.layers)

    def train(self, batches):
        result = self.run(self.layers, self.state, self.x, self.y, jax.numpy.asarray(batches))
        self.layers, self.state = jax.block_until_ready(result)

    def loss(self):
        return float(self.whole_loss(self.layers, self.x, self.y))


class KfacJax(Jax):
    """kfac_jax.Optimizer with fixed rate, momentum and damping, stepped from Python as its documentation has it."""

    def build(self):
        import kfac_jax

        adapt_to_new_jax()
        self.versions["kfac-jax"] = kfac_jax.__version__

        def objective(layers, batch):
            logits = self.logits(layers, batch[0])
            kfac_jax.register_softmax_cross_entropy_loss(logits, batch[1])
            loss = optax.softmax_cross_entropy_with_integer_labels(logits, batch[1]).mean()
            return loss + L2 / 2 * sum((layer["w"] ** 2).sum() for layer in layers)

        self.optimizer = kfac_jax.Optimizer(
            jax.value_and_grad(objective), l2_reg=L2, regularized_parameters_path_exclusions="b",
            curvature_update_period=self.setting["curvature"], inverse_update_period=self.setting["inverse"],
        )
        given = {"learning_rate": self.setting["rate"], "momentum": 0.9, "damping": self.setting["damping"]}
        self.rates = {name: jax.numpy.asarray(value) for name, value in given.items()}
        self.host = np.asarray(self.x), np.asarray(self.y)

    def batch(self, indices):
        return self.host[0][indices], self.host[1][indices]

    def start(self, seed):
        self.layers, self.steps = self.starting_layers(seed), 0
        self.key, self.draw = jax.random.PRNGKey(seed), np.random.default_rng(seed + 1000)
        self.state = self.optimizer.init(self.layers, self.key, self.batch(np.arange(self.setting["batch"])))

    def feed(self, indices):
        # The first step asks for ten batches more, to estimate the curvature before it moves: that is training time.
        for _ in range(10 if self.steps == 0 else 0):
            yield self.batch(self.draw.integers(0, len(self.host[0]), len(indices)))
        yield self.batch(indices)

    def train(self, batches):
        for indices in batches:
            self.key, key = jax.random.split(self.key)
            self.layers, self.state, _ = self.optimizer.step(
                self.layers, self.state, key, data_iterator=self.feed(indices), global_step_int=self.steps, **self.rates
            )
            self.steps += 1
        jax.block_until_ready(self.layers)


def adapt_to_new_jax():
    """kfac-jax 0.0.8 unpacks a pair from Primitive.get_bind_params; since JAX 0.9.2 that gives the parameters alone."""
    if tuple(int(part) for part in jax.__version__.split(".")[:3]) < (0, 9, 2):
        return
    from kfac_jax._src import tag_graph_matcher as matcher

    def evaluate(equation, values):
        with matcher.jex.source_info_util.user_context(equation.source_info.traceback):
            result = equation.primitive.bind(*values, **equation.primitive.get_bind_params(equation.params))
        return result if isinstance(result, list) else [result]

    matcher.eval_jaxpr_eqn = evaluate
