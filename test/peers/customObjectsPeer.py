"""Saves models with custom objects of many kinds by the real BentoML, or calls one with what its options say.

  customObjectsPeer.py save HOME     prints [[name, class that loading gives]]
  customObjectsPeer.py call HOME     prints what the model was called with: without arguments, and with one of its own
"""

import json
import math
import os
import sys
import types

action, home = sys.argv[1:]
os.environ["BENTOML_HOME"] = home

# bentoml.flax imports tensorflow, only to keep it off the GPUs.
tensorflow = types.ModuleType("tensorflow")
tensorflow.config = types.SimpleNamespace(experimental=types.SimpleNamespace(set_visible_devices=lambda *_: None))
sys.modules["tensorflow"] = tensorflow

from collections import OrderedDict  # noqa: E402
from pathlib import PurePosixPath  # noqa: E402

import bentoml  # noqa: E402
import numpy as np  # noqa: E402


class Model:
    """Answers with the arguments that it was called with."""

    def __call__(self, **given):
        return given


class Tokenizer:
    def __init__(self):
        self.words = ["a"]


class Slotted:
    __slots__ = ("a",)

    def __init__(self):
        self.a = 1


def double(value):
    return 2 * value


def objects():
    from sklearn.preprocessing import StandardScaler

    return {
        "text": "words",
        "long": "w" * 5000,
        "number": 1.5,
        "whole": 2.0,
        "count": 3,
        "huge": 2**80,
        "flag": True,
        "nothing": None,
        "list": [1, "a"],
        "tuple": (1, 2),
        "dict": {"a": {"b": 1}},
        "set": {1, 2},
        "frozen": frozenset([1]),
        "bytes": b"abc",
        "array": np.arange(6.0).reshape(2, 3),
        "scalar": np.float32(1.5),
        "ordered": OrderedDict(a=1),
        "path": PurePosixPath("/a/b"),
        "scaler": StandardScaler(),
        "instance": Tokenizer(),
        "slots": Slotted(),
        "function": double,
        "class": Tokenizer,
        "named": math.sqrt,
    }


def name_of(value):
    kind = type(value)
    if value is None:
        return "None"
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def save():
    from flax import linen as nn
    import jax

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(x)

    Net.__qualname__ = "Net"
    os.makedirs(os.path.join(home, "models"))
    bentoml.picklable_model.save_model("many", Model(), custom_objects=objects())
    bentoml.picklable_model.save_model("none", Model())
    net = Net()
    bentoml.flax.save_model("flax", net, net.init(jax.random.PRNGKey(0), np.ones((1, 3), np.float32)))
    loaded = bentoml.models.get("many").custom_objects
    return [[name, name_of(value)] for name, value in loaded.items()]


def call():
    runner = bentoml.picklable_model.get("many").to_runner()
    runner.init_local(quiet=True)
    return [runner.run(), runner.run(times=5)]


print("@@" + json.dumps({"save": save, "call": call}[action]()))
