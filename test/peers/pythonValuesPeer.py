"""Saves one picklable object into FOLDER whose methods give every kind of value, or tell what they were given.

  pythonValuesPeer.py FOLDER
"""

import os
import sys

import cloudpickle

cloudpickle.register_pickle_by_value(sys.modules["__main__"])


class Values:
    def echo(self, value):
        return value

    def kinds(self, value):
        """Types of a value and of all in it."""
        if isinstance(value, dict):
            return {key: self.kinds(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.kinds(item) for item in value]
        return f"{type(value).__name__} {value!r}"

    def columns(self, frame):
        return [[name, str(frame[name].dtype), repr(frame[name].tolist())] for name in frame.columns]

    def give(self, name):
        """One value of a list of odd ones."""
        import collections
        import datetime
        import decimal

        import jax.numpy as jnp
        import ml_dtypes
        import numpy as np
        import pandas as pd

        a = np.array([1.5, 2.5], dtype="float32")
        pair = collections.namedtuple("Pair", "left right")
        stamp = pd.Timestamp("2020-01-01")
        makers = {
            "frame": lambda: pd.DataFrame(
                {"n": [1, 2], "x": [0.5, np.nan], "b": [True, False], "t": ["é", ""], "c": pd.Categorical(["u", "v"])},
                index=["first", "second"],
            )[["t", "x", "n", "c", "b"]],
            "frame of objects": lambda: pd.DataFrame({"o": pd.Series([1, 2.5], dtype=object)}),
            "frame of nullable integers": lambda: pd.DataFrame({"i": pd.array([1, 2**53 + 1], dtype="Int64")}),
            "frame with a missing integer": lambda: pd.DataFrame({"i": pd.array([1, None], dtype="Int64")}),
            "frame with missing texts": lambda: pd.DataFrame(
                {
                    "none": ["a", None, ""],
                    "nan": pd.Series(["é", np.nan, "c"], dtype=object),
                    "own": pd.array(["a", None, None], dtype="string"),
                    "kind": pd.Categorical(["u", None, "v"]),
                    "all": pd.Series([None] * 3, dtype=object),
                    "numbers": pd.Series([np.nan] * 3, dtype=object),
                }
            ),
            "frame with a missing text among numbers": lambda: pd.DataFrame({"t": pd.Series(["a", None, 1], dtype=object)}),
            "frame with a lone surrogate": lambda: pd.DataFrame({"t": pd.Series(["\ud800", None], dtype=object)}),
            "frame of mixed objects": lambda: pd.DataFrame({"o": [1, "a"]}),
            "frame of times": lambda: pd.DataFrame({"when": [stamp]}),
            "frame with numbered columns": lambda: pd.DataFrame([[1, 2]], columns=[10, 2]),
            "frame with tuples as columns": lambda: pd.DataFrame([[1]], columns=[("a", "b")]),
            "frame with times as columns": lambda: pd.DataFrame([[1]], columns=[stamp]),
            "frame with one name twice": lambda: pd.DataFrame([[1, 2]], columns=["n", "n"]),
            "empty frame": lambda: pd.DataFrame({"n": np.array([], dtype="int32")}),
            "series": lambda: pd.Series([1, 2], index=["a", "b"], name="n"),
            "series of texts": lambda: pd.Series(["a", "b"]),
            "series of times": lambda: pd.Series([stamp]),
            "float32 scalar": lambda: np.float32(1.5),
            "int64 scalar": lambda: np.int64(2**62),
            "bool scalar": lambda: np.bool_(True),
            "datetime64": lambda: np.datetime64("2020-01-01"),
            "timedelta64 array": lambda: np.array([1], dtype="timedelta64[s]"),
            "bfloat16": lambda: np.array([1.5, -2.0], dtype=ml_dtypes.bfloat16),
            "jax array": lambda: jnp.arange(3, dtype="int32"),
            "jax bfloat16": lambda: jnp.array([1.5], dtype="bfloat16"),
            "big-endian array": lambda: np.array([1, 2], dtype=">i4"),
            "strided array": lambda: np.arange(6, dtype="uint8").reshape(2, 3).T,
            "structured array": lambda: np.zeros(1, dtype=[("a", "i4")]),
            "longdouble array": lambda: np.zeros(1, dtype=np.longdouble),
            "array of objects": lambda: np.array([object()]),
            "array of true and a number": lambda: np.array([True, 2], dtype=object),
            "array that rounds": lambda: np.array([2**60 + 1, 0.5], dtype=object),
            "masked array": lambda: np.ma.array([1, 2], mask=[True, False]),
            "tuple of arrays": lambda: (a, np.int64(3)),
            "nested tuple": lambda: (a, (a, [1])),
            "dict of arrays": lambda: {"b": a, "a": [1.0, 2]},
            "dict of numbered arrays": lambda: {str(i): a for i in (10, 9, 2)},
            "nested dict": lambda: {"x": {"y": a, "s": np.float64(3.0)}},
            "dict with numbers as keys": lambda: {10: "a", 9: 3.0},
            "dict with one text twice": lambda: {1: "a", "1": "b"},
            "dict with a float as key": lambda: {1.5: "a"},
            "named tuple": lambda: pair(1, 2.0),
            "floats": lambda: [3.0, -0.0, 1e300, float("nan"), float("-inf"), 2**70, 1],
            "bytes": lambda: b"raw",
            "list with bytes": lambda: [1, b"raw"],
            "set": lambda: {1},
            "Decimal": lambda: decimal.Decimal("1.5"),
            "complex": lambda: 1j,
            "complex array": lambda: np.array([1j]),
            "datetime": lambda: datetime.date(2020, 1, 1),
            "itself": lambda: self.endless(),
            "lone surrogate": lambda: "\ud800",
            "array of a lone surrogate": lambda: np.array(["\ud800"]),
            "none": lambda: None,
        }
        return makers[name]()

    def endless(self):
        found = []
        found.append(found)
        return found


if __name__ == "__main__":
    with open(os.path.join(sys.argv[1], "saved_model.pkl"), "wb") as file:
        cloudpickle.dump(Values(), file)
