"""The examples of BentoML's and Flax's documents on Flax, saved and run by the real BentoML and the plain libraries.

  flaxPeer.py HOME PROJECT     models in the store HOME; modules of a project in PROJECT/src
"""

import importlib
import os
import sys

home, project = sys.argv[1:3]
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from theirs import joined, local_runner, open_store, plain, tell, where  # noqa: E402

open_store(home)

import bentoml  # noqa: E402
import cloudpickle  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
import pandas as pd  # noqa: E402
from flax import linen as nn, nnx  # noqa: E402
from flax.core import freeze  # noqa: E402
from flax.training import train_state  # noqa: E402
from jax.experimental import io_callback  # noqa: E402
from safetensors.flax import save_file  # noqa: E402

LAYERS = '''
from flax import linen as nn


class Layers(nn.Module):
    """Of a project: pickled by its name."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(3)(nn.tanh(nn.Dense(4)(x)))
'''


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.Dense(features=256)(x)
        x = nn.relu(x)
        x = nn.Dense(features=10)(x)
        return x


class Traced(nn.Module):
    """Says when it is compiled, and for which rows."""

    @nn.compact
    def __call__(self, x):
        print(f"traced {x.shape}")
        return nn.Dense(2)(x)

    def hold(self, seconds):
        return io_callback(pause, jax.ShapeDtypeStruct((), jnp.float32), seconds)


class Mean(nn.Module):
    """Its answer has no row for each that it is given."""

    def __call__(self, x):
        return x.mean(axis=0)


class Columns(nn.Module):
    """Rows along the second axis, answers along the first."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(x.T)


class Normed(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(8)(x))
        return nn.log_softmax(nn.Dense(3)(x))


class Pair(nn.Module):
    """BentoML's runner gives several arguments as one tuple."""

    @nn.compact
    def __call__(self, pair):
        left, right = pair
        return nn.Dense(2)(left) - right


class Asking(nn.Module):
    """Its answer is not made of its input alone."""

    def __call__(self, x):
        return x + io_callback(count, jax.ShapeDtypeStruct((), jnp.float32))


def pause(seconds):
    import time

    time.sleep(float(seconds))
    return np.float32(seconds)


counted = [0]


def count():
    counted[0] += 1
    return np.float32(counted[0])


class NormedState(train_state.TrainState):
    batch_stats: dict


class MyModel(nnx.Module):
    def __init__(self, *, rngs):
        self.hidden = nnx.Linear(784, 256, rngs=rngs)
        self.last = nnx.Linear(256, 10, rngs=rngs)

    def __call__(self, x):
        return self.last(nnx.relu(self.hidden(x)))


