"""Saves models with the real BentoML into the store FOLDER/store; the class of one is of the project FOLDER/project/src.

Usage: savePythonModels.py FOLDER
"""

import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
os.environ.update(BENTOML_HOME=str(folder / "store"), BENTOML_DO_NOT_TRACK="True")
(folder / "store").mkdir()

import bentoml  # noqa: E402

source = folder / "project" / "src"
source.mkdir(parents=True)
(source / "shop_prices.py").write_text(
    "class Pricing:\n    def __call__(self, weights):\n        return weights * 2.5 + 1\n"
)
sys.path.insert(0, str(source))

from shop_prices import Pricing  # noqa: E402


def total(numbers):
    return {"sum": float(sum(numbers))}


plain = {"__call__": {"batchable": False}}
objects = {"words": ["a", "b"], "long": "w" * 5000}
bentoml.picklable_model.save_model("total:v1", total, signatures=plain, custom_objects=objects)
bentoml.picklable_model.save_model("pricing:v1", Pricing(), signatures=plain)
