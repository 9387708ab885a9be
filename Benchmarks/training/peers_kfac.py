"""kfac_jax.Optimizer with fixed momentum and damping, stepped from Python as its documentation has it."""

import jax
import kfac_jax
import numpy as np
import optax
from jax import numpy

from networks import weighted
from peers_jax import Jax


class KfacJax(Jax):
    whole_lengths = False

    def __init__(self, training, validation, threads):
        super().__init__(training, validation, threads)
        adapt_to_new_jax()
        self.versions["kfac-jax"] = kfac_jax.__version__
        self.host, self.optimizers = training, {}

    def prepare(self, optimizer, setting, network, factors):
        self.network, self.setting, self.factors = network, setting, factors
        l2 = setting.get("l2", 0)
        key = (l2, setting.get("curvature", 5), setting.get("inverse", 20), setting["batch"], str(network))

        def objective(layers, batch):
            logits = self.logits(layers, batch[0])
            kfac_jax.register_softmax_cross_entropy_loss(logits, batch[1])
            loss = optax.softmax_cross_entropy_with_integer_labels(logits, batch[1]).mean()
            return loss + l2 / 2 * sum((layer["w"] ** 2).sum() for layer in layers if "w" in layer)

        # Rates and damping are arguments of its steps: it is compiled once for all of them.
        if key not in self.optimizers:
            self.optimizers[key] = kfac_jax.Optimizer(
                jax.value_and_grad(objective), l2_reg=l2, regularized_parameters_path_exclusions="b",
                curvature_update_period=key[1], inverse_update_period=key[2])
        self.optimizer = self.optimizers[key]
        given = {"momentum": setting.get("momentum", 0.9), "damping": setting["damping"]}
        self.fixed = {name: numpy.asarray(value) for name, value in given.items()}

    def convolved(self, x, kernel):
        # (it knows convolutions by this)
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def starting_layers(self, seed):
        layers = super().starting_layers(seed)
        for layer, part in zip(layers, weighted(self.network)):
            if part["kind"] == "convolution":
                layer["w"] = layer["w"].reshape(3, 3, part["channels"], part["outputs"])
        return layers

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
            factor = 1 if self.factors is None else self.factors[min(self.steps, len(self.factors) - 1)]
            self.layers, self.state, _ = self.optimizer.step(
                self.layers, self.state, key, data_iterator=self.feed(indices), global_step_int=self.steps,
                learning_rate=numpy.asarray(self.setting["rate"] * factor), **self.fixed)
            self.steps += 1
        jax.block_until_ready(self.layers)

    def evaluated_layers(self):
        return self.layers


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