class NnxCNN(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(1, 4, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.last = nnx.Linear(4, 3, rngs=rngs)

    def __call__(self, x):
        return self.last(nnx.relu(self.norm(self.conv(x))).mean((1, 2)))


def started(net, *args):
    """First variables of a module; compiled in one piece, which takes a fraction of the time."""
    return jax.jit(net.init)(jax.random.PRNGKey(0), *args)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def mnist():
    rng = jax.random.PRNGKey(0)
    model = CNN()
    params = model.init(rng, jnp.ones((1, 784)))
    bentoml.flax.save_model("mnist", model, params)
    net, state_dict = bentoml.flax.load_model("mnist:latest")
    predict_fn = jax.jit(lambda x: net.apply({"params": state_dict["params"]}, x))
    results = predict_fn(jnp.ones((1, 784)))
    runner = local_runner("mnist")
    rows = normal(2, 784)
    loads = {}
    for init in (True, False):
        _, state = bentoml.flax.load_model("mnist", init=init, device="cpu")
        loads[str(init).lower()] = jax.jit(net.apply)(state, rows)
    try:
        bentoml.flax.load_model("mnist", init=False, device="gpu")
        gpu = "there"
    except RuntimeError as error:
        gpu = type(error).__name__
    return {
        "plain": results,
        "runner": runner.run(jnp.ones((1, 784))),
        "rows": rows,
        "ofRows": predict_fn(rows),
        "runnerOfRows": runner.run(rows),
        "loads": loads,
        "gpu": gpu,
    }


def of_frames():
    frame = {"a": [0.5, -1.0, 2.0], "b": [1.0, 3.0, -2.0]}
    net = nn.Dense(2)
    variables = started(net, np.ones((1, 2), np.float32))
    bentoml.flax.save_model("dense", net, variables)
    rows = pd.DataFrame(frame)
    return {"frame": frame, "plain": jax.jit(net.apply)(variables, rows.to_numpy()), "runner": local_runner("dense").run(rows)}


def states():
    """name: what the real runner says of it, or the kind of its failure."""
    x = normal(4, 5)
    net = Normed()
    variables = started(net, x)
    train = jax.jit(lambda variables: net.apply(variables, x, train=True, mutable=["batch_stats"])[1])
    variables = {**variables, **train(variables)}
    make = {"apply_fn": net.apply, "params": variables["params"], "tx": optax.adam(1e-3)}
    signatures = {"__call__": {"batchable": True}}
    answers = {}
    for name, state in {
        "batch_norm": variables,
        "frozen": freeze(variables),
        "train_state": NormedState.create(batch_stats=variables["batch_stats"], **make),
    }.items():
        bentoml.flax.save_model(name, net, state, signatures=signatures)
        try:
            runner = local_runner(name).run(x)
        except Exception as error:
            runner = type(error).__name__
        answers[name] = {"folder": where(name), "rows": x, "plain": jax.jit(net.apply)(variables, x), "runner": runner}
    return answers


def batches():
    x = normal(9, 5)
    net = Traced()
    variables = started(net, x)
    signatures = {"__call__": {"batchable": True}, "hold": {}}
    bentoml.flax.save_model("traced", net, variables, signatures=signatures)
    found = {"traced": batch("traced", net, variables, [[row[None]] for row in x[:3]])}
    net = Columns()
    variables = started(net, x)
    bentoml.flax.save_model("columns", net, variables, signatures={"__call__": {"batchable": True, "batch_dim": (1, 0)}})
    found["columns"] = batch("columns", net, variables, None, [[x[:, :1]], [x[:, 1:3]]])
    net = Mean()
    bentoml.flax.save_model("mean", net, {"params": {}}, signatures={"__call__": {"batchable": True}})
    found["mean"] = {"folder": where("mean"), "calls": [[x[:3]]], "plain": [jax.jit(net.apply)({}, x[:3])]}
    return {**found, "rows": x}


def batch(name, net, variables, calls, apart=None):
    """`calls` are what BentoML joins; it does not join arrays of jax along another axis than the first."""
    runner = local_runner(name)
    plain_calls = [jax.jit(net.apply)(variables, *call) for call in calls or apart]
    answers = joined(runner, "__call__", calls) if calls else [runner.run(*call) for call in apart]
    return {"folder": where(name), "calls": calls or apart, "plain": plain_calls, "runner": answers}


def pair():
    x = normal(3, 4)
    net, other = Pair(), normal(3, 2)
    variables = started(net, (x, other))
    bentoml.flax.save_model("pair", net, variables)
    return {"args": [x, other], "plain": jax.jit(net.apply)(variables, (x, other)), "runner": local_runner("pair").run(x, other)}


def asking():
    bentoml.flax.save_model("asking", Asking(), {"params": {}}, signatures={"__call__": {"batchable": True}})
    return {"folder": where("asking")}


def layers():
    source = os.path.join(project, "src")
    os.makedirs(source)
    with open(os.path.join(source, "layers.py"), "w") as file:
        file.write(LAYERS)
    sys.path.insert(0, source)
    net, x = importlib.import_module("layers").Layers(), normal(2, 3)
    variables = started(net, x)
    bentoml.flax.save_model("layers", net, variables)
    return {"source": source, "rows": x, "plain": jax.jit(net.apply)(variables, x), "runner": local_runner("layers").run(x)}


def exported():
    """An NNX model as Flax's document on export writes it: SafeTensors with names joined by dots."""
    model = MyModel(rngs=nnx.Rngs(params=0))
    state = nnx.state(model)
    tensors = {}
    for path, param in jax.tree_util.tree_leaves_with_path(state):
        key = ".".join(str(p.key) for p in path if hasattr(p, "key"))
        tensors[key] = jnp.array(param.value) if hasattr(param, "value") else jnp.array(param)
    with nnx_model("exported", MyModel) as stored:
        save_file(tensors, stored.path_of("saved_model.safetensors"))
    example_input = jnp.ones((1, 784))
    return {"names": sorted(tensors), "ofExample": nnx.jit(lambda model, x: model(x))(model, example_input)}


def nnx_cnn():
    from flax import serialization

    x = normal(3, 6, 6, 1)
    net, run = NnxCNN(nnx.Rngs(0)), nnx.jit(lambda net, x: net(x))
    run(net, x)
    weights = nnx.to_pure_dict(nnx.state(net, (nnx.Param, nnx.BatchStat)))
    with nnx_model("nnx_cnn", NnxCNN) as stored, open(stored.path_of("saved_model.msgpack"), "wb") as file:
        file.write(serialization.to_bytes(weights))
    net.eval()
    return {"folder": where("nnx_cnn"), "rows": x, "plain": run(net, x)}


def nnx_model(name, module):
    context = bentoml.models.ModelContext(framework_name="flax", framework_versions={})
    how = {"module": "bentoml.flax", "api_version": "v1", "signatures": {"__call__": {"batchable": True}}}
    return bentoml.models._create(name, custom_objects={"_module": module}, context=context, **how)


cloudpickle.register_pickle_by_value(sys.modules["__main__"])
parts = (mnist, of_frames, states, batches, pair, asking, layers, exported, nnx_cnn)
tell(plain({part.__name__: part() for part in parts}))
