"""What the Python bench compares with.

`pythonCalls.py save FOLDER` saves its models with the real BentoML below FOLDER and prints where each lies, as JSON.
`pythonCalls.py first ADAPTER MODEL`, in a process of its own: the milliseconds from here to the first answer.
`pythonCalls.py serve FOLDER`: a line in is an operation and a count, a line out is JSON when it is done.

| line | does |
|---|---|
| `scale COUNT` · `mlp COUNT` | so many calls of the model's method, the jitted one of flax, with 4 KB |
| `copy COUNT` | copies 64 MiB so many times there and back, into memory that is there |
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

COLUMNS = 1024
MIB_64 = 1 << 26


class Scale:
    def scale(self, x):
        return x * 2 + 1


class Same:
    def same(self, x):
        return x


def save(folder):
    os.environ.update(BENTOML_HOME=str(folder / "home"), BENTOML_DO_NOT_TRACK="True")
    (folder / "home").mkdir()
    # bentoml.flax imports tensorflow, only to keep it off the GPUs.
    import types

    import bentoml
    import cloudpickle
    import numpy as np

    if "tensorflow" not in sys.modules:
        stand_in = types.ModuleType("tensorflow")
        stand_in.config = types.SimpleNamespace(set_visible_devices=lambda devices, kind: None)
        sys.modules["tensorflow"] = stand_in
    import jax
    from flax import linen as nn
    from sklearn.ensemble import RandomForestClassifier

    class Perceptron(nn.Module):
        @nn.compact
        def __call__(self, x):
            print(f"traced for {x.shape[0]}")
            return nn.Dense(10)(nn.relu(nn.Dense(256)(x)))

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    rows = np.random.default_rng(0).normal(size=(200, COLUMNS)).astype(np.float32)
    forest = RandomForestClassifier(10, random_state=0).fit(rows, rows[:, 0] > 0)
    perceptron = Perceptron()
    state = perceptron.init(jax.random.PRNGKey(0), rows[:1])
    batchable = {"batchable": True, "batch_dim": 0}
    saved = {
        "scale": bentoml.picklable_model.save_model("scale", Scale(), signatures={"scale": batchable}),
        "same": bentoml.picklable_model.save_model("same", Same(), signatures={"same": batchable}),
        "forest": bentoml.sklearn.save_model("forest", forest, signatures={"predict": batchable}),
        "mlp": bentoml.flax.save_model("mlp", perceptron, state, signatures={"__call__": batchable}),
    }
    store = folder / "home" / "models"
    return {name: str(store / model.tag.name / model.tag.version) for name, model in saved.items()}


def open_mlp(folder):
    """The jitted method with its state, of the files as BentoML wrote them."""
    import cloudpickle
    import flax.linen  # noqa: F401
    import jax
    import jax.numpy as jnp
    from flax import serialization

    jax.config.update("jax_default_device", jax.devices("cpu")[0])
    module = cloudpickle.loads((folder / "custom_objects.pkl").read_bytes())["_module"]
    state = serialization.from_bytes(module, (folder / "saved_model.msgpack").read_bytes())
    state = jax.tree_util.tree_map(jnp.array, state)
    call = jax.jit(module.apply)
    return lambda x: jax.block_until_ready(call(state, x))


def open_forest(folder):
    import joblib
    import sklearn  # noqa: F401

    return joblib.load(folder / "saved_model.pkl").predict


def first(adapter, folder):
    call = {"flax": open_mlp, "sklearn": open_forest}[adapter](folder)
    import numpy as np

    call(np.ones((1, COLUMNS), np.float32))
    return (time.perf_counter() - STARTED) * 1000


def serve(folder):
    import numpy as np

    x, scale = np.ones((1, COLUMNS), np.float32), Scale().scale
    mlp = open_mlp(next((folder / "home" / "models" / "mlp").glob("*/custom_objects.pkl")).parent)
    here, there = np.ones(MIB_64, np.uint8), np.ones(MIB_64, np.uint8)

    def copy():
        np.copyto(there, here)
        np.copyto(here, there)

    calls = {"scale": lambda: scale(x), "mlp": lambda: mlp(x), "copy": copy}
    for line in sys.stdin:
        name, count = line.split()
        started, spent = time.perf_counter(), time.process_time()
        for _ in range(int(count)):
            calls[name]()
        took = {"ms": (time.perf_counter() - started) * 1000, "cpuMs": (time.process_time() - spent) * 1000}
        sys.__stdout__.write(json.dumps(took) + "\n")
        sys.__stdout__.flush()


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr
    operation, *args = sys.argv[1:]
    if operation == "serve":
        serve(Path(args[0]))
    else:
        result = save(Path(args[0])) if operation == "save" else first(args[0], Path(args[1]))
        print(json.dumps(result), file=answers)
