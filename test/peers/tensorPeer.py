"""numpy's and ml_dtypes' word on statistics, histograms, views and exported slices.

make FOLDER SEED: writes the bytes of arrays of every type and prints what numpy says of each.
check FOLDER: compares the exported slices that lie there with the arrays; prints what differs.
"""
import csv
import json
import os
import sys
import warnings

import ml_dtypes
import numpy as np

warnings.filterwarnings("ignore")
NUMPY = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
OURS = (
    "int1 int2 int4 uint1 uint2 uint4 bfloat16 float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz "
    "float8_e5m2 float8_e5m2fnuz float8_e8m0fnu float6_e2m3fn float6_e3m2fn float4_e2m1fn"
).split()


def dtype_of(name):
    return np.dtype(getattr(ml_dtypes, name)) if name in OURS else np.dtype(name)


def values_of(rng, kind, count):
    if kind == "normal":
        return rng.normal(0.01, 1, count)
    if kind == "uniform":
        return rng.uniform(-3, 50, count)
    if kind == "far":
        return 1e6 + rng.normal(0, 1, count)
    if kind == "wide":
        return np.exp(rng.normal(0, 20, count)) * rng.choice([-1, 1], count)
    if kind == "steps":
        return rng.integers(-4, 5, count) / 4
    if kind == "sorted":
        return np.sort(rng.normal(5, 2, count))
    values = rng.normal(0, 10, count)
    for special in (np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e-45):
        values[rng.integers(0, max(1, count), max(1, count // 50))] = special
    return values


KINDS = ("normal", "uniform", "far", "wide", "steps", "sorted", "special")


def array_of(rng, name, kind, shape):
    dtype, count = dtype_of(name), int(np.prod(shape))
    if kind == "bits":
        return np.frombuffer(rng.bytes(count * dtype.itemsize), dtype).reshape(shape)
    values = values_of(rng, kind, count)
    if name.startswith("complex"):
        values = values + 1j * values_of(rng, kind, count)
    elif name.startswith(("int", "uint", "bool")):
        values = np.nan_to_num(values, posinf=99, neginf=-99)
        low = 0 if name.startswith(("uint", "bool")) else -(2 ** 30)
        values = np.clip(np.abs(values * 7) if low == 0 else values * 7, low, 2 ** 30).astype(np.int64)
    return values.astype(dtype).reshape(shape)


def wide(array):
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def histogram_of(array, finite):
    """As np.histogram counts the values themselves; types it does not take are widened. None where it gives up."""
    own = finite if array.dtype.name in ("float32", "float64") else finite.astype(np.float64)
    if own.size == 0 or own.min() == own.max():
        return None
    try:
        with np.errstate(all="raise"):
            return [int(n) for n in np.histogram(own, 64)[0]]
    except (ValueError, FloatingPointError):
        return None


def known(value):
    """Of random bits some are near the end of float64, where numpy's sums overflow."""
    return float(value) if np.isfinite(value) else None


def exact(value):
    return int(value) if isinstance(value, (np.integer, int)) else float(value)


def statistics_of(array):
    flat = array.reshape(-1)
    numbers = wide(flat)
    nan = np.isnan(numbers)
    infinite = np.isinf(numbers) & ~nan
    found = {"nan": int(nan.sum()), "inf": int(infinite.sum()), "zeros": int((numbers == 0).sum())}
    keep = ~nan & ~infinite
    finite = flat[keep]
    if array.dtype.kind == "c" or finite.size == 0:
        return {**found, "min": None}
    numbers = numbers[keep]
    is_long = array.dtype.name in ("int64", "uint64")
    least, most = (finite.min(), finite.max()) if is_long else (numbers.min(), numbers.max())
    return {
        **found,
        "min": str(least) if is_long else exact(least),
        "max": str(most) if is_long else exact(most),
        "mean": known(np.mean(numbers)),
        "std": known(np.std(numbers)),
        "size": known(np.mean(np.abs(numbers))),
        "histogram": histogram_of(array, finite),
    }


def views_of(rng, shape):
    """A plane and a rectangle of it, by any two axes."""
    axes = [int(a) for a in rng.permutation(len(shape))[:2]]
    row, column = (axes + [None, None])[:2]
    fixed = [int(rng.integers(0, n)) for n in shape]
    view = {"rowAxis": row, "columnAxis": column, "fixed": fixed}

    def part(axis):
        if axis is None:
            return 0, 1
        start = int(rng.integers(0, shape[axis]))
        return start, int(rng.integers(1, min(100, shape[axis] - start) + 1))

    (row_start, rows), (column_start, columns) = part(row), part(column)
    rectangle = {"rowStart": row_start, "rowCount": rows, "columnStart": column_start, "columnCount": columns}
    return [{}, {"view": view}, {"view": view, "range": rectangle}]


def cut(array, view=None, range=None):
    if view is None:
        return array
    row, column, fixed = view["rowAxis"], view["columnAxis"], view["fixed"]
    whole = tuple(slice(None) if axis in (row, column) else fixed[axis] for axis in np.arange(array.ndim))
    plane = array[whole]
    if column is not None and column < row:
        plane = plane.T
    if range is None:
        return plane
    rows = slice(range["rowStart"], range["rowStart"] + range["rowCount"])
    columns = slice(range["columnStart"], range["columnStart"] + range["columnCount"])
    return plane if row is None else plane[rows] if column is None else plane[rows, columns]


def make(folder, seed):
    rng = np.random.default_rng(seed)
    cases = []
    for name in NUMPY + OURS:
        kinds = [*KINDS, "bits"] if name in NUMPY or name == "bfloat16" else ["normal", "special"]
        # What the unused bits of narrower types mean is nobody's promise.
        kinds += ["bits"] if name.startswith("float8") else []
        for kind in kinds:
            rank = int(rng.integers(0, 5))
            shape = [int(n) for n in rng.integers(1, (400_000 // 4) ** (1 / max(1, rank)) + 2, rank)]
            array = array_of(rng, name, kind, shape)
            if array.dtype.name == "bool":
                array = array.view(np.uint8).astype(bool)
            file = f"{name}-{kind}.bin"
            array.tofile(os.path.join(folder, file))
            views = views_of(rng, shape)
            cases.append({"file": file, "dtype": name, "shape": shape, "views": views, "statistics": statistics_of(array)})
    with open(os.path.join(folder, "cases.json"), "w") as out:
        json.dump(cases, out)
    return cases


def number(text):
    return {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}.get(text, text)


def parsed(value, name):
    """A field of CSV, or an element of JSON, as Python has it."""
    if name.startswith("complex"):
        if isinstance(value, dict):
            return complex(float(number(value["re"])), float(number(value["im"])))
        return complex(value.replace("Infinity", "inf").replace("NaN", "nan"))
    if name == "bool":
        return {"true": True, "false": False}.get(value, value)
    return int(value) if name.startswith(("int", "uint")) else float(number(value))


def same(ours, theirs):
    """Equal bits, whichever NaN it is."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return False
    if theirs.dtype.kind == "c":
        return same(ours.real, theirs.real) and same(ours.imag, theirs.imag)
    if theirs.dtype.kind != "f":
        return bool((ours == theirs).all())
    ours = ours.astype(theirs.dtype)
    nan = np.isnan(theirs)
    return bool((np.isnan(ours) == nan).all() and (ours.view("u8")[~nan] == theirs.view("u8")[~nan]).all())


def comparable(array):
    return array if array.dtype.kind in "biu" or array.dtype.name in OURS[:6] else wide(array)


def check(folder):
    wrong = []
    with open(os.path.join(folder, "cases.json")) as source:
        cases = json.load(source)
    for case in cases:
        name = case["dtype"]
        array = np.fromfile(os.path.join(folder, case["file"]), dtype_of(name)).reshape(case["shape"])
        for i, view in enumerate(case["views"]):
            wanted = comparable(cut(array, **view))
            if name in OURS[:6]:
                wanted = wanted.astype(np.int64)
            start = os.path.join(folder, f"{case['file']}-{i}")
            read = np.load(start + ".npy")
            kind = np.int64 if wanted.dtype.kind in "iu" and wanted.dtype != np.uint64 else wanted.dtype
            if not same(comparable(read), wanted):
                wrong.append(f"{start}.npy")
            with open(start + ".json") as source:
                flat = json.load(source, parse_int=str)  # Else -0 would be an integer, 0.
                for _ in range(wanted.ndim - 1):
                    flat = [one for part in flat for one in part]
            flat = flat if wanted.ndim > 0 else [flat]
            if not same(np.array([parsed(v, name) for v in flat], kind).reshape(wanted.shape), wanted):
                wrong.append(f"{start}.json")
            with open(start + ".csv", newline="") as source:
                lines = list(csv.reader(source))
            width = wanted.shape[-1] if wanted.ndim > 1 else 1
            flat = [parsed(v, name) for line in lines for v in line]
            if any(len(line) != width for line in lines) or not same(np.array(flat, kind).reshape(wanted.shape), wanted):
                wrong.append(f"{start}.csv")
    return wrong


if __name__ == "__main__":
    answer = make(sys.argv[2], int(sys.argv[3])) if sys.argv[1] == "make" else check(sys.argv[2])
    print("@@" + json.dumps(answer))
