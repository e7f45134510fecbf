"""Tensors of ONNX Runtime, those included that numpy has no type for, and what is no tensor."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from .arrays import to_array
from .failures import WorkerError, missing
from .frames import Body

# Types that numpy does not have: our name and the number of onnx.TensorProto, by the runtime's name.
ODD_TYPES = {
    "bfloat16": ("bfloat16", 16),
    "float8e4m3fn": ("float8_e4m3fn", 17),
    "float8e4m3fnuz": ("float8_e4m3fnuz", 18),
    "float8e5m2": ("float8_e5m2", 19),
    "float8e5m2fnuz": ("float8_e5m2fnuz", 20),
    "uint4": ("uint4", 21),
    "int4": ("int4", 22),
    "float4e2m1": ("float4_e2m1fn", 23),
    "float8e8m0": ("float8_e8m0fnu", 24),
    "uint2": ("uint2", 25),
    "int2": ("int2", 26),
}

# Bits of an element where several share a byte, the first one lowest.
PACKED_BITS = {"uint4": 4, "int4": 4, "float4_e2m1fn": 4, "uint2": 2, "int2": 2}
SIGNED = ("int4", "int2")


def element_type(declared: str) -> str:
    """`bfloat16` of `tensor(bfloat16)`, also of an optional one; empty for a sequence or a map."""
    found = re.fullmatch(r"(?:optional\()?tensor\(([a-z0-9]+)\)\)?", declared)
    return found.group(1) if found else ""


def is_numpys(declared: str) -> bool:
    """Whether the runtime hands over a value of that type as numpy's or Python's own."""
    return element_type(declared) not in ODD_TYPES


def to_ort(name: str, value: Any, declared: str) -> Any:
    """An input as the runtime takes it. Raises WorkerError `run.unsupported`, `python.missing`; BadFrame."""
    if not isinstance(value, Body):
        raise WorkerError("run.unsupported", f"Input {name}: it is {declared}, and only tensors can be given.")
    kind = element_type(declared)
    if kind in ODD_TYPES and ODD_TYPES[kind][0] == value.dtype:
        return odd_value(value, ODD_TYPES[kind][1])
    array = to_array(value)
    # Of numpy's own texts the runtime drops what follows a NUL.
    return array.astype(object) if value.dtype == "string" else array


def odd_value(body: Body, number: int) -> Any:
    """A value of the runtime's own with the body's bytes, in a type that numpy does not have."""
    import onnxruntime

    make = onnxruntime.OrtValue.ortvalue_from_shape_and_type
    data = packed(body) if body.dtype in PACKED_BITS else bytes(body.data)
    try:
        made = make(list(body.shape), number)
    except TypeError:
        raise missing("-U onnxruntime", f"The type {body.dtype} needs a newer onnxruntime, which") from None
    if data:
        ctypes.memmove(made.data_ptr(), data, len(data))
    return made


def from_ort(value: Any, declared: str) -> Any:
    """An output as it travels: an array, a body, or what JSON holds.

    Of what is no tensor only a list of maps is a list, one a row; other sequences are in one piece.
    """
    kind = element_type(declared)
    if kind in ODD_TYPES:
        return None if value is None or not value.has_value() else odd_body(value, ODD_TYPES[kind][0])
    if isinstance(value, list) and not declared.startswith("seq(map"):
        return tuple(value)
    return value


def odd_body(value: Any, dtype: str) -> Body:
    """The body of a value of the runtime's own, which lies in the memory of the CPU."""
    shape = tuple(value.shape())
    size = value.tensor_size_in_bytes()
    data = ctypes.string_at(value.data_ptr(), size) if size else b""
    return Body(dtype, shape, unpacked(data, dtype, shape) if dtype in PACKED_BITS else data)


def packed(body: Body) -> bytes:
    """Elements of a byte each as the runtime has them: several a byte."""
    import numpy

    bits = PACKED_BITS[body.dtype]
    each = 8 // bits
    codes = numpy.frombuffer(bytes(body.data), numpy.uint8) & ((1 << bits) - 1)
    padded = numpy.concatenate([codes, numpy.zeros(-len(codes) % each, numpy.uint8)]).reshape(-1, each)
    shifted = padded << numpy.arange(0, 8, bits, dtype=numpy.uint8)
    return numpy.bitwise_or.reduce(shifted, axis=1).astype(numpy.uint8).tobytes()


def unpacked(data: bytes, dtype: str, shape: Any) -> bytes:
    """The reverse; the sign of an integer is carried on into its whole byte."""
    import numpy

    bits = PACKED_BITS[dtype]
    shifts = numpy.arange(0, 8, bits, dtype=numpy.uint8)
    codes = (numpy.frombuffer(data, numpy.uint8).reshape(-1, 1) >> shifts) & ((1 << bits) - 1)
    flat = codes.reshape(-1)[: int(numpy.prod(shape, dtype=numpy.int64))]
    if dtype in SIGNED:
        sign = 1 << (bits - 1)
        flat = ((flat ^ sign).astype(numpy.int16) - sign).astype(numpy.int8).view(numpy.uint8)
    return flat.tobytes()
