"""The real flax: reads what we write, writes what we read, and judges mutants.

write FOLDER      random trees, one file each, and what their leaves are
check BATCH       reads files of ours; answers with their leaves, and the same trees as flax writes them
judge BATCH       reads mutants; answers with their leaves or with the failure
"""

import hashlib
import json
import random
import signal
import struct
import sys

import flax.serialization as serialization
import ml_dtypes
import msgpack
import numpy as np

NAMES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 bfloat16 "
    "int1 int2 int4 uint1 uint2 uint4 float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz "
    "float8_e5m2 float8_e5m2fnuz float8_e8m0fnu float6_e2m3fn float6_e3m2fn float4_e2m1fn"
).split()


def dtype_of(name):
    return np.dtype(getattr(ml_dtypes, name, None) or name)


def number(value):
    """The bits of a float; all NaN are one."""
    return "nan" if value != value else struct.pack(">d", value).hex()


def array(value, kind):
    value = np.asarray(value)
    little = np.ascontiguousarray(value)
    if little.dtype.byteorder == ">" or (little.dtype.byteorder == "=" and sys.byteorder == "big"):
        little = little.astype(little.dtype.newbyteorder("<"))
    if value.dtype.name not in NAMES:
        return {"kind": "ext", "shape": list(value.shape)}
    digest = hashlib.sha256(little.tobytes("C")).hexdigest()
    return {"kind": kind, "dtype": value.dtype.name, "shape": list(value.shape), "sha256": digest}


def leaf(value):
    if isinstance(value, np.ndarray):
        return array(value, "ndarray")
    if isinstance(value, np.generic):
        return array(value, "npscalar")
    if value is None:
        return {"kind": "null"}
    if isinstance(value, bool):
        return {"kind": "bool", "value": value}
    if isinstance(value, int):
        return {"kind": "int", "value": str(value)}
    if isinstance(value, float):
        return {"kind": "float", "value": number(value)}
    if isinstance(value, complex):
        return {"kind": "complex", "value": [number(value.real), number(value.imag)]}
    if isinstance(value, str):
        return {"kind": "str", "value": value}
    if isinstance(value, bytes):
        return {"kind": "bytes", "value": value.hex()}
    if isinstance(value, (msgpack.ExtType, msgpack.Timestamp)):
        return {"kind": "ext", "shape": []}
    raise TypeError(f"unexpected {type(value)}")


def leaves(value):
    found = []
    stack = [((), value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, dict):
            pairs = [(key if type(key) in (str, int) else {"key": repr(key)}, each) for key, each in item.items()]
        elif type(item) is list:
            pairs = list(enumerate(item))
        else:
            found.append({"path": path, **leaf(item)})
            continue
        if not pairs:
            found.append({"path": path, "kind": "empty_map" if isinstance(item, dict) else "empty_list"})
        stack.extend((path + (key,), each) for key, each in reversed(pairs))
    return found


def files_of(path):
    with open(path, "rb") as file:
        content = file.read()
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<I", content, at)
        yield content[at + 4 : at + 4 + length]
        at += 4 + length


def out_of_time(*_):
    raise TimeoutError("took longer than 5 s")


def judge(path):
    signal.signal(signal.SIGALRM, out_of_time)
    answers = []
    for content in files_of(path):
        signal.setitimer(signal.ITIMER_REAL, 5)
        try:
            answers.append({"leaves": leaves(serialization.msgpack_restore(content))})
        except BaseException as error:  # whatever numpy and msgpack raise is the verdict
            answers.append({"refused": f"{type(error).__name__}: {str(error)[:200]}"})
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return answers


def check(path, chunk_bytes):
    serialization.MAX_CHUNK_SIZE = int(chunk_bytes)
    answers = []
    for content in files_of(path):
        tree = serialization.msgpack_restore(content)
        found = leaves(tree)
        again = serialization.msgpack_serialize(tree, in_place=True)
        answers.append({"leaves": found, "again": again.hex()})
    return answers


def sample(rng, name, shape):
    values = np.frombuffer(rng.randbytes(int(np.prod(shape)) * 16), dtype=np.uint8)
    size = dtype_of(name).itemsize
    raw = values[: int(np.prod(shape)) * size].copy()
    if name == "bool":
        raw &= 1
    return raw.view(dtype_of(name)).reshape(shape)


def tree_of(rng, depth):
    kind = rng.randrange(12 if depth > 0 else 9)
    name = rng.choice(NAMES)
    shape = [rng.randrange(4) for _ in range(rng.randrange(4))]
    if kind < 3:
        return sample(rng, name, shape)
    if kind == 3:
        return sample(rng, name, [1])[0]
    if kind == 4:
        return rng.choice([None, True, False, 0, -1, 2**64 - 1, -(2**63), rng.randrange(-300, 70000)])
    if kind == 5:
        return rng.choice([0.0, -0.0, 1.5, float("nan"), float("-inf"), rng.random()])
    if kind == 6:
        return rng.choice(["", "é\u0000", "\ufeff", "x" * rng.randrange(400), b"", rng.randbytes(rng.randrange(400))])
    if kind == 7:
        return complex(rng.random(), float("inf"))
    if kind == 8:
        return np.asfortranarray(sample(rng, name, [2, 3]))[:, ::-1]
    if kind == 9:
        return [tree_of(rng, depth - 1) for _ in range(rng.randrange(4))]
    keys = [rng.choice([f"k{i}", i, i - 3, 2**40 + i, "__proto__"]) for i in range(rng.randrange(5))]
    return {key: tree_of(rng, depth - 1) for key in keys}


def write(folder, count):
    rng = random.Random(5)
    answers = []
    for i in range(int(count)):
        tree = {"root": tree_of(rng, 4), "more": {name: sample(rng, name, [3, 2]) for name in NAMES[i % 4 :: 4]}}
        expected = leaves(tree)
        serialization.MAX_CHUNK_SIZE = rng.choice([2**30, 7, 16])
        path = f"{folder}/{i}.msgpack"
        with open(path, "wb") as file:
            file.write(serialization.msgpack_serialize(tree, in_place=True))
        answers.append({"path": path, "leaves": expected})
    return answers


verb, *arguments = sys.argv[1:]
answer = json.dumps({"write": write, "check": check, "judge": judge}[verb](*arguments))
# The mark before the answer must not occur in it.
print("@@" + answer.replace("@", "\\u0040"))
