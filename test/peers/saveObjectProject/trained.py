"""The state of a training loop."""

import optax
from flax.training import train_state
from nets import dense, dense_variables

trained = train_state.TrainState.create(apply_fn=dense.apply, params=dense_variables, tx=optax.adam(1e-3))
