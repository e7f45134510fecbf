"""A project's training script as its user has it: what the tests of saving objects name attributes of."""

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import optax
from flax import linen as nn, nnx
from flax.core import freeze
from flax.training import train_state
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import rates


class Pricing:
    """A class of the script itself."""

    def __init__(self, per_kilo):
        self.per_kilo = per_kilo

    def price(self, weights, fixed=0.0):
        return np.asarray(weights) * self.per_kilo * rates.FACTOR + fixed


def double(values):
    return [2 * value for value in values]


pricing = Pricing(1.5)
plain = {"words": ["a", "b"], "array": np.arange(6.0).reshape(2, 3)}

iris, kinds = load_iris(return_X_y=True)
forest = RandomForestClassifier(n_estimators=8, random_state=0).fit(iris, kinds)


class Net(nn.Module):
    width: int = 4

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.relu(nn.Dense(self.width)(x))
        x = nn.BatchNorm(use_running_average=not train)(x)
        return nn.Dense(2)(x)


class Dense(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(3)(x)


rows = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
net, dense = Net(), Dense()
variables = net.init(jax.random.PRNGKey(0), rows)
_, moved = net.apply(variables, rows, train=True, mutable=["batch_stats"])
variables = {"params": variables["params"], **moved}
dense_variables = dense.init(jax.random.PRNGKey(1), rows)
frozen = freeze(dense_variables)
trained = train_state.TrainState.create(apply_fn=dense.apply, params=dense_variables, tx=optax.adam(1e-3))


class Perceptron(nnx.Module):
    def __init__(self, rngs):
        self.layers = nnx.List([nnx.Linear(3, 4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)])
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.layers[1](self.drop(nnx.relu(self.layers[0](x))))


perceptron = Perceptron(nnx.Rngs(0))


def negate():
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 3])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 3])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "neg", [x], [y])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
