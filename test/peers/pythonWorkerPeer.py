"""Saves models with the real BentoML, runs them with the plain libraries and prints both.

  pythonWorkerPeer.py HOME GROUP...    models of these groups in the store HOME, one case a call:
      {name, folder, adapter, options?, init?, method, args: [{name, value}], expected: [{name, value}], loose?}

A value is {tensor: {dtype, shape, data}} with base64 of its bytes (texts: a list), or {list | object: JSON}. `loose` are
the tensors of a second way to call the library whose rounding may differ.
"""

import base64
import json
import os
import sys
import types

home = sys.argv[1]
os.makedirs(os.path.join(home, "models"), exist_ok=True)
os.environ["BENTOML_HOME"] = home

# bentoml.flax imports tensorflow, only to keep it off the GPUs.
tensorflow = types.ModuleType("tensorflow")
tensorflow.config = types.SimpleNamespace(experimental=types.SimpleNamespace(set_visible_devices=lambda *_: None))
sys.modules["tensorflow"] = tensorflow

import bentoml  # noqa: E402
import cloudpickle  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import optax  # noqa: E402
import safetensors.numpy  # noqa: E402
from flax import linen as nn, nnx, serialization  # noqa: E402
from flax.core import freeze  # noqa: E402
from flax.training import train_state  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

cloudpickle.register_pickle_by_value(sys.modules["__main__"])
cases = []


def wire(value):
    if isinstance(value, (list, tuple)):
        return {"list": list(value)}
    if not hasattr(value, "__array__"):
        return {"object": value}
    array = np.asarray(value)
    is_text = array.dtype.kind in "UO"
    data = array.ravel().tolist() if is_text else base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"tensor": {"dtype": "string" if is_text else array.dtype.name, "shape": array.shape, "data": data}}


def named(values):
    return [{"name": name, "value": wire(value)} for name, value in values.items()]


def case(name, model, adapter, method, args, expected, **more):
    expected = expected if isinstance(expected, dict) else {"output": expected}
    more = {key: named(value) if key == "loose" else value for key, value in more.items()}
    row = {"name": name, "folder": bentoml.models.get(model.tag).path, "adapter": adapter, "method": method}
    cases.append({**row, "args": named(args), "expected": named(expected), **more})


def double(x):
    return x * 2


class MyPredictor:
    def predict(self, x, scale=1.0, shift=0.0):
        return {"scaled": x * scale + shift, "mean": x.mean(axis=0)}

    def classify(self, texts, threshold=0.5):
        return [{"label": text.upper(), "sure": len(text) > threshold} for text in texts]


def picklable():
    x = np.array([[1.5, -2.0], [3.25, np.nan]])
    save = bentoml.picklable_model.save_model
    function = save("double", double, signatures={"__call__": {"batchable": True}})
    case("a picklable function", function, "picklable", "__call__", {"0": x}, double(x))
    predictor = save("predictor", MyPredictor(), signatures={"predict": {}, "classify": {}})
    model = MyPredictor()
    options = {"partial_kwargs": {"predict": {"scale": 3.0, "shift": 1.0}, "classify": {"threshold": 3}}}
    case("a class", predictor, "picklable", "predict", {"x": x}, model.predict(x))
    case("partial kwargs", predictor, "picklable", "predict", {"0": x}, model.predict(x, 3.0, 1.0), options=options)
    won = {"0": x, "shift": 5.0}
    case("a call over partial kwargs", predictor, "picklable", "predict", won, model.predict(x, 3.0, 5.0), options=options)
    texts = {"0": ["cat", "horse"]}
    case("classify", predictor, "picklable", "classify", texts, model.classify(["cat", "horse"], 3), options=options)
    case("the fallback, classify", predictor, "bentoml", "classify", texts, model.classify(["cat", "horse"]))


