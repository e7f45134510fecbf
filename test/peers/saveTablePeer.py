"""Writes model files as their frameworks do and saves the same models with the real BentoML; then reads what Modelbench
saved from those files with each framework's own `get` and `load_model`.

  saveTablePeer.py write FOLDER HOME     files below FOLDER, models in the store HOME
  saveTablePeer.py read HOME TAG...      prints what each model is
"""

import json
import os
import sys
import types

folder = sys.argv[2]
os.environ["BENTOML_HOME"] = sys.argv[3] if sys.argv[1] == "write" else folder

# bentoml.flax imports tensorflow, only to keep it off the GPUs.
tensorflow = types.ModuleType("tensorflow")
tensorflow.config = types.SimpleNamespace(experimental=types.SimpleNamespace(set_visible_devices=lambda *_: None))
sys.modules["tensorflow"] = tensorflow

import bentoml  # noqa: E402
import cloudpickle  # noqa: E402
import jax  # noqa: E402
import joblib  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from flax import linen as nn, serialization  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(x)


def make_onnx():
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 3])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 3])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "neg", [x], [y])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)


def write():
    path = lambda *parts: os.path.join(folder, *parts)  # noqa: E731
    os.makedirs(path("flax"))
    os.makedirs(os.path.join(os.environ["BENTOML_HOME"], "models"))
    classifier = LogisticRegression().fit(np.eye(3), [0, 1, 2])
    joblib.dump(classifier, path("iris.joblib"))
    joblib.dump(classifier, path("iris_small.pkl"), compress=3)
    joblib.dump({"a": np.arange(3)}, path("arrays.joblib"))
    bentoml.sklearn.save_model("sklearn_model", classifier)
    cloudpickle.register_pickle_by_value(sys.modules["__main__"])
    with open(path("lookup.pkl"), "wb") as file:
        cloudpickle.dump({"a": 1}, file)
    bentoml.picklable_model.save_model("pickled", {"a": 1})
    net = Net()
    state = net.init(jax.random.PRNGKey(0), np.ones((1, 3), np.float32))
    with open(path("flax", "net.msgpack"), "wb") as file:
        file.write(serialization.to_bytes(state))
    with open(path("flax", "custom_objects.pkl"), "wb") as file:
        cloudpickle.dump({"_module": net}, file)
    with open(path("alone.msgpack"), "wb") as file:
        file.write(serialization.to_bytes(state))
    bentoml.flax.save_model("flax_model", net, state)
    onnx.save(make_onnx(), path("neg.onnx"))
    bentoml.onnx.save_model("onnx_model", make_onnx())
    return None


def read(tag):
    module = bentoml.models.get(tag).info.module
    if module == "":
        return {"module": module, "tag": str(bentoml.models.get(tag).tag)}
    framework = {
        "bentoml.sklearn": bentoml.sklearn,
        "bentoml.picklable_model": bentoml.picklable_model,
        "bentoml.flax": bentoml.flax,
        "bentoml.onnx": bentoml.onnx,
    }[module]
    model = framework.get(tag)
    loaded = framework.load_model(tag)
    if module == "bentoml.flax":
        net, state = loaded
        loaded = f"{type(net).__name__} {net.apply(state, np.ones((1, 3), np.float32)).shape}"
    elif module == "bentoml.sklearn":
        loaded = loaded.predict(np.eye(3)).tolist() if hasattr(loaded, "predict") else sorted(loaded)
    elif module == "bentoml.onnx":
        loaded = [node.name for node in loaded.get_inputs()]
    return {"module": module, "tag": str(model.tag), "loaded": loaded}


answer = write() if sys.argv[1] == "write" else [read(tag) for tag in sys.argv[3:]]
print("@@" + json.dumps(answer))
