"""What the real onnx, onnxruntime, numpy and bentoml say, for onnx.test.ts and npy.test.ts.

  onnxPeer.py models FOLDER        writes a family of models and expected.json
  onnxPeer.py load HOME TAG...     opens models of a store with bentoml and runs the add model
  onnxPeer.py save HOME FILE TAG   saves FILE with bentoml
  onnxPeer.py arrays FOLDER        writes .npy files of every type and expected.json
  onnxPeer.py check FOLDER         reads the .npy files in FOLDER
"""
import hashlib
import json
import os
import sys

import numpy as np

os.environ["BENTOML_DO_NOT_TRACK"] = "True"


def plain(value):
    """Values as strict JSON, 64-bit integers as text, floats by their bits' shortest repr."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return {"re": plain(value.real), "im": plain(value.imag)}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


def family():
    """Name, model, and feeds to run it with (or None)."""
    from onnx import TensorProto as T, helper as h, numpy_helper as nh

    def value(name, kind, shape):
        return h.make_tensor_value_info(name, kind, shape)

    def model(name, nodes, inputs, outputs, initializers=(), opsets=(("", 17),), **more):
        graph = h.make_graph(nodes, name, inputs, outputs, list(initializers), sparse_initializer=more.pop("sparse", []))
        made = h.make_model(graph, opset_imports=[h.make_opsetid(*o) for o in opsets], producer_name="peer", **more)
        made.ir_version = more.get("ir_version", 9)
        return made

    x = value("x", T.FLOAT, ["batch", 3])
    y = value("y", T.FLOAT, ["batch", 3])
    w = nh.from_array(np.array([1, 2, 3], np.float32), "w")
    feed = {"x": np.array([[1, 2, 3], [4, 5, 6]], np.float32)}
    add = model("add", [h.make_node("Add", ["x", "w"], ["y"])], [x], [y], [w], producer_version="2", doc_string="d: é\n")
    add.graph.input[0].doc_string = "the input"
    h.set_model_props(add, {"k": "v", "é": "☃"})
    yield "add", add, feed
    old = model("old", [h.make_node("Add", ["x", "w"], ["y"])], [x, value("w", T.FLOAT, [3])], [y], [w], ir_version=3)
    yield "old", old, feed
    branches = [h.make_graph([h.make_node(op, ["x", "w"], ["b"])], op, [], [value("b", T.FLOAT, None)]) for op in ("Add", "Mul")]
    choose = h.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    yield "branches", model("if", [choose], [value("c", T.BOOL, []), x], [y], [w]), {**feed, "c": np.array(True)}
    twice = h.make_function("local", "Twice", ["a"], ["b"], [h.make_node("Add", ["a", "a"], ["b"])], [h.make_opsetid("", 17)])
    calls = [h.make_node("Twice", ["x"], ["y"], domain="local")]
    yield "function", model("f", calls, [x], [y], opsets=(("", 17), ("local", 1)), functions=[twice]), feed
    identity = [T.FLOAT, T.DOUBLE, T.FLOAT16, T.INT8, T.INT16, T.INT32, T.INT64, T.UINT8, T.UINT16, T.UINT32, T.UINT64, T.BOOL, T.STRING]
    nodes = [h.make_node("Identity", [f"i{k}"], [f"o{k}"]) for k in identity]
    feeds = {}
    for k in identity:
        dtype = h.tensor_dtype_to_np_dtype(k)
        if k == T.STRING:
            feeds[f"i{k}"] = np.array(["", "ü😀"], object)
        elif np.issubdtype(dtype, np.integer):
            feeds[f"i{k}"] = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
        else:
            feeds[f"i{k}"] = np.array([1, 0], dtype) if k == T.BOOL else np.array([-1.5, np.inf], dtype)
    kinds = model("kinds", nodes, [value(f"i{k}", k, ["n"]) for k in identity], [value(f"o{k}", k, ["n"]) for k in identity])
    yield "kinds", kinds, feeds
    made = h.make_node("SequenceConstruct", ["x"], ["s"])
    sequence = h.make_tensor_sequence_value_info("s", T.FLOAT, None)
    yield "sequence", model("s", [made, h.make_node("Relu", ["x"], ["y"])], [x], [sequence, y]), feed
    yield "zipmap", zipmap(), {"X": np.array([[5.9, 3, 5.1, 1.8]], np.float32)}
    tensors = []
    for k in [T.FLOAT, T.DOUBLE, T.FLOAT16, T.BFLOAT16, T.INT8, T.INT16, T.INT32, T.INT64, T.UINT8, T.UINT16, T.UINT32, T.UINT64,
              T.BOOL, T.COMPLEX64, T.COMPLEX128, T.FLOAT8E4M3FN, T.FLOAT8E4M3FNUZ, T.FLOAT8E5M2, T.FLOAT8E5M2FNUZ, T.INT4, T.UINT4,
              T.FLOAT4E2M1, T.FLOAT6E2M3, T.FLOAT6E3M2]:
        values = np.array([0, 1, -2, 3, 1] if k not in (T.BOOL, T.UINT4) else [0, 1, 1, 0, 1]).astype(h.tensor_dtype_to_np_dtype(k))
        tensors.append(nh.from_array(values.reshape(5, 1), f"raw{k}"))
        tensors.append(h.make_tensor(f"typed{k}", k, [1, 5], values.tolist()))
    tensors.append(h.make_tensor("text", T.STRING, [2], ["a", "ü"]))
    tensors.append(h.make_tensor("empty", T.FLOAT, [0, 3], []))
    yield "weights", model("w", [h.make_node("Relu", ["x"], ["y"])], [x], [y], tensors, opsets=(("", 23),)), None


def zipmap():
    """A classifier as skl2onnx exports it by default: its probabilities are a sequence of maps."""
    from skl2onnx import to_onnx
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    iris = load_iris()
    return to_onnx(LogisticRegression(max_iter=500).fit(iris.data, iris.target), iris.data[:1].astype(np.float32))


def facts(made):
    """The header as the onnx package sees it."""
    from google.protobuf.json_format import MessageToDict
    from onnx import TensorProto, numpy_helper

    initial = {t.name for t in made.graph.initializer}
    tensors = {}
    for t in made.graph.initializer:
        sha = None
        if t.data_type != TensorProto.STRING:
            stored = t.raw_data if t.HasField("raw_data") else numpy_helper.from_array(numpy_helper.to_array(t)).raw_data
            sha = hashlib.sha256(stored).hexdigest()
        tensors[t.name] = [TensorProto.DataType.Name(t.data_type), list(t.dims), sha]
    ops = {}

    def walk(nodes):
        for n in nodes:
            key = n.op_type if n.domain in ("", "ai.onnx") else f"{n.domain}.{n.op_type}"
            ops[key] = ops.get(key, 0) + 1
            for a in n.attribute:
                for g in [a.g, *a.graphs]:
                    walk(g.node)

    walk(made.graph.node)
    for f in made.functions:
        walk(f.node)
    return {
        "irVersion": made.ir_version,
        "producer": f"{made.producer_name} {made.producer_version}".strip(),
        "opsets": {o.domain: o.version for o in made.opset_import},
        "ops": ops,
        "inputs": [i.name for i in made.graph.input if i.name not in initial],
        "outputs": [o.name for o in made.graph.output],
        "metadata": {p.key: p.value for p in made.metadata_props},
        "tensors": tensors,
        "inputSpecs": [MessageToDict(i) for i in made.graph.input],
        "outputSpecs": [MessageToDict(o) for o in made.graph.output],
    }


def models(folder):
    import onnx
    import onnxruntime
    from onnx import numpy_helper

    expected = {}
    for name, made, feeds in family():
        path = os.path.join(folder, f"{name}.onnx")
        onnx.save(made, path)
        entry = {"facts": facts(made)}
        if feeds is not None:
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            wanted = [o.name for o in session.get_outputs() if o.type.startswith("tensor")]
            entry["outputs"] = {n: plain(v.tolist()) for n, v in zip(wanted, session.run(wanted, feeds))}
            entry["feeds"] = {}
            for key, array in feeds.items():
                file = os.path.join(folder, f"{name}.{key}.pb")
                with open(file, "wb") as out:
                    out.write(numpy_helper.from_array(array, key).SerializeToString())
                entry["feeds"][key] = file
        expected[name] = entry
    external = os.path.join(folder, "external")
    os.makedirs(external)
    made = next(m for n, m, _ in family() if n == "add")
    onnx.save(made, os.path.join(external, "net.onnx"), save_as_external_data=True, location="w.bin", size_threshold=0)
    return expected


def load(home, tags):
    os.environ["BENTOML_HOME"] = home
    import bentoml

    answers = []
    for tag in tags:
        model = bentoml.onnx.get(tag)
        session = bentoml.onnx.load_model(tag)
        feed = {i.name: np.array([[1, 2, 3]], np.float32) for i in session.get_inputs()}
        answers.append({"tag": str(model.tag), "outputs": [o.tolist() for o in session.run(None, feed)]})
    return answers


def save(home, file, tag):
    os.environ["BENTOML_HOME"] = home
    import bentoml
    import onnx

    signatures = {"run": {"batchable": True, "batch_dim": 0}}
    saved = bentoml.onnx.save_model(tag, onnx.load(file), signatures=signatures, labels={"a": "b"}, metadata={"k": 1})
    with open(saved.path_of("model.yaml")) as text:
        return text.read()


ARRAY_TYPES = ["?", "b", "B", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8", ">u8", "<f2", ">f2", "<f4", ">f4",
               "<f8", ">f8", "<c8", ">c8", "<c16", ">c16", "<U3", ">U3"]


def arrays(folder):
    expected = []
    random = np.random.default_rng(1)
    for i, kind in enumerate(ARRAY_TYPES):
        for k, shape in enumerate([(), (3,), (2, 3), (2, 1, 4), (0, 2)]):
            size = int(np.prod(shape))
            flat = [f"é{n}😀"[: n % 4] for n in range(size)] if "U" in kind else random.integers(0, 100, size)
            array = np.array(flat, dtype=kind).reshape(shape)
            if k % 2 == 0:
                array = np.asfortranarray(array) if array.ndim > 1 else array
            file = os.path.join(folder, f"{i}-{k}.npy")
            np.save(file, array)
            little = array.astype(array.dtype.newbyteorder("<"))
            expected.append({"file": file, "dtype": kind, "values": plain(little.tolist()), "shape": list(shape)})
    return expected


def check(folder):
    return {f: plain(np.load(os.path.join(folder, f)).tolist()) for f in sorted(os.listdir(folder))}


commands = {"models": models, "arrays": arrays, "check": check, "save": save, "load": lambda home, *tags: load(home, tags)}
print("@@" + json.dumps(commands[sys.argv[1]](*sys.argv[2:])))
