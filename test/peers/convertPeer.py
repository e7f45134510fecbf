"""Makes weights with the real flax and safetensors, reads what was converted from them, and compares arrays with numpy.

make FOLDER          writes files to convert and says what is in them
check FOLDER         reads the converted files as their libraries do
differences FOLDER   writes pairs of arrays and says how they differ, by numpy
"""
import hashlib
import json
import os
import sys

import numpy as np


def digest(array):
    return [str(array.dtype), list(array.shape), hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()]


def digests(flat):
    return {name: digest(np.asarray(value)) for name, value in sorted(flat.items())}


def model():
    from flax import nnx

    class Model(nnx.Module):
        def __init__(self, rngs):
            self.layers = nnx.List([nnx.Linear(2, 3, rngs=rngs), nnx.Linear(3, 2, rngs=rngs)])
            self.norm = nnx.BatchNorm(2, rngs=rngs)

        def __call__(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    return Model(nnx.Rngs(7))


def make(folder):
    import jax.numpy as jnp
    from flax import nnx, serialization, traverse_util
    from safetensors.flax import save_file

    pure = nnx.to_pure_dict(nnx.state(model(), nnx.Param))
    with open(os.path.join(folder, "nnx.msgpack"), "wb") as file:
        file.write(serialization.msgpack_serialize(pure))
    params = {
        "encoder": {"layer": {"0": {"kernel": jnp.arange(6.0).reshape(2, 3)}, "1": {"kernel": jnp.ones((3,), jnp.bfloat16)}}},
        "lm_head": {"kernel": jnp.full((2, 2), 0.5, jnp.float16)},
    }
    with open(os.path.join(folder, "flax_model.msgpack"), "wb") as file:
        file.write(serialization.to_bytes(params))
    # As transformers saves flax weights: modeling_flax_utils.py, save_pretrained(safe_serialization=True).
    flat = traverse_util.flatten_dict(params, sep=".")
    save_file(flat, os.path.join(folder, "transformers.safetensors"), metadata={"format": "flax"})
    return digests(flat)


def check(folder):
    from flax import nnx, serialization, traverse_util
    from safetensors import safe_open
    from safetensors.flax import load_file

    found = {}
    with safe_open(os.path.join(folder, "flax_model.safetensors"), framework="flax") as file:
        found["metadata"] = file.metadata()
    flat = load_file(os.path.join(folder, "flax_model.safetensors"))
    found["flax_model"] = digests(flat)
    tree = traverse_util.unflatten_dict(flat, sep=".")
    found["unflattened"] = sorted(tree["encoder"]["layer"])
    restored = serialization.msgpack_restore(open(os.path.join(folder, "transformers.msgpack"), "rb").read())
    found["transformers"] = digests(traverse_util.flatten_dict(restored, sep="."))
    pure = serialization.msgpack_restore(open(os.path.join(folder, "nnx-again.msgpack"), "rb").read())
    found["nnxKeys"] = [repr(key) for key in pure["layers"]]
    fresh = model()
    for layer in fresh.layers:
        layer.kernel[...] = 0
    state = nnx.state(fresh, nnx.Param)
    nnx.replace_by_pure_dict(state, pure)
    nnx.update(fresh, state)
    same = np.array_equal(np.asarray(fresh(np.ones((1, 2), np.float32))), np.asarray(model()(np.ones((1, 2), np.float32))))
    found["nnxRuns"] = bool(same)
    return found


def differences(folder):
    rng = np.random.default_rng(5)
    found = []
    types = ["float16", "float32", "float64", "int8", "int64", "uint64", "bool", "complex64", "complex128"]
    for number, name in enumerate(types):
        scale = 50 if name in ("int8", "bool") else 1000
        a = (rng.normal(size=(7, 5)) * scale).astype(name)
        b = a.copy()
        if name == "bool":
            b[0] = ~b[0]
        else:
            b[2:4] = (b[2:4] * a.dtype.type(2)).astype(name)
        if a.dtype.kind in "fc":
            a[6, 0] = b[6, 0] = np.nan
        if number in (1, 7):
            b[5, 1] = np.inf
        np.save(os.path.join(folder, f"{number}-a.npy"), a)
        np.save(os.path.join(folder, f"{number}-b.npy"), b)
        wide = np.complex128 if a.dtype.kind == "c" else object if a.dtype.kind in "iu" else np.float64
        x, y = a.astype(wide), b.astype(wide)
        unequal = ~((a == b) | ((a != a) & (b != b)))
        distance = np.abs(y - x)[unequal].astype(np.float64)
        with np.errstate(invalid="ignore"):
            size = np.maximum(np.abs(x), np.abs(y))[unequal].astype(np.float64)
            ratio = np.where(np.isinf(size), np.inf, distance / size)
        found.append({
            "name": name,
            "differing": int(unequal.sum()),
            "maxAbs": repr(float(distance.max())),
            "maxRel": repr(float(ratio.max())),
            "norm": repr(float(np.linalg.norm(distance))),
            "worst": [int(i) for i in np.argwhere(unequal)[int(distance.argmax())]],
        })
    return found


command, folder = sys.argv[1:3]
print("@@" + json.dumps({"make": make, "check": check, "differences": differences}[command](folder)))
