"""Values of the onnx package in the form of the tests' JSON."""

import numpy as np


def plain(value):
    """A value as strict JSON: integers beyond 2^53 and special floats as text, complex as Python writes it."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if value != value or value in (float("inf"), float("-inf")):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        return "-0" if value == 0 and np.signbit(value) else value
    if isinstance(value, (complex, np.complexfloating)):
        return [plain(float(value.real)), plain(float(value.imag))]
    return value


def text(value):
    """The package answers with bytes where a text is not UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def seen(array):
    """Values in a type that JSON knows: the small floats are exact as float64."""
    if array.dtype.kind == "O":
        return [item.decode() if isinstance(item, bytes) else item for item in array.ravel().tolist()]
    if array.dtype.kind in "biuc" and array.dtype.isbuiltin == 1:
        return plain(array.ravel().tolist())
    if array.dtype.name.startswith(("int", "uint")):
        return plain(array.ravel().astype(np.int64).tolist())
    return plain(array.ravel().astype(np.float64).tolist())
