"""Answers questions about safetensors files with the real library."""

import hashlib
import json
import os
import random
import struct
import sys

import ml_dtypes
import numpy as np
from safetensors import TensorSpec, deserialize, safe_open, serialize

NATIVE = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "float8_e5m2": "F8_E5M2", "float8_e4m3fn": "F8_E4M3",
    "float8_e8m0fnu": "F8_E8M0", "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "int16": "I16", "uint16": "U16", "float16": "F16", "bfloat16": "BF16", "int32": "I32", "uint32": "U32",
    "float32": "F32", "complex64": "C64", "float64": "F64", "int64": "I64", "uint64": "U64",
}  # fmt: skip
NAMES = ["a", "b.c", "Z", "kernel", "\u00e9", "\uff5e", "\U0001f600", 'q"\\', "\u2028", "\x7f", "\n", "__proto__", ""]


def array(dtype, shape, rng):
    count = int(np.prod(shape))
    if dtype == "bool":
        return np.array(rng.integers(0, 2, count), dtype=bool).reshape(shape)
    kind = np.dtype(dtype)
    return np.frombuffer(rng.bytes(count * kind.itemsize), dtype=kind).reshape(shape)


def spec(values, keep):
    values = np.array(values, order="C")
    keep.append(values)
    return TensorSpec(dtype=values.dtype.name, shape=values.shape, data_ptr=values.ctypes.data, data_len=values.nbytes)


def write(folder, count):
    """Files of every dtype that the library's writer takes, with what is in them."""
    rng = np.random.default_rng(3)
    pick = random.Random(3)
    files = []
    for i in range(int(count)):
        tensors = {}
        dtypes = list(NATIVE) if i == 0 else pick.choices(list(NATIVE), k=pick.randint(0, 6))
        for j, dtype in enumerate(dtypes):
            shape = tuple(pick.choice([0, 1, 2, 3, 7]) for _ in range(pick.randint(0, 3)))
            tensors[f"{pick.choice(NAMES)}{pick.choice(['', str(j)])}"] = array(dtype, shape, rng)
        metadata = pick.choice([None, {"format": "np"}, {'\u00e9"\n': "\u2603\x01\U0001f600"}])
        path = os.path.join(folder, f"{i}.safetensors")
        keep = []
        with open(path, "wb") as f:
            f.write(serialize({name: spec(values, keep) for name, values in tensors.items()}, metadata))
        facts = {name: [NATIVE[v.dtype.name], list(v.shape), v.tobytes().hex()] for name, v in tensors.items()}
        files.append({"path": path, "metadata": metadata, "tensors": facts})
    return files


def judged(blob):
    try:
        tensors = deserialize(blob)
    except Exception as error:
        return {"refused": str(error)}
    facts = {}
    for name, tensor in tensors:
        facts[name] = [tensor["dtype"], [str(d) for d in tensor["shape"]], hashlib.sha256(tensor["data"]).hexdigest()]
    return {"facts": facts}


def judge(file):
    answers = []
    with open(file, "rb") as f:
        while head := f.read(4):
            answers.append(judged(f.read(struct.unpack("<I", head)[0])))
    return answers


def metadata(path):
    """What a loader sees of a file: its metadata and its tensors."""
    with safe_open(path, "np") as f:
        told = f.metadata()
    with open(path, "rb") as f:
        return {"metadata": told, **judged(f.read())}


def packing():
    """Every value of the narrow types, as ml_dtypes has them, one a byte."""
    types = {"F4": "float4_e2m1fn", "F6_E2M3": "float6_e2m3fn", "F6_E3M2": "float6_e3m2fn"}
    return {
        native: [str(float(v)) for v in np.arange(16 if native == "F4" else 64, dtype=np.uint8).view(getattr(ml_dtypes, t))]
        for native, t in types.items()
    }


if __name__ == "__main__":
    answer = {"write": write, "judge": judge, "metadata": metadata, "packing": packing}[sys.argv[1]](*sys.argv[2:])
    # The reader looks for the last mark, which a mutant may hold too.
    print("@@" + json.dumps(answer).replace("@@", "@\\u0040"))