def scikit():
    iris = load_iris()
    x, rows = iris.data, iris.data[::7]
    forest = RandomForestClassifier(n_estimators=20, random_state=0).fit(x, iris.target)
    logistic = LogisticRegression(max_iter=500).fit(x, iris.target_names[iris.target])
    signatures = {"predict": {"batchable": True}, "predict_proba": {"batchable": True}}
    for name, estimator in (("RandomForest", forest), ("LogisticRegression", logistic)):
        model = bentoml.sklearn.save_model(name.lower(), estimator, signatures=signatures)
        for adapter in ("sklearn", "bentoml"):
            case(f"{name} predict, {adapter}", model, adapter, "predict", {"0": rows}, estimator.predict(rows))
        case(f"{name} predict_proba", model, "sklearn", "predict_proba", {"X": rows}, estimator.predict_proba(rows))
        one = [[5.9, 3, 5.1, 1.8]]
        case(f"{name} of a list", model, "sklearn", "predict", {"0": one}, estimator.predict(one))
    both = RandomForestClassifier(n_estimators=3, random_state=0).fit(x, np.stack([iris.target, iris.target % 2], 1))
    model = bentoml.sklearn.save_model("two_outputs", both, signatures=signatures)
    expected = {str(at): one for at, one in enumerate(both.predict_proba(rows))}
    case("a list of arrays", model, "sklearn", "predict_proba", {"0": rows}, expected)
    model = bentoml.picklable_model.save_model("rf_classifier", forest, signatures=signatures)
    case("a pickled RandomForest", model, "picklable", "predict", {"0": rows}, forest.predict(rows))


class MLP(nn.Module):
    width: int = 16

    def setup(self):
        self.hidden = nn.Dense(self.width)
        self.last = nn.Dense(3)

    def __call__(self, x):
        print(f"traced {x.shape}")
        return self.last(nn.relu(self.hidden(x)))

    def features(self, x, scale=1.0, squash=True):
        return {"features": nn.tanh(self.hidden(x) * scale) if squash else self.hidden(x) * scale}


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.avg_pool(nn.relu(nn.Conv(8, (3, 3))(x)), (2, 2), (2, 2))
        x = nn.avg_pool(nn.relu(nn.Conv(16, (3, 3))(x)), (2, 2), (2, 2))
        return nn.Dense(10)(nn.relu(nn.Dense(32)(x.reshape((x.shape[0], -1)))))


class Normed(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(8)(x))
        return nn.log_softmax(nn.Dense(3)(x)), x.astype("bfloat16")


