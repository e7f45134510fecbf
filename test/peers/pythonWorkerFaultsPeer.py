"""Writes picklable models that print, fail, wait and answer with every kind of value.

  pythonWorkerFaultsPeer.py FOLDER CANARY    FOLDER/odd, FOLDER/project and the project FOLDER/src beside them; whatever
                                             of the project's files must not be imported writes CANARY
"""

import os
import sys

import cloudpickle

folder, canary = sys.argv[1:]


class Odd:
    """Methods by what is odd about them."""

    def __init__(self):
        self.calls = 0

    def echo(self, x):
        return x

    def typed(self, x):
        return f"{type(x).__name__} {getattr(x, 'dtype', x)} {getattr(x, 'shape', '')}"

    def adds(self, x):
        x += 1
        return x

    def counts(self):
        self.calls += 1
        return self.calls

    def prints(self, x):
        import os
        import sys

        print("printed by the model")
        sys.stderr.write("written by the model\n")
        os.write(1, b"written to descriptor 1\n")
        os.system("echo printed by a child")
        try:
            input("a question")
        except EOFError:
            return x

    def hides(self, module):
        """From here on this process does not have that module."""
        import sys

        sys.modules[module] = None

    def lacks(self):
        import not_to_be_found.at_all  # noqa: F401

    def fails(self, x):
        def inner(y):
            raise ValueError(f"cannot take {y}")

        return inner(x)

    def explains(self):
        error = ValueError("no price")
        error.__notes__ = ["Seen in row 3.", 7, "Set JAX_TRACEBACK_FILTERING=off to see more."]
        try:
            {}["rates"]
        except KeyError as cause:
            raise error from cause

    def several(self):
        class OddGroup(Exception):
            exceptions = (ValueError("one"), TypeError("two\nlines"))

        raise OddGroup("many")

    def exits(self):
        import sys

        sys.exit(3)

    def hungry(self):
        import numpy

        return numpy.empty(2**50)

    def limits(self, spare):
        """From here on this process may take only so many more bytes."""
        import resource

        with open("/proc/self/statm") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + spare, resource.RLIM_INFINITY))

    def waits(self):
        import threading

        print("the wait begins")
        threading.Event().wait()

    def kind(self, which):
        import numpy
        import scipy.sparse

        arrays = numpy.arange(4.0).reshape(2, 2)
        return {
            "tuple": (arrays, numpy.float32(0.5)),
            "dict": {"a": arrays, 2: arrays[0]},
            "transposed": arrays.T,
            "big-endian": arrays.astype(">f4"),
            "sparse": scipy.sparse.csr_matrix(arrays),
            "scalar": numpy.int16(-3),
            "texts": numpy.array(["a", "bcd"], dtype=object),
            "bytes": numpy.array([b"a", b"bc"]),
            "numbers": numpy.array([1, 2.5], dtype=object),
            "empty": numpy.empty((0, 3), numpy.int8),
            "generator": (item for item in (1, 2)),
            "numpy in a list": [{"label": "cat", "score": numpy.float64(0.25)}],
            "pair": (1, "a"),
            "none": None,
            "not finite": [float("nan"), float("inf"), -float("inf")],
            "large": 2**70,
            "classes": {numpy.int64(1): "one"},
            "set": {1},
            "nested set": {"a": [{1}]},
            "mixed": numpy.array([1, "a"], dtype=object),
            "dates": numpy.array(["2020-01-01"], dtype="datetime64[D]"),
            "long double": numpy.zeros(1, numpy.longdouble),
            "records": numpy.zeros(1, [("a", "i4")]),
            "huge sparse": scipy.sparse.csr_matrix((2**20, 2**20)),
            "masked": numpy.ma.masked_array([1, 2], [True, False]),
        }[which]


def write(path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def save(name, model, pickle=cloudpickle.dump):
    os.makedirs(os.path.join(folder, name))
    with open(os.path.join(folder, name, "saved_model.pkl"), "wb") as file:
        pickle(model, file)


cloudpickle.register_pickle_by_value(sys.modules["__main__"])
save("odd", Odd())
with open(os.path.join(folder, "odd", "custom_objects.pkl"), "wb") as file:
    wide = {f"long {n}": "字" * 5000 for n in range(200)}
    cloudpickle.dump({**wide, **{str(n) + "字" * 5000: n for n in range(700)}}, file)

write("src/shop/__init__.py", "")
write("src/shop/prices.py", "import shop_rates\n\n\nclass Price:\n    def times(self, x):\n        return x * shop_rates.RATE\n")
write("src/shop_rates.py", "RATE = 3\n")
shadows = "json bentoml numpy pandas sitecustomize polars jax_plugins modelbench_worker lz4 _winapi".split()
for shadow in shadows:
    write(f"src/{shadow}.py", f"open({canary!r}, 'a').write('{shadow} ')\n")
write("src/.env", f"PYTHONSTARTUP={folder}/src/json.py\n")
write("src/own.pth", f"import sys; open({canary!r}, 'a').write('pth ')\n")
sys.path.insert(0, os.path.join(folder, "src"))
from shop.prices import Price  # noqa: E402

save("project", Price())


def asks(names):
    import importlib

    found = []
    for name in names:
        try:
            found.append(getattr(importlib.import_module(name), "__file__", None) or "built in")
        except ModuleNotFoundError:
            found.append("")
    return found


save("asks", asks)
print("@@" + str(shadows).replace("'", '"'))
