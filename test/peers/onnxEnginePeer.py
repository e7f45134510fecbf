"""Makes ONNX models as users do and says what the plain onnxruntime and bentoml give for them: HOME FOLDER, JSON out.

files: by name `{file, inputs, outputs}`; saved: by tag the same of models of bentoml.onnx. A tensor is
`{dtype, shape, data}` with exact values, what is no tensor its JSON.
"""

import json
import os
import sys

home, folder = sys.argv[1:]
os.environ["BENTOML_HOME"] = home
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml  # noqa: E402  (the store's place is read when it is imported)
import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime as ort  # noqa: E402
from onnx import TensorProto as T  # noqa: E402
from onnx import helper as h  # noqa: E402
from skl2onnx import to_onnx  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

ort.set_default_logger_severity(4)
FLOWERS = [[5.9, 3.0, 5.1, 1.8], [5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 4.9, 1.5]]


def model(nodes, inputs, outputs, initializers=()):
    graph = h.make_graph(nodes, "g", inputs, outputs, list(initializers))
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 21)], ir_version=10)


def value(name, kind, shape):
    return h.make_tensor_value_info(name, kind, shape)


def linear():
    rng = np.random.default_rng(7)
    weights = onnx.numpy_helper.from_array(rng.normal(size=(4, 3)).astype(np.float32), "w")
    nodes = [h.make_node("MatMul", ["x", "w"], ["z"]), h.make_node("Sigmoid", ["z"], ["y"])]
    outputs = [value("z", T.FLOAT, ["N", 3]), value("y", T.FLOAT, ["N", 3])]
    return model(nodes, [value("x", T.FLOAT, ["N", 4])], outputs, [weights])


def same(kind, shape=("N", 3)):
    """A model of one Identity: what goes in comes out."""
    return model([h.make_node("Identity", ["x"], ["y"])], [value("x", kind, shape)], [value("y", kind, shape)])


def quantized():
    """Floats to 4-bit integers, and 4-bit integers to floats."""
    half, zero = onnx.numpy_helper.from_array(np.float32(0.5), "s"), h.make_tensor("z", T.INT4, [], [0])
    nodes = [h.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]), h.make_node("DequantizeLinear", ["c", "s"], ["y"])]
    inputs = [value("x", T.FLOAT, ["N", 3]), value("c", T.INT4, ["M", 5])]
    return model(nodes, inputs, [value("q", T.INT4, ["N", 3]), value("y", T.FLOAT, ["M", 5])], [half, zero])


def mixed():
    """Outputs that numpy has a type for, one that it has none for, and sequences, in this order."""
    nodes = [
        h.make_node("SplitToSequence", ["x"], ["rows"], axis=0, keepdims=1),
        h.make_node("Cast", ["x"], ["half"], to=T.BFLOAT16),
        h.make_node("Neg", ["x"], ["less"]),
        h.make_node("Optional", ["x"], ["maybe"]),
        h.make_node("Optional", [], ["never"], type=h.make_tensor_type_proto(T.FLOAT, ["N", 3])),
    ]
    optional = h.make_optional_type_proto(h.make_tensor_type_proto(T.FLOAT, ["N", 3]))
    outputs = [
        h.make_tensor_sequence_value_info("rows", T.FLOAT, None),
        value("half", T.BFLOAT16, ["N", 3]),
        value("less", T.FLOAT, ["N", 3]),
        h.make_value_info("maybe", optional),
        h.make_value_info("never", optional),
    ]
    return model(nodes, [value("x", T.FLOAT, ["N", 3])], outputs)


def numbers():
    """Inputs whose names are numbers, in another order, and outputs of the same kind."""
    nodes = [h.make_node("Sub", ["1", "0"], ["10"]), h.make_node("Add", ["1", "0"], ["2"])]
    inputs = [value("1", T.FLOAT, ["N"]), value("0", T.FLOAT, ["N"])]
    return model(nodes, inputs, [value("10", T.FLOAT, ["N"]), value("2", T.FLOAT, ["N"])])


