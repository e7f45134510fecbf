"""Answers questions about .npy and .npz files with numpy."""

import hashlib
import io
import json
import os
import random
import struct
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
TYPES = ["?", "i1", "u1", "<i2", ">i4", "<u8", "<f2", ">f4", "<f8", "<c8", ">c16", "<U3", ">U2"]


def array(pick, rng):
    kind = np.dtype(pick.choice(TYPES))
    shape = tuple(pick.choice([0, 1, 2, 3, 5, 17]) for _ in range(pick.randint(0, 4)))
    count = int(np.prod(shape))
    if kind.kind == "U":
        flat = np.array(["", "a", "é☃", "😀"], dtype=kind)[rng.integers(0, 4, count)]
    elif kind.kind == "b":
        flat = rng.integers(0, 2, count).astype(bool)
    else:
        flat = np.frombuffer(rng.bytes(count * kind.itemsize), dtype=kind)
    values = flat.reshape(shape)
    return np.asfortranarray(values) if values.ndim and pick.random() < 0.5 else values


def told(values):
    little = np.array(values, order="C").astype(values.dtype.newbyteorder("<"))
    if little.dtype.kind == "U":
        return [list(values.shape), [str(v) for v in little.reshape(-1)]]
    return [list(values.shape), hashlib.sha256(little.tobytes()).hexdigest()]


def write(folder, count):
    pick = random.Random(5)
    rng = np.random.default_rng(5)
    files = []
    for i in range(int(count)):
        if i % 2:
            values = array(pick, rng)
            path = os.path.join(folder, f"{i}.npy")
            np.save(path, values)
            files.append({"path": path, "arrays": {"": told(values)}})
            continue
        arrays = {pick.choice(["a", "b/c", "é", "../up", "__proto__", "x.y"]) + str(k): array(pick, rng) for k in range(pick.randint(0, 4))}
        path = os.path.join(folder, f"{i}.npz")
        (np.savez_compressed if i % 4 else np.savez)(path, **arrays)
        files.append({"path": path, "arrays": {name: told(values) for name, values in arrays.items()}})
    return files


def judged(blob):
    try:
        loaded = np.load(io.BytesIO(blob), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"facts": {"": told(loaded)}}
        arrays = {name: loaded[name] for name in loaded.files}
        return {"facts": {name: told(values) for name, values in arrays.items() if isinstance(values, np.ndarray)}}
    except MemoryError:
        return {"refused": "MemoryError"}
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}"}


def judge(file):
    answers = []
    with open(file, "rb") as f:
        while head := f.read(4):
            answers.append(judged(f.read(struct.unpack("<I", head)[0])))
    return answers


answer = {"write": write, "judge": judge}[sys.argv[1]](*sys.argv[2:])
# The reader looks for the last mark, which a mutant may hold too.
print("@@" + json.dumps(answer).replace("@@", "@\\u0040"))
