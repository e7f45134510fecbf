"""The examples of BentoML's documents on models, runners and picklable models, saved and run by the real BentoML.

  runnersPeer.py HOME PROJECT     models in the store HOME; modules of a project in PROJECT/src
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
import joblib  # noqa: E402
import numpy as np  # noqa: E402
from bentoml._internal.models.model import ModelSignature, PartialKwargsModelOptions  # noqa: E402
from bentoml.io import NumpyNdarray  # noqa: E402
from sklearn import datasets, svm  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

FLOWER = [[5.9, 3, 5.1, 1.8]]
MODEL_INPUT = [[0.0, 0.5, -1.0], [2.0, 0.25, 1.0]]

TOKENS = '''
class Tokenizer:
    """Of a module beside the project: whoever has it not needs it by value."""

    def __call__(self, text):
        return text.lower().split()


class Reader:
    def __init__(self):
        self.tokenizer = Tokenizer()

    def __call__(self, texts):
        return [len(self.tokenizer(text)) for text in texts]
'''


class TrainedModel:
    """Stands for the network of the documents: it computes with weights and notes what it receives."""

    def __init__(self):
        self.weights = np.linspace(-1, 1, 6).reshape(3, 2)
        self.received = []

    def classify(self, x):
        return np.argmax(np.asarray(x) @ self.weights, axis=1)

    def __call__(self, x):
        self.received.append(np.shape(x))
        return np.tanh(np.asarray(x) @ self.weights)

    def shapes(self):
        shapes, self.received = self.received, []
        return {"shapes": [list(shape) for shape in shapes]}

    def hold(self, seconds):
        """So that what comes meanwhile is queued."""
        import time

        time.sleep(seconds)
        return seconds


class Recorder:
    """Notes what its methods receive; each is written for batches along other axes."""

    def __init__(self):
        self.inputs = []

    def predict(self, x):
        self.inputs.append(x.tolist())
        return x * 10

    def sums(self, x):
        """One column a request in, one number a request out."""
        self.inputs.append(x.tolist())
        return x.sum(axis=0)

    def columns(self, x):
        """One row a request in, one column a request out."""
        self.inputs.append(x.tolist())
        return (x * 10).T

    def pair(self, a, b):
        self.inputs.append([a.tolist(), b.tolist()])
        return a * 100 + b

    def received(self):
        inputs, self.inputs = self.inputs, []
        return {"inputs": inputs}

    def hold(self, seconds):
        import time

        time.sleep(seconds)
        return seconds


class MyPredictor:
    def __call__(self, x):
        return x * 2


class Counter:
    """Its answers change though its input does not."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x + self.calls


class Scaled:
    def predict(self, x, scale=1.0, shift=0.0):
        return x * scale + shift


def iris_clf():
    iris = datasets.load_iris()
    clf = svm.SVC(gamma="scale").fit(iris.data, iris.target)
    bentoml.sklearn.save_model("iris_clf", clf)
    iris_clf_runner = bentoml.sklearn.get("iris_clf:latest").to_runner()
    svc = bentoml.legacy.Service("iris_classifier", runners=[iris_clf_runner])

    @svc.api(input=NumpyNdarray(), output=NumpyNdarray())
    def classify(input_series: np.ndarray) -> np.ndarray:
        result = iris_clf_runner.predict.run(input_series)
        return result

    iris_clf_runner.init_local(quiet=True)
    context = bentoml.models.ModelContext(framework_name="sklearn", framework_versions={})
    how = {"module": "_bentoml_impl.frameworks.sklearn", "api_version": "v1", "signatures": {"predict": {}}}
    with bentoml.models._create("old_iris", context=context, **how) as stored:
        joblib.dump(clf, stored.path_of("saved_model.pkl"))
    model = bentoml.sklearn.load_model("iris_clf:latest")
    rows = iris.data[::25]
    return {
        "folder": where("iris_clf"),
        "rows": rows,
        "loaded": model.predict(FLOWER),
        "runner": iris_clf_runner.predict.run(FLOWER),
        "classify": svc.apis["classify"].func(rows),
        "plain": clf.predict(rows),
        "privateName": local_runner("old_iris").predict.run(FLOWER),
    }


