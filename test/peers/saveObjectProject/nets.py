"""Linen modules, with states as training leaves them: made of numbers, since making them by `init` takes long."""

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax.core import freeze


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


numbers = np.random.default_rng(0)


def array(*shape):
    return jnp.asarray(numbers.normal(size=shape).astype(np.float32))


def layer(inputs, outputs):
    return {"kernel": array(inputs, outputs), "bias": array(outputs)}


rows = array(4, 3)
net, dense = Net(), Dense()
variables = {
    "params": {"Dense_0": layer(3, 4), "BatchNorm_0": {"scale": array(4), "bias": array(4)}, "Dense_1": layer(4, 2)},
    "batch_stats": {"BatchNorm_0": {"mean": array(4), "var": jnp.asarray(np.array([0.5, 1, 2, 4], np.float32))}},
}
dense_variables = {"params": {"Dense_0": layer(3, 3)}}
frozen = freeze(dense_variables)
