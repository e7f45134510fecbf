"""Tensors of every type as the real onnx package writes and reads them, for onnxGraph.test.ts.

  onnxValuesPeer.py FOLDER   writes a model with a tensor of every type; answers with its files and values
"""
import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnxPlain import seen, text


def values(folder):
    """Every type, as raw_data, in its typed field and outside; first the file, then what numpy_helper reads of it."""
    made, expected = [], {}
    sizes = {TensorProto.STRING: ["", "ü😀", "a\0b", "c", "d", "e"]}
    for kind in range(1, 29):
        name = TensorProto.DataType.Name(kind)
        if kind == TensorProto.STRING:
            made.append(helper.make_tensor("typed_STRING", kind, [2, 3], sizes[kind]))
            expected["typed_STRING"] = sizes[kind]
            continue
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        bits = {"4": 4, "2": 2}.get(name[-1:], 8) if name in ("UINT4", "INT4", "UINT2", "INT2") else 8
        pattern = np.frombuffer(bytes((37 * i + 11) % 256 for i in range(16 * 7)), np.uint8)
        if np.dtype(dtype).itemsize == 1 and name != "BOOL":
            codes = np.arange(7, dtype=np.uint8) * 37 + 11
            if name == "FLOAT4E2M1" or bits == 4:
                codes &= 15
            if name.startswith("FLOAT6"):
                codes &= 63
            if bits == 2:
                codes &= 3
            source = codes.view(dtype) if bits == 8 and name != "FLOAT4E2M1" else None
        if name == "BOOL":
            array = np.array([True, False, True, True, False, False, True])
        elif np.dtype(dtype).itemsize > 1:
            array = np.frombuffer(pattern.tobytes()[: 7 * np.dtype(dtype).itemsize], dtype)
        elif source is not None:
            array = source
        elif name in ("UINT4", "UINT2"):
            array = codes.astype(np.int32).astype(dtype)
        elif name in ("INT4", "INT2"):
            top = 2 ** (bits - 1)
            array = ((codes.astype(np.int32) + top) % (2 * top) - top).astype(dtype)
        else:
            array = np.array([0, 0.5, 1, -1.5, 6, -0.0, 4], np.float32).astype(dtype)
        for shape in ([7], [7, 1]) if kind % 2 else ([1, 7], [7]):
            raw = numpy_helper.from_array(array.reshape(shape), f"raw_{name}_{len(shape)}")
            made.append(raw)
            expected[raw.name] = seen(numpy_helper.to_array(raw))
        typed = typed_tensor(name, kind, array)
        made.append(typed)
        expected[typed.name] = seen(numpy_helper.to_array(typed))
    graph = helper.make_graph([], "values", [], [], made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)])
    path = os.path.join(folder, "values.onnx")
    onnx.save(model, path)
    outside = os.path.join(folder, "outside.onnx")
    onnx.save(model, outside, save_as_external_data=True, location="outside.bin", size_threshold=0)
    return {"files": [path, outside], "values": expected}


def typed_tensor(name, kind, array):
    """The values in the field that onnx.proto names for the type."""
    t = TensorProto()
    t.name = f"typed_{name}"
    t.data_type = kind
    t.dims.extend([7])
    raw = numpy_helper.from_array(array, "x").raw_data
    if name in ("FLOAT", "COMPLEX64"):
        t.float_data.extend(np.frombuffer(raw, np.float32).tolist())
    elif name in ("DOUBLE", "COMPLEX128"):
        t.double_data.extend(np.frombuffer(raw, np.float64).tolist())
    elif name == "INT64":
        t.int64_data.extend(array.tolist())
    elif name in ("UINT32", "UINT64"):
        t.uint64_data.extend(array.tolist())
    elif name in ("INT8", "INT16", "INT32"):
        t.int32_data.extend(array.tolist())
    elif name.startswith("FLOAT6"):
        t.int32_data.extend(array.view(np.uint8).tolist())
    elif name in ("UINT16", "FLOAT16", "BFLOAT16"):
        t.int32_data.extend(np.frombuffer(raw, np.uint16).tolist())
    else:
        t.int32_data.extend(np.frombuffer(raw, np.uint8).tolist())
    return t


# What begins the answer must not be in it.
print("@@" + json.dumps(values(*sys.argv[1:]), default=text).replace("@", "\\u0040"))
