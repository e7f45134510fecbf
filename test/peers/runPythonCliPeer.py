"""Saves models with the real BentoML and prints what the plain libraries answer for them.

  runPythonCliPeer.py HOME PROJECT     models in the store HOME; a module of a project in the folder PROJECT
"""

import importlib
import json
import os
import sys
import types

home, project = sys.argv[1:3]
os.environ["BENTOML_HOME"] = home

# bentoml.flax imports tensorflow, only to keep it off the GPUs.
tensorflow = types.ModuleType("tensorflow")
tensorflow.config = types.SimpleNamespace(experimental=types.SimpleNamespace(set_visible_devices=lambda *_: None))
sys.modules["tensorflow"] = tensorflow

import bentoml  # noqa: E402
import cloudpickle  # noqa: E402
import flax.linen as nn  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402

FLOWERS = [[5.9, 3, 5.1, 1.8], [5.1, 3.5, 1.4, 0.2]]
IMAGE = [[[[0.5, -1.0], [2.0, 0.25]]]]


class Toolbox:
    """Every way to take and to give something."""

    def __call__(self, x):
        return x**2

    def add(self, a, b, scale=1):
        return (a + b) * scale

    def pair(self, x):
        return x.min(axis=0), x.sum()

    def parts(self, x):
        return {"low": x.min(), "high": x.max(axis=1)}

    def describe(self, value):
        return {"type": type(value).__name__, "dtype": str(getattr(value, "dtype", "")), "value": repr(value)}

    def upper(self, texts):
        return [text.upper() for text in texts]

    def hard(self):
        return {"big": 2**70, "numbers": [float("nan"), float("-inf"), 0.1], "text": "日本", "none": None}

    def noisy(self, x):
        print("a line for people")
        os.write(1, b"bytes for anybody")
        return x

    def hang(self, path):
        with open(path + ".part", "w") as file:
            file.write(str(os.getpid()))
        os.rename(path + ".part", path)
        while True:
            pass

    def fails(self, x):
        raise ValueError(f"no such flower: {x}")

    def needs(self):
        import a_module_that_is_nowhere  # noqa: F401

    def reads(self, path):
        with open(path) as file:
            return file.read()

    def dies(self):
        os._exit(7)


class Broken:
    """Its pickle fails where it is loaded."""

    def __reduce__(self):
        return int, ("no number",)


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.BatchNorm(use_running_average=True)(nn.Conv(4, (2, 2))(x))
        return nn.Dense(3)(x.reshape((x.shape[0], -1)))


def save_project_model():
    """A class that is pickled by its name: only who can import its module can load it."""
    os.makedirs(project)
    with open(os.path.join(project, "greenhouse.py"), "w") as file:
        file.write("class Gardener:\n    def water(self, x):\n        return x + 1\n")
    sys.path.insert(0, project)
    bentoml.picklable_model.save_model("gardener", importlib.import_module("greenhouse").Gardener(), signatures={"water": {}})


def save_passengers():
    """A pipeline over a table in which numbers and texts are missing, saved, with its answers."""
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    columns = ["age", "port"]
    table = pd.DataFrame([[22, "S"], [38, "C"], [None, "S"], [35, np.nan], [54, "Q"], [2, "S"]], columns=columns)
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    prepared = make_column_transformer((SimpleImputer(), ["age"]), (texts, ["port"]))
    pipeline = make_pipeline(prepared, LogisticRegression()).fit(table, [0, 1, 0, 1, 0, 1])
    bentoml.sklearn.save_model("passengers", pipeline, signatures={"predict_proba": {"batchable": True}})
    return pipeline.predict_proba(pd.DataFrame([[30, None], [None, "Q"]], columns=columns)).tolist()


def main():
    os.makedirs(os.path.join(home, "models"))
    cloudpickle.register_pickle_by_value(sys.modules["__main__"])
    toolbox = Toolbox()
    methods = [name for name in vars(Toolbox) if name == "__call__" or not name.startswith("_")]
    bentoml.picklable_model.save_model("toolbox", toolbox, signatures={name: {"batchable": False} for name in methods})
    bentoml.picklable_model.save_model("square", lambda x: x**2, signatures={"__call__": {"batchable": True}})
    bentoml.picklable_model.save_model("broken", Broken())
    save_project_model()

    iris = load_iris()
    forest = RandomForestClassifier(n_estimators=7, random_state=0).fit(iris.data, iris.target)
    signatures = {"predict": {"batchable": True}, "predict_proba": {"batchable": True}}
    bentoml.sklearn.save_model("iris_forest", forest, signatures=signatures, metadata={"input_example": FLOWERS})

    net = Net()
    image = np.array(IMAGE, np.float32)
    state = net.init(jax.random.PRNGKey(0), image)
    bentoml.flax.save_model("image_net", net, state)

    return {
        "predict": forest.predict(np.array(FLOWERS)).tolist(),
        "predict_proba": forest.predict_proba(np.array(FLOWERS)).tolist(),
        "net": np.asarray(jax.jit(net.apply)(state, image)).tolist(),
        "passengers": save_passengers(),
        "power": (np.array([1.5, 0.1]) ** 2).tolist(),
    }


print("@@" + json.dumps(main()))