class Chooser(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(x) if x.sum() > 0 else nn.Dense(2)(-x)


class Dicts(nn.Module):
    @nn.compact
    def __call__(self, batch, mode):
        found = nn.Embed(10, 3)(batch["ids"]["words"]) * batch["mask"][..., None]
        return {"scores": nn.Dense(2)(found.sum(1)) * batch["scale"], "mode": batch[mode[0]], "all": found}


class Shifted(nn.Module):
    @nn.compact
    def __call__(self, batch):
        bias = self.param("bias", nn.initializers.ones, (2,))
        return {name: value + bias for name, value in batch.items()}


class NormedState(train_state.TrainState):
    batch_stats: dict


def flax_case(name, model, net, variables, args, method="__call__", bound=None, **more):
    apply = lambda v, a: net.apply(v, method=lambda m: getattr(m, method)(*a, **(bound or {})))  # noqa: E731
    as_named = lambda found: found if isinstance(found, dict) else (  # noqa: E731
        {str(at): one for at, one in enumerate(found)} if isinstance(found, tuple) else {"output": found}
    )
    jitted = as_named(jax.jit(apply)(variables, args))
    given = {str(at): value for at, value in enumerate(args)}
    case(name, model, "flax", method, given, jitted, loose=as_named(apply(variables, args)), **more)


def trained(net, x):
    """Variables that a few steps of training have moved away from their first values."""
    variables = net.init(jax.random.PRNGKey(0), x)
    for _ in range(3):
        _, changed = net.apply(variables, x, train=True, mutable=["batch_stats"])
        variables = {"params": jax.tree_util.tree_map(lambda leaf: leaf * 1.1, variables["params"]), **changed}
    return variables


def flax():
    save = bentoml.flax.save_model
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    images = np.random.default_rng(1).normal(size=(2, 28, 28, 1)).astype(np.float32)
    cnn = CNN()
    variables = cnn.init(jax.random.PRNGKey(0), images)
    model = save("mnist", cnn, variables)
    for init in (True, False):
        flax_case(f"a CNN, init {str(init).lower()}", model, cnn, variables, [images], init=init)
    mlp = MLP()
    variables = mlp.init(jax.random.PRNGKey(1), x)
    model = save("mlp", mlp, freeze(variables), signatures={"__call__": {}, "features": {}})
    flax_case("a FrozenDict", model, mlp, variables, [x])
    flax_case("float64 for float32", model, mlp, variables, [x.astype(np.float64)])
    bound = {"scale": 2.0, "squash": False}
    options = {"partial_kwargs": {"features": bound}}
    flax_case("partial kwargs of Flax", model, mlp, variables, [x], "features", bound, options=options)
    net = Normed()
    variables = trained(net, x)
    flax_case("BatchNorm", save("normed", net, variables), net, variables, [x])
    make = {"apply_fn": net.apply, "params": variables["params"], "tx": optax.adam(1e-3)}
    state = NormedState.create(batch_stats=variables["batch_stats"], **make)
    flax_case("a TrainState", save("state", net, state), net, variables, [x])
    state = train_state.TrainState.create(**{**make, "params": variables})
    flax_case("a TrainState with all variables", save("whole_state", net, state), net, variables, [x])
    chooser = Chooser()
    variables = chooser.init(jax.random.PRNGKey(2), x)
    expected = chooser.apply(variables, x)
    batch = {"ids": {"words": [[1, 2], [3, 4]]}, "mask": [[True, False], [True, True]], "rates": [1, 0.5], "scale": 3}
    arrays = {**batch, "ids": {"words": np.array([[1, 2], [3, 4]])}, "mask": np.array(batch["mask"])}
    arrays["rates"] = np.array(batch["rates"], np.float32)
    dicts = Dicts()
    state = dicts.init(jax.random.PRNGKey(3), arrays, ["rates"])
    found = dicts.apply(state, arrays, ["rates"])
    given = {"batch": batch, "mode": ["rates"]}
    case("a module of dicts", save("dicts", dicts, state), "flax", "__call__", given, found)
    batch = {"n": 3, "a": [1.0, 2.0]}
    arrays = {"n": 3, "a": np.array(batch["a"], np.float32)}
    shifted = Shifted()
    state = shifted.init(jax.random.PRNGKey(4), arrays)
    found = shifted.apply(state, arrays)
    saved = save("shifted", shifted, state)
    case("a module that answers in the order of a dict", saved, "flax", "__call__", {"batch": batch}, found)
    case("a module that looks at values", save("chooser", chooser, variables), "flax", "__call__", {"0": x}, expected)


class NnxCNN(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(1, 4, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.last = nnx.List([nnx.Linear(4, 8, rngs=rngs), nnx.Linear(8, 3, rngs=rngs)])

    def __call__(self, x):
        x = self.drop(nnx.relu(self.norm(self.conv(x)))).mean((1, 2))
        for layer in self.last:
            x = layer(x)
        return x


def nnx_models():
    x = np.random.default_rng(2).normal(size=(3, 8, 8, 1)).astype(np.float32)
    net = NnxCNN(nnx.Rngs(0))
    net(x)
    weights = nnx.to_pure_dict(nnx.state(net, (nnx.Param, nnx.BatchStat)))
    weights["last"] = {str(at): layer for at, layer in weights["last"].items()}
    flat = {".".join(path): np.asarray(leaf) for path, leaf in nnx.traversals.flatten_mapping(weights).items()}
    net.eval()
    expected, loose = nnx.jit(lambda net, x: net(x))(net, x), net(x)
    for name, module in (("msgpack", NnxCNN(nnx.Rngs(1))), ("safetensors", NnxCNN), ("pieces", NnxCNN), ("random", NnxCNN)):
        context = bentoml.models.ModelContext(framework_name="flax", framework_versions={})
        how = {"module": "bentoml.flax", "api_version": "v1", "signatures": {"__call__": {}}, "context": context}
        with bentoml.models._create(f"nnx_{name}", custom_objects={"_module": module}, **how) as model:
            if name == "msgpack":
                with open(model.path_of("saved_model.msgpack"), "wb") as file:
                    file.write(serialization.to_bytes(weights))
            else:
                kept = {key: leaf for key, leaf in flat.items() if name != "pieces" or key != "last.1.bias"}
                if name == "random":
                    kept["drop.rngs.count"] = np.zeros((), np.uint32)
                safetensors.numpy.save_file(kept, model.path_of("saved_model.safetensors"))
        case(f"an NNX CNN in {name}", model, "flax", "__call__", {"0": x}, expected, loose={"output": loose})


def onnx_model():
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 3])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 3])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "neg", [x], [y])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    rows = np.array([[1, -2, 3]], np.float32)
    case("the fallback, onnx", bentoml.onnx.save_model("neg", made), "bentoml", "run", {"0": rows}, -rows)


groups = {"picklable": picklable, "scikit": scikit, "flax": flax, "nnx": nnx_models, "onnx": onnx_model}
for group in sys.argv[2:]:
    groups[group]()
print("@@" + json.dumps(cases))
