"""Loads and runs with the real BentoML what Modelbench saved, and prints it beside what the plain objects give.

  reversePeer.py HOME PROJECT     PROJECT has the scripts that the plain objects are of; the models need none of them
"""

import os
import sys

home, project = sys.argv[1:3]
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from theirs import joined, local_runner, open_store, plain, tell  # noqa: E402

open_store(home)

import bentoml  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

FLOWER = [[5.9, 3, 5.1, 1.8]]
MODEL_INPUT = np.array([[0.0, 0.5, -1.0], [2.0, 0.25, 1.0]])
RUNS = {
    "demo0": ("predict", [[[1, 2], [3, 4]], [[5, 6]]]),
    "demo1": ("predict", [[[1, 2], [3, 4]], [[5], [6]]]),
    "in1_out0": ("sums", [[[1, 2], [3, 4]], [[5], [6]]]),
}


def load_all():
    """Everything is loaded before the scripts can be imported: what was saved by value needs none."""
    loaded = {name: bentoml.picklable_model.load_model(name) for name in ("demo_mnist", "rf_classifier", "custom_predictor")}
    loaded["iris_clf"] = bentoml.sklearn.load_model("iris_clf:latest")
    loaded["tokenizer"] = bentoml.models.get("demo_mnist").custom_objects["tokenizer"]
    runners = {name: local_runner(name) for name in (*loaded, *RUNS) if name != "tokenizer"}
    for name in ("mnist", "batch_norm", "train_state"):
        loaded[name] = bentoml.flax.load_model(name)
    return loaded, {**runners, "mnist": local_runner("mnist")}


loaded, runners = load_all()
sys.path.insert(0, project)
import documents  # noqa: E402
import flaxDocuments  # noqa: E402


def batch_dims():
    answers = {}
    for name, (method, calls) in RUNS.items():
        runner, arrays = runners[name], [[np.array(value, float)] for value in calls]
        answers[name] = {"joined": joined(runner, method, arrays), "received": runner.received.run()["inputs"]}
    return answers


def states():
    """What the module gives with the state that BentoML loads; of a TrainState the collections that it has."""
    answers = {}
    for name in ("batch_norm", "train_state"):
        module, state = loaded[name]
        variables = {"params": state["params"], "batch_stats": state["batch_stats"]}
        own = flaxDocuments.normed.apply(flaxDocuments.variables, flaxDocuments.rows)
        answers[name] = {"loaded": module.apply(variables, flaxDocuments.rows), "plain": own}
    return answers


def main():
    net, state_dict = loaded["mnist"]
    predict_fn = jax.jit(lambda x: net.apply({"params": state_dict["params"]}, x))
    ones = jnp.ones((1, 784))
    about = bentoml.models.get("demo_mnist").info
    x, rows = np.array([[1.5, -2.0]]), documents.X_test
    classify = runners["demo_mnist"].classify.run(MODEL_INPUT)
    return {
        "iris_clf": [loaded["iris_clf"].predict(FLOWER), runners["iris_clf"].predict.run(FLOWER), documents.clf.predict(FLOWER)],
        "demo_mnist": [loaded["demo_mnist"].classify(MODEL_INPUT), classify, documents.TrainedModel().classify(MODEL_INPUT)],
        "about": {"labels": about.labels, "metadata": about.metadata, "tokens": loaded["tokenizer"]("To Be")},
        "rf_classifier": [loaded["rf_classifier"].predict(rows), runners["rf_classifier"].predict.run(rows), documents.forest.predict(rows)],
        "custom_predictor": [loaded["custom_predictor"](x), runners["custom_predictor"].run(x), documents.MyPredictor()(x)],
        "mnist": [predict_fn(ones), runners["mnist"].run(ones), jax.jit(flaxDocuments.model.apply)(flaxDocuments.params, ones)],
        "batch_dims": batch_dims(),
        "states": states(),
    }


tell(plain(main()))