def slow():
    """Adds 1 so often as it is told, which nothing can be done in advance of."""
    one = onnx.numpy_helper.from_array(np.float32(1), "one")
    shape = [2000]
    body = h.make_graph(
        [h.make_node("Identity", ["go"], ["on"]), h.make_node("Add", ["before", "one"], ["after"])],
        "body",
        [value("i", T.INT64, []), value("go", T.BOOL, []), value("before", T.FLOAT, shape)],
        [value("on", T.BOOL, []), value("after", T.FLOAT, shape)],
    )
    yes = h.make_tensor("yes", T.BOOL, [], [True])
    node = h.make_node("Loop", ["n", "yes", "x"], ["y"], body=body)
    inputs = [value("n", T.INT64, []), value("x", T.FLOAT, shape)]
    return model([node], inputs, [value("y", T.FLOAT, shape)], [one, yes])


def classifier(**options):
    iris = load_iris()
    fitted = LogisticRegression(max_iter=300).fit(iris.data.astype(np.float32), iris.target)
    return to_onnx(fitted, np.array(FLOWERS, np.float32)[:1], options={id(fitted): options})


def plain(found):
    if isinstance(found, np.ndarray):
        kind = "string" if found.dtype.kind in "OU" else found.dtype.name
        return {"dtype": kind, "shape": list(found.shape), "data": found.tolist()}
    if isinstance(found, list):
        return [plain(each)["data"] if isinstance(each, np.ndarray) else plain(each) for each in found]
    return {str(key): each for key, each in found.items()} if isinstance(found, dict) else found


def answers(file, inputs):
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    kinds = {one.name: object if one.type == "tensor(string)" else np.float32 for one in session.get_inputs()}
    found = session.run(None, {name: np.array(given, kinds[name]) for name, given in inputs.items()})
    return {output.name: plain(each) for output, each in zip(session.get_outputs(), found)}


def case(name, proto, inputs=None, **saving):
    file = os.path.join(folder, f"{name}.onnx")
    onnx.save_model(proto, file, **saving)
    return {"file": file, "inputs": inputs, "outputs": inputs and answers(file, inputs)}


def save(name, proto, inputs, **more):
    saved = bentoml.onnx.save_model(name, proto, **more)
    path = os.path.join(str(bentoml.models.get(saved.tag).path), "saved_model.onnx")
    return {"inputs": inputs, "outputs": answers(path, inputs)}


def small(name, values):
    array = np.array(values, np.float32).astype(getattr(ml_dtypes, name))
    return {"values": values, "codes": list(array.tobytes()), "expected": array.astype(np.float32).tolist()}


def main():
    os.makedirs(os.path.join(home, "models"))
    external = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    odd = [[0.1, -1.5, 3.14159], [448.0, 0.0, -0.0078125]]
    small_types = (("bfloat16", T.BFLOAT16), ("float8_e4m3fn", T.FLOAT8E4M3FN), ("float8_e5m2", T.FLOAT8E5M2))
    files = {
        "linear": case("linear", linear(), {"x": FLOWERS}),
        "external": case("external", linear(), {"x": FLOWERS}, **external),
        "text": case("text", same(T.STRING), {"x": [["a", "", "ü\0b\0"], ["日", "b", "c"]]}),
        "numbers": case("numbers", numbers(), {"0": [1.5, 2.0], "1": [10.0, 20.0]}),
        "zipmap": case("zipmap", classifier(), {"X": FLOWERS}),
        "quantized": case("quantized", quantized()),
        "mixed": case("mixed", mixed()),
        "slow": case("slow", slow()),
        **{name: {**case(name, same(kind)), **small(name, odd)} for name, kind in small_types},
    }
    batchable = {"run": {"batchable": True, "batch_dim": 0}}
    saved = {
        "flowers": save("flowers", classifier(), {"X": FLOWERS}, signatures=batchable),
        "linear": save("linear", linear(), {"x": FLOWERS}, signatures=batchable),
    }
    return {"files": files, "saved": saved}


print("@@" + json.dumps(main()))
