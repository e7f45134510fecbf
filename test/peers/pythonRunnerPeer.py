"""Saves models with the real BentoML into FOLDER, calls the plain objects, and prints both as JSON after `@@`.

FOLDER/home is the store, FOLDER/project/src the folder of the project that the class `shop.pricing.Pricing` is from.
"""

import json
import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
os.environ.update(BENTOML_HOME=str(folder / "home"), BENTOML_DO_NOT_TRACK="True")
(folder / "home").mkdir()

import bentoml  # noqa: E402
import cloudpickle  # noqa: E402
import numpy as np  # noqa: E402

PRICING = '''
from . import rates


class Pricing:
    """Of a project: its module is needed to load it."""

    def price(self, weights):
        return weights * rates.PER_KILO + rates.FIXED
'''


class Methods:
    """Records the shape of what it receives, and fails or hangs where it is asked to."""

    def __init__(self):
        self.received = []

    def shapes(self):
        shapes, self.received = self.received, []
        return {"shapes": [list(shape) for shape in shapes]}

    def positive(self, x):
        self.received.append(x.shape)
        if (x < 0).any():
            raise ValueError(f"{int(x.min())} is negative")
        return x * 2

    def columns(self, x):
        """One column a request in, one row a request out."""
        self.received.append(x.shape)
        return {"sums": x.sum(axis=0), "rows": x.T}

    def words(self, texts, suffix="!"):
        self.received.append(np.shape(texts))
        return [{"text": text + suffix, "big": 2**70 + len(text)} for text in texts]

    def stuck(self):
        """In native code that holds the interpreter's lock, for longer than anybody waits."""
        import re

        return re.match(r"(a+)+$", "a" * 60 + "b")


def project():
    package = folder / "project" / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "rates.py").write_text("PER_KILO = 1.1\nFIXED = 0.3\n")
    (package / "pricing.py").write_text(PRICING)
    sys.path.insert(0, str(package.parent))
    from shop.pricing import Pricing

    return Pricing()


def numbers(value):
    return np.asarray(value).tolist()


def stored(model):
    """Where it lies; what `save_model` returns still names the place where it was made."""
    return bentoml.models.get(model.tag).path


def forest():
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier

    x, y = load_iris(return_X_y=True)
    model = RandomForestClassifier(n_estimators=10, random_state=0).fit(x, y)
    saved = bentoml.sklearn.save_model("forest", model, signatures={"predict_proba": {"batchable": True}})
    rows = x[::5]
    return {"folder": stored(saved), "rows": numbers(rows), "expected": numbers(model.predict_proba(rows))}


def pricing():
    model = project()
    saved = bentoml.picklable_model.save_model("pricing", model, signatures={"price": {"batchable": True}})
    rows = np.arange(12, dtype=float).reshape(6, 2) / 7
    expected = numbers(model.price(rows))
    source = str(folder / "project" / "src")
    return {"folder": stored(saved), "source": source, "rows": numbers(rows), "expected": expected}


def methods():
    cloudpickle.register_pickle_by_value(sys.modules["__main__"])
    return {"folder": stored(bentoml.picklable_model.save_model("methods", Methods()))}


print("@@" + json.dumps({"forest": forest(), "pricing": pricing(), "methods": methods()}))
