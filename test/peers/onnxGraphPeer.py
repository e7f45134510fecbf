"""What the real onnx package says about graphs, for onnxGraph.test.ts and onnxMutants.test.ts.

  onnxGraphPeer.py graphs FOLDER SEED COUNT   writes random models and answers with their tables
  onnxGraphPeer.py judge FILE                 reads every model of FILE (u32 length, bytes, ...) and says what is in it
"""
import json
import os
import random
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnxPlain import plain, seen, text

STANDARD = ("", "ai.onnx")


def op_of(node):
    op, domain = text(node.op_type), text(node.domain)
    return op if domain in STANDARD else f"{domain}.{op}"


def type_of(value):
    """type, dtype number and shape of a ValueInfoProto."""
    kind = value.type.WhichOneof("value")
    if kind in ("sequence_type", "map_type", "optional_type"):
        return [kind[:-5], None, None]
    if kind not in ("tensor_type", "sparse_tensor_type"):
        return ["tensor", None, None]
    tensor = getattr(value.type, kind)
    dims = None
    if tensor.HasField("shape"):
        dims = [d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else d.dim_param or None for d in tensor.shape.dim]
    return ["tensor", tensor.elem_type, dims]


ATTRIBUTE_FIELDS = {"FLOAT": "f", "INT": "i", "STRING": "s", "FLOATS": "floats", "INTS": "ints", "STRINGS": "strings"}


def attribute(a):
    kind = onnx.AttributeProto.AttributeType.Name(a.type)
    field = ATTRIBUTE_FIELDS.get(kind)
    values = [] if field is None else getattr(a, field)
    values = list(values) if kind.endswith("S") else [values]
    values = [] if field is None or a.ref_attr_name else values
    tensors = ([a.t] if a.HasField("t") else []) if kind == "TENSOR" else list(a.tensors) if kind == "TENSORS" else []
    return {
        "name": a.name, "type": kind, "values": plain(values[:16]), "refersTo": a.ref_attr_name,
        "docString": a.doc_string,
        "tensors": [[t.name, t.data_type, list(t.dims), seen(numpy_helper.to_array(t))] for t in tensors],
    }


def tables(model):
    """Every graph with its nodes and values, the main one first, subgraphs before what follows their node."""
    graphs = []

    def add(kind, proto, owner, values):
        me = len(graphs)
        entry = {"kind": kind, "name": proto.name, "domain": getattr(proto, "domain", "") if kind == "function" else "",
                 "docString": proto.doc_string, "owner": owner, "values": values, "nodes": []}
        graphs.append(entry)
        for index, node in enumerate(proto.node):
            subgraphs = []
            row = {"name": node.name, "op": op_of(node), "inputs": list(node.input), "outputs": list(node.output),
                   "docString": node.doc_string, "subgraphs": subgraphs,
                   "metadata": [[p.key, p.value] for p in node.metadata_props],
                   "call": [node.domain if node.domain != "ai.onnx" else "", node.op_type, node.overload],
                   "attributes": [attribute(a) for a in node.attribute]}
            entry["nodes"].append(row)
            for a in node.attribute:
                for g in ([a.g] if a.HasField("g") else []) + list(a.graphs):
                    subgraphs.append([a.name, len(graphs)])
                    add("subgraph", g, [me, index, a.name], graph_values(g))

    add("main", model.graph, None, graph_values(model.graph))
    keys = {}
    for f in model.functions:
        values = [["functionInput", n, "tensor", None, None] for n in f.input]
        values += [["functionOutput", n, "tensor", None, None] for n in f.output]
        values += [["value", v.name, *type_of(v)] for v in f.value_info]
        keys[(f.domain if f.domain != "ai.onnx" else "", f.name, f.overload)] = len(graphs)
        add("function", f, None, values)
    for entry in graphs:
        for row in entry["nodes"]:
            row["function"] = keys.get(tuple(row.pop("call")))
    return graphs


def graph_values(g):
    values = [["initializer", t.name, "tensor", t.data_type, list(t.dims)] for t in g.initializer]
    for kind, rows in (("input", g.input), ("output", g.output), ("value", g.value_info)):
        values += [[kind, v.name, *type_of(v)] for v in rows]
    values += [["sparse", s.values.name, "tensor", s.values.data_type, list(s.dims)] for s in g.sparse_initializer]
    return values