def demo_mnist():
    trained_model = TrainedModel()
    about = {
        "labels": {"owner": "nlp_team", "stage": "dev"},
        "metadata": {"acc": 0.9, "cv_stats": [0.88, 0.91], "dataset_version": "20210820"},
        "custom_objects": {"tokenizer": str.split},
    }
    answers = {}
    for version, signatures in {
        "classify": {"classify": {"batchable": False}},
        "call": {"__call__": {"batchable": False}},
        "batched": {"__call__": {"batchable": True, "batch_dim": 0}},
    }.items():
        signed = {**signatures, "shapes": {}, "hold": {}} if version == "batched" else signatures
        bentoml.picklable_model.save_model(f"demo_mnist:{version}", TrainedModel(), signatures=signed, **about)
        runner = local_runner(f"demo_mnist:{version}")
        run = runner.classify.run if version == "classify" else runner.run
        answers[version] = run(np.array(MODEL_INPUT))
        if version == "batched":
            rows = [np.array([row]) for row in MODEL_INPUT]
            answers["joined"] = joined(runner, "__call__", [[row] for row in rows])
    return {
        **answers,
        "folder": where("demo_mnist:batched"),
        "plain": [trained_model.classify(MODEL_INPUT), trained_model(MODEL_INPUT)],
    }


# name: (method, batch_dim, the calls' arguments)
BATCHED = {
    "demo0": ("predict", 0, [[[[1, 2], [3, 4]]], [[[5, 6]]]]),
    "demo1": ("predict", 1, [[[[1, 2], [3, 4]]], [[[5], [6]]]]),
    "two_inputs0": ("predict", 0, [[[[1, 2]]], [[[3, 4]]]]),
    "two_inputs1": ("predict", 1, [[[[1], [2]]], [[[3], [4]]]]),
    "in1_out0": ("sums", (1, 0), [[[[1, 2], [3, 4]]], [[[5], [6]]]]),
    "in0_out1": ("columns", (0, 1), [[[[1, 2], [3, 4]]], [[[5, 6]]]]),
    "in0_out0": ("predict", (0, 0), [[[[1, 2], [3, 4]]], [[[5, 6]]]]),
    "two_arguments": ("pair", 1, [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [[[1], [2]], [[3], [4]]]]),
}


def batch_dims():
    answers = {}
    for name, (method, batch_dim, calls) in BATCHED.items():
        signatures = {method: {"batchable": True, "batch_dim": batch_dim}, "received": {}, "hold": {}}
        bentoml.picklable_model.save_model(name, Recorder(), signatures=signatures)
        runner = local_runner(name)
        arrays = [[np.array(value, float) for value in call] for call in calls]
        alone = [getattr(runner, method).run(*call) for call in arrays]
        runner.received.run()
        answers[name] = {
            "folder": where(name),
            "method": method,
            "batchDim": list(batch_dim) if isinstance(batch_dim, tuple) else [batch_dim, batch_dim],
            "calls": calls,
            "alone": alone,
            "joined": joined(runner, method, arrays),
            "received": runner.received.run()["inputs"],
        }
    return answers


