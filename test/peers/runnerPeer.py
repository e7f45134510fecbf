"""Runs ONNX models in Python's onnxruntime: one JSON document of cases in, one of answers out.

A case is {file, inputs: {name: {dtype, shape, data}}}; data is base64 of little-endian bytes, or a list of strings.
An answer has the same form by output name.
"""

import base64
import json
import sys

import numpy as np
import onnxruntime


def decode(value):
    if value["dtype"] == "string":
        return np.array(value["data"], dtype=object).reshape(value["shape"])
    return np.frombuffer(base64.b64decode(value["data"]), dtype=value["dtype"]).reshape(value["shape"])


def encode(array):
    if array.dtype == object:
        return {"dtype": "string", "shape": array.shape, "data": [str(item) for item in array.ravel()]}
    return {
        "dtype": str(array.dtype),
        "shape": array.shape,
        "data": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode(),
    }


def answer(case):
    session = onnxruntime.InferenceSession(case["file"], providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    inputs = {name: decode(value) for name, value in case["inputs"].items()}
    return {name: encode(value) for name, value in zip(names, session.run(names, inputs))}


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