class Maker:
    """Random models: every field that the tables show, with and without values; they need not make sense."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.left = 60

    def text(self):
        return self.r.choice(["", "a", "x_1", "/layer/MatMul", "é☃😀", "with space", "\n", "__proto__", "n" * 200])

    def names(self, most):
        return [self.text() for _ in range(self.r.randrange(most))]

    def tensor(self):
        kind = self.r.choice([TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING,
                              TensorProto.DOUBLE, TensorProto.UINT8, TensorProto.BFLOAT16, TensorProto.INT4])
        shape = [self.r.randrange(3) for _ in range(self.r.randrange(3))]
        count = int(np.prod(shape)) if shape else 1
        name = self.text()
        if kind == TensorProto.STRING:
            return helper.make_tensor(name, kind, shape, [self.text() for _ in range(count)])
        values = [self.r.randrange(2) for _ in range(count)]
        if self.r.random() < 0.5:
            return helper.make_tensor(name, kind, shape, values)
        return numpy_helper.from_array(np.array(values).astype(helper.tensor_dtype_to_np_dtype(kind)).reshape(shape), name)

    def value(self):
        name = self.text()
        pick = self.r.randrange(6)
        if pick == 0:
            return helper.make_tensor_sequence_value_info(name, TensorProto.FLOAT, None)
        if pick == 1:
            made = onnx.ValueInfoProto()
            made.name = name
            return made
        shape = None if pick == 2 else [self.r.choice([1, 3, "N", None, 0]) for _ in range(self.r.randrange(4))]
        return helper.make_tensor_value_info(name, self.r.randrange(1, 27), shape, doc_string=self.text())

    def attribute(self, depth):
        a = onnx.AttributeProto()
        a.name = self.text()
        a.doc_string = self.text()
        kinds = ["FLOAT", "INT", "STRING", "FLOATS", "INTS", "STRINGS", "TENSOR", "TENSORS"] + (["GRAPH", "GRAPHS"] if depth < 4 else [])
        kind = self.r.choice(kinds)
        a.type = onnx.AttributeProto.AttributeType.Value(kind)
        some = self.r.randrange(25)
        if self.r.random() < 0.05:
            a.ref_attr_name = "other"
        elif kind == "FLOAT":
            a.f = self.r.choice([0.0, -0.0, 1.5, 0.1, float("nan"), float("inf"), -float("inf"), 3e38])
        elif kind == "INT":
            a.i = self.r.choice([0, -1, 2**63 - 1, -(2**63)])
        elif kind == "STRING":
            a.s = self.text().encode()
        elif kind == "FLOATS":
            a.floats.extend(self.r.uniform(-2, 2) for _ in range(some))
        elif kind == "INTS":
            a.ints.extend(self.r.choice([0, -1, 300, 2**62]) for _ in range(some))
        elif kind == "STRINGS":
            a.strings.extend(self.text().encode() for _ in range(some))
        elif kind == "TENSOR":
            a.t.CopyFrom(self.tensor())
        elif kind == "TENSORS":
            a.tensors.extend(self.tensor() for _ in range(some % 3))
        elif kind == "GRAPH":
            a.g.CopyFrom(self.graph(depth + 1))
        else:
            a.graphs.extend(self.graph(depth + 1) for _ in range(some % 3))
        return a

    def node(self, depth):
        self.left -= 1
        n = onnx.NodeProto()
        n.input.extend(self.names(5))
        n.output.extend(self.names(4))
        n.name = self.text()
        n.doc_string = self.text()
        n.op_type = self.r.choice(["Add", "If", "Loop", "Twice", "é"])
        n.domain = self.r.choice(["", "ai.onnx", "local", "com.other"])
        if self.r.random() < 0.3:
            n.overload = "o"
        if self.r.random() < 0.3:
            helper.set_model_props(n, {"k": self.text(), "": "v"})
        n.attribute.extend(self.attribute(depth) for _ in range(self.r.randrange(4)))
        return n

    def graph(self, depth):
        g = onnx.GraphProto()
        g.name = self.text()
        g.doc_string = self.text()
        while self.left > 0 and self.r.random() < (0.9 if depth == 0 else 0.6):
            g.node.append(self.node(depth))
        g.initializer.extend(self.tensor() for _ in range(self.r.randrange(3)))
        for field in (g.input, g.output, g.value_info):
            field.extend(self.value() for _ in range(self.r.randrange(4)))
        if self.r.random() < 0.2:
            values = helper.make_tensor("s", TensorProto.FLOAT, [2], [1, 2])
            g.sparse_initializer.append(helper.make_sparse_tensor(values, helper.make_tensor("i", TensorProto.INT64, [2], [1, 3]), [7]))
        return g

    def model(self):
        m = onnx.ModelProto()
        m.ir_version = 10
        m.producer_name = self.text()
        m.graph.CopyFrom(self.graph(0))
        m.opset_import.append(helper.make_opsetid("", 20))
        helper.set_model_props(m, {"k": self.text()})
        for overload in self.r.sample(["", "o"], self.r.randrange(3)):
            self.left += 10
            f = helper.make_function("local", "Twice", self.names(3), self.names(3), [self.node(2)], [helper.make_opsetid("", 20)])
            f.overload = overload
            f.doc_string = self.text()
            f.value_info.extend(self.value() for _ in range(self.r.randrange(3)))
            m.functions.append(f)
        return m


def graphs(folder, seed, count):
    answers = []
    for k in range(int(seed), int(seed) + int(count)):
        made = Maker(k).model()
        path = os.path.join(folder, f"{k}.onnx")
        with open(path, "wb") as out:
            out.write(made.SerializeToString())
        answers.append({"path": path, "graphs": tables(onnx.load(path))})
    return answers


class Fault(Exception):
    """Where the bytes of a message are damaged."""


def varint(blob, at, end, path):
    value = 0
    for n in range(10):
        if at >= end:
            raise Fault(f"{path}: ends inside a number")
        value |= (blob[at] & 127) << (7 * n)
        at += 1
        if blob[at - 1] < 128:
            return value, at
    raise Fault(f"{path}: a number of more than 10 bytes")


def walk_wire(blob, descriptor, at, end, path):
    """The package does not say where it stopped: the path of the first field whose bytes make no sense."""
    while at < end:
        tag, at = varint(blob, at, end, path)
        field, wire = descriptor.fields_by_number.get(tag >> 3), tag & 7
        inner = f"{path}.{field.name if field else tag >> 3}"
        if tag >> 3 == 0 or wire not in (0, 1, 2, 5):
            raise Fault(f"{path}: no field")
        if wire == 0:
            _, at = varint(blob, at, end, inner)
        elif wire != 2:
            at += 8 if wire == 1 else 4
        else:
            length, at = varint(blob, at, end, inner)
            if at + length > end:
                raise Fault(f"{inner}: ends outside")
            if field and field.message_type:
                walk_wire(blob, field.message_type, at, at + length, inner)
            elif field and field.type in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
                if length % (8 if field.type == field.TYPE_DOUBLE else 4):
                    raise Fault(f"{inner}: packed")
            elif field and field.type not in (field.TYPE_STRING, field.TYPE_BYTES):
                inside = at
                while inside < at + length:
                    _, inside = varint(blob, inside, at + length, f"{inner}: packed")
            at += length
        if at > end:
            raise Fault(f"{inner}: ends outside")


def judged(blob):
    """What the package reads of a model, or why it does not. The values of its tensors must be there."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(blob)
    except Exception as error:
        try:
            walk_wire(blob, onnx.ModelProto.DESCRIPTOR, 0, len(blob), "wire")
        except Fault as fault:
            return {"refused": str(fault)}
        return {"refused": str(error)[:200]}
    if not model.HasField("graph"):
        return {"refused": "no graph"}
    stored = {text(t.name) for t in model.graph.initializer} | {text(s.values.name) for s in model.graph.sparse_initializer}
    ops = {}

    inside = list(model.graph.initializer)
    inner = []

    def walk(nodes):
        for n in nodes:
            ops[op_of(n)] = ops.get(op_of(n), 0) + 1
            for a in n.attribute:
                inside.extend([*([a.t] if a.HasField("t") else []), *a.tensors])
                inside.extend(s.values for s in [*([a.sparse_tensor] if a.HasField("sparse_tensor") else []), *a.sparse_tensors])
                for g in [a.g, *a.graphs]:
                    inner.extend([*g.initializer, *(s.values for s in g.sparse_initializer)])
                    walk(g.node)

    walk(model.graph.node)
    for f in model.functions:
        walk(f.node)
    inside.extend(s.values for s in model.graph.sparse_initializer)
    for where, tensors in (("tensor", inside), ("tensor of a subgraph", inner)):
        for t in tensors:
            if t.data_location != TensorProto.EXTERNAL:
                try:
                    numpy_helper.to_array(t)
                except Exception as error:
                    return {"refused": f"{where}: {type(error).__name__} {error}"[:200]}
    tensors = [[t.name, t.data_type, list(t.dims)] for t in model.graph.initializer]
    tensors += [[s.values.name, s.values.data_type, list(s.dims)] for s in model.graph.sparse_initializer]
    return {"facts": {
        "irVersion": str(model.ir_version), "opsets": {text(o.domain): str(o.version) for o in model.opset_import}, "ops": ops,
        "inputs": [[v.name, *type_of(v)] for v in model.graph.input if text(v.name) not in stored],
        "outputs": [[v.name, *type_of(v)] for v in model.graph.output],
        "tensors": tensors, "metadata": {text(p.key): p.value for p in model.metadata_props},
    }}


def judge(file):
    with open(file, "rb") as opened:
        data = opened.read()
    at, answers = 0, []
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        answers.append(judged(data[at + 4 : at + 4 + length]))
        at += 4 + length
    return answers


commands = {"graphs": graphs, "judge": judge}
# What begins the answer must not be in it.
print("@@" + json.dumps(commands[sys.argv[1]](*sys.argv[2:]), default=text).replace("@", "\\u0040"))