def rf_classifier():
    X_train, X_test, y_train, _ = train_test_split(*datasets.load_iris(return_X_y=True), random_state=0)
    clf = RandomForestClassifier(n_estimators=20, random_state=0)
    clf.fit(X_train, y_train)
    bento_model = bentoml.picklable_model.save_model(
        "rf_classifier",
        clf,
        signatures={"predict": ModelSignature(batchable=False)},
        labels={"team": "ml"},
        metadata={"accuracy": 0.95},
    )
    loaded_clf = bentoml.picklable_model.load_model("rf_classifier:latest")
    runner = local_runner(bento_model.tag)
    frame = {"sepal length": [5.9, 5.1], "sepal width": [3, 3.5], "petal length": [5.1, 1.4], "petal width": [1.8, 0.2]}
    import pandas

    return {
        "folder": where("rf_classifier"),
        "rows": X_test,
        "plain": clf.predict(X_test),
        "predictions": loaded_clf.predict(X_test),
        "runner": runner.predict.run(X_test),
        "frame": frame,
        "ofFrame": runner.predict.run(pandas.DataFrame(frame)),
    }


def custom_predictor():
    bentoml.picklable_model.save_model("custom_predictor", MyPredictor())
    bentoml.picklable_model.save_model("counter", Counter(), signatures={"__call__": {"batchable": True}})
    x = np.array([[1.5, -2.0], [0.1, 1e300]])
    context = bentoml.models.ModelContext(framework_name="cloudpickle", framework_versions={})
    for name, module in (("old_name", "bentoml._internal.frameworks.picklable_model"), ("nobodys", "bentoml.nobody")):
        how = {"module": module, "api_version": "v1", "signatures": {"__call__": {}}, "context": context}
        with bentoml.models._create(name, **how) as model, open(model.path_of("saved_model.pkl"), "wb") as file:
            cloudpickle.dump(MyPredictor(), file)
    counter = local_runner("counter")
    return {
        "folder": where("custom_predictor"),
        "counter": {"folder": where("counter"), "runner": [counter.run(x), counter.run(x)]},
        "x": x,
        "plain": MyPredictor()(x),
        "runner": local_runner("custom_predictor").run(x),
        "privateName": local_runner("old_name").run(x),
    }


def partial_kwargs():
    options = PartialKwargsModelOptions(partial_kwargs={"predict": {"scale": 3.0, "shift": 1.0}})
    context = bentoml.models.ModelContext(framework_name="cloudpickle", framework_versions={})
    how = {"module": "bentoml.picklable_model", "api_version": "v1", "context": context, "options": options}
    with bentoml.models._create("scaled", signatures={"predict": {}}, **how) as model:
        with open(model.path_of("saved_model.pkl"), "wb") as file:
            cloudpickle.dump(Scaled(), file)
    runner = local_runner("scaled")
    x = np.array([1.0, 2.5])
    return {"x": x, "runner": runner.predict.run(x), "won": runner.predict.run(x, shift=5.0)}


def external_modules():
    source = os.path.join(project, "src")
    os.makedirs(source)
    with open(os.path.join(source, "tokens.py"), "w") as file:
        file.write(TOKENS)
    sys.path.insert(0, source)
    tokens = importlib.import_module("tokens")
    bentoml.picklable_model.save_model("reader_by_value", tokens.Reader(), external_modules=[tokens])
    bentoml.picklable_model.save_model("reader_by_name", tokens.Reader())
    texts = ["To be or not", "to be"]
    return {"source": source, "texts": texts, "runner": local_runner("reader_by_value").run(texts)}


def boosted():
    """A framework that only BentoML runs."""
    import lightgbm

    x, y = datasets.load_iris(return_X_y=True)
    settings = {"objective": "multiclass", "num_class": 3, "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y), num_boost_round=5)
    bentoml.lightgbm.save_model("boosted", booster, signatures={"predict": {"batchable": True}})
    rows = x[::30]
    return {
        "folder": where("boosted"),
        "rows": rows,
        "plain": booster.predict(rows),
        "runner": local_runner("boosted").predict.run(rows),
    }


cloudpickle.register_pickle_by_value(sys.modules["__main__"])
parts = (iris_clf, demo_mnist, batch_dims, rf_classifier, custom_predictor, partial_kwargs, external_modules, boosted)
tell(plain({part.__name__: part() for part in parts}))
