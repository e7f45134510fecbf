"""A user's script: the objects of the documents' examples of Flax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training import train_state


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.Dense(features=256)(x)
        x = nn.relu(x)
        x = nn.Dense(features=10)(x)
        return x


class Normed(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(8)(x))
        return nn.log_softmax(nn.Dense(3)(x))


class NormedState(train_state.TrainState):
    batch_stats: dict


rng = jax.random.PRNGKey(0)
model = CNN()
params = model.init(rng, jnp.ones((1, 784)))

rows = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
normed = Normed()
variables = normed.init(rng, rows)
_, moved = normed.apply(variables, rows, train=True, mutable=["batch_stats"])
variables = {"params": variables["params"], **moved}
make = {"apply_fn": normed.apply, "params": variables["params"], "tx": optax.adam(1e-3)}
trained = NormedState.create(batch_stats=variables["batch_stats"], **make)
