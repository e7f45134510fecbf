"""Makes the sample store: media/sample-store, laid out as a BENTOML_HOME, at most 300 kB.

Run with the project's own interpreter: .tools/venv/bin/python media/makeSampleStore.py [TARGET]
Everything is reproducible: data sets that scikit-learn carries, fixed seeds, weights rounded so that the last bits
of another machine's arithmetic do not show, fixed creation times. Models are written by BentoML itself.
"""

import os
import pathlib
import re
import shutil
import sys
import tempfile
import warnings

work = tempfile.mkdtemp(prefix="modelbench-sample-")
os.environ["BENTOML_HOME"] = work
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
warnings.filterwarnings("ignore")

import bentoml  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from skl2onnx import to_onnx  # noqa: E402
from skl2onnx.common.data_types import FloatTensorType  # noqa: E402
from sklearn.datasets import load_digits, load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

PYTHON_VERSION = "3.11.7"
SIGNATURES = {"run": {"batchable": True, "batch_dim": 0}}
FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def name_batch(model, names):
    """Gives the first dimension of inputs and outputs the name `batch`."""
    for value in [*model.graph.input, *model.graph.output]:
        if value.name in names:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def iris_model(regularisation):
    """Logistic regression on iris; answers with the ONNX model and its accuracy on a held-out third."""
    iris = load_iris()
    train_x, test_x, train_y, test_y = train_test_split(
        iris.data, iris.target, test_size=1 / 3, random_state=7, stratify=iris.target
    )
    classifier = LogisticRegression(C=regularisation, max_iter=5000, tol=1e-9).fit(train_x, train_y)
    classifier.coef_ = classifier.coef_.round(4)
    classifier.intercept_ = classifier.intercept_.round(4)
    model = to_onnx(
        classifier,
        initial_types=[("input", FloatTensorType([None, 4]))],
        name="iris",
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    return name_batch(model, {"input", "label", "probabilities"}), round(float(classifier.score(test_x, test_y)), 4)


def save_iris(version, regularisation, note):
    model, accuracy = iris_model(regularisation)
    bentoml.onnx.save_model(
        f"iris_clf:{version}",
        model,
        signatures=SIGNATURES,
        labels={"dataset": "iris", "stage": note},
        metadata={
            "accuracy": accuracy,
            "classes": ["setosa", "versicolor", "virginica"],
            "feature_names": FEATURES,
            "input_example": {"input": [[5.9, 3.0, 5.1, 1.8]]},
        },
    )


def train_digits(x, y):
    """A 64-32-10 network by full-batch Adam. Weights are rounded after each step, which keeps runs equal."""
    random = np.random.default_rng(3)
    weights = [
        random.normal(0, 0.15, (64, 32)).round(6),
        np.zeros(32),
        random.normal(0, 0.2, (32, 10)).round(6),
        np.zeros(10),
    ]
    target = np.eye(10)[y]
    mean = [np.zeros_like(w) for w in weights]
    square = [np.zeros_like(w) for w in weights]
    for step in range(1, 401):
        w1, b1, w2, b2 = weights
        hidden = np.maximum(x @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        slope = (odds / odds.sum(axis=1, keepdims=True) - target) / len(x)
        back = (slope @ w2.T) * (hidden > 0)
        gradients = [x.T @ back, back.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]
        for i, gradient in enumerate(gradients):
            mean[i] = (0.9 * mean[i] + 0.1 * gradient).round(12)
            square[i] = (0.999 * square[i] + 0.001 * gradient**2).round(15)
            change = (mean[i] / (1 - 0.9**step)) / (np.sqrt(square[i] / (1 - 0.999**step)) + 1e-6)
            weights[i] = (weights[i] - 0.01 * change).round(6)
    return [w.round(4) for w in weights]


def digits_model(weights):
    names = ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    nodes = [
        helper.make_node("Gemm", ["pixels", "hidden.weight", "hidden.bias"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "out.weight", "out.bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 64])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10]),
        ],
        [numpy_helper.from_array(w.astype(np.float32), name) for w, name in zip(weights, names)],
    )
    model = helper.make_model(graph, producer_name="modelbench-sample", opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    helper.set_model_props(model, {"dataset": "digits (UCI, 8x8 pixels of 0 to 16)"})
    onnx.checker.check_model(model, full_check=True)
    return model


def save_digits():
    x, y = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=1 / 3, random_state=7, stratify=y)
    # The network reads the raw 0 to 16: the scale goes into the first layer.
    weights = train_digits(train_x / 16, train_y)
    weights[0] = weights[0] / 16
    w1, b1, w2, b2 = weights
    answers = (np.maximum(test_x @ w1 + b1, 0) @ w2 + b2).argmax(axis=1)
    bentoml.onnx.save_model(
        "digits:v1",
        digits_model(weights),
        signatures=SIGNATURES,
        labels={"dataset": "digits"},
        metadata={
            "accuracy": round(float((answers == test_y).mean()), 4),
            "classes": [str(digit) for digit in range(10)],
            "input_example": {"pixels": [x[0].tolist()]},
        },
    )


class AsksForProcessId:
    """Unpickling it calls os.getpid: harmless, and exactly what a scanner must not let pass unsaid."""

    def __reduce__(self):
        return os.getpid, ()


def save_flagged_pickle():
    bentoml.picklable_model.save_model(
        "flagged_pickle:v1",
        AsksForProcessId(),
        signatures={"__call__": {"batchable": False}},
        labels={"purpose": "shows a pickle that calls a function when it is loaded"},
    )


def normalise(folder, created):
    """Replaces what differs from run to run."""
    path = folder / "model.yaml"
    text = path.read_text()
    text = re.sub(r"creation_time: .*", f"creation_time: '{created}'", text)
    text = re.sub(r"python_version: .*", f"python_version: {PYTHON_VERSION}", text)
    path.write_text(text)


def write_csv(path):
    iris = load_iris()
    rows = [",".join([*FEATURES, "species"])]
    for values, target in zip(iris.data, iris.target):
        rows.append(",".join([*(f"{value:.1f}" for value in values), str(iris.target_names[target])]))
    path.write_text("\n".join(rows) + "\n")


def main(target):
    save_iris("v1", 0.005, "first try")
    save_iris("v2", 10.0, "better")
    save_digits()
    save_flagged_pickle()
    models = pathlib.Path(work) / "models"
    normalise(models / "iris_clf/v1", "2026-06-01T09:12:44.120000+00:00")
    normalise(models / "iris_clf/v2", "2026-06-05T16:40:09.356000+00:00")
    normalise(models / "digits/v1", "2026-06-04T11:05:31.004000+00:00")
    normalise(models / "flagged_pickle/v1", "2026-06-03T08:00:00.500000+00:00")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copytree(models, target / "models", copy_function=shutil.copyfile)
    write_csv(target / "iris.csv")


try:
    default = pathlib.Path(__file__).parent / "sample-store"
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default)
finally:
    shutil.rmtree(work, ignore_errors=True)
