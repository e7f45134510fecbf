"""What Python itself makes of pickles: `judge BATCH` follows them with every import and call stubbed, `make FOLDER`
writes real ones of several libraries."""

import copyreg
import hashlib
import io
import itertools
import json
import pickle
import pickletools
import resource
import struct
import sys

# A memo index or a length may ask for any amount of memory.
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))


class Meta(type):
    """Whatever is imported is a class that takes everything, and so is whatever a call of it returns."""

    def __call__(cls, *args, **named):
        cls.log["calls"].append(cls.label)
        return cls

    def __setitem__(cls, key, value):
        pass


def stub(log, label):
    def new(cls, *args, **named):
        log["calls"].append(label)
        return cls

    nothing = staticmethod(lambda *args, **named: None)
    members = {"__new__": new, "__setstate__": nothing, "extend": nothing, "append": nothing, "add": nothing}
    return Meta("Stub", (), {**members, "log": log, "label": label})


def followed(base, data):
    log = {"imports": [], "exts": [], "persids": 0, "calls": []}

    class Follower(base):
        def find_class(self, module, name):
            if module == "mb-ext":
                log["exts"].append(int(name))
                return stub(log, ["", "an extension"])
            log["imports"].append([module, name])
            return stub(log, [module, name])

        def persistent_load(self, pid):
            log["persids"] += 1
            return stub(log, ["", "a persistent object"])

    copyreg._extension_cache.clear()
    try:
        Follower(io.BytesIO(data), buffers=itertools.repeat(b"buffer")).load()
        error = None
    except BaseException as raised:  # noqa: BLE001 - what a pickle raises is the answer
        error = f"{type(raised).__name__}: {raised}"
    return {**log, "error": error}


class PythonFollower(pickle._Unpickler):
    """The same names as Python 3 has them: the C class does not tell which protocol was declared."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data), buffers=itertools.repeat(b"buffer"))
        self.imports = []

    def find_class(self, module, name):
        if self.proto < 3:
            if (module, name) in pickle._compat_pickle.NAME_MAPPING:
                module, name = pickle._compat_pickle.NAME_MAPPING[(module, name)]
            elif module in pickle._compat_pickle.IMPORT_MAPPING:
                module = pickle._compat_pickle.IMPORT_MAPPING[module]
        self.imports.append([module, name])
        return stub({"calls": []}, "")

    def get_extension(self, code):
        self.append(stub({"calls": []}, ""))

    def persistent_load(self, pid):
        return stub({"calls": []}, "")


def mapped(data):
    follower = PythonFollower(data)
    try:
        follower.load()
    except BaseException:  # noqa: BLE001
        return None
    return follower.imports


def ended(data):
    try:
        for _ in pickletools.genops(source := io.BytesIO(data)):
            pass
        return source.tell()
    except BaseException as raised:  # noqa: BLE001
        return f"{type(raised).__name__}: {raised}"


def judge(path):
    for code in range(1, 65536):
        copyreg._inverted_registry[code] = ("mb-ext", str(code))
    answers = []
    with open(path, "rb") as file:
        while head := file.read(4):
            data = file.read(struct.unpack("<I", head)[0])
            for at in range(len(data) - 4):
                if data[at] == 0x84:
                    code = struct.unpack("<i", data[at + 1 : at + 5])[0]
                    copyreg._inverted_registry[code] = ("mb-ext", str(code))
            answers.append({**followed(pickle.Unpickler, data), "mapped": mapped(data), "end": ended(data)})
    return answers


class Plain:
    def __init__(self):
        self.a = [1, 2.5, "x", b"y", None, True, 2**70, -1]
        self.b = {"k": (1, 2), 3: {4, 5}, "f": frozenset([6])}
        self.same = self.a


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self):
        self.x, self.y = 1, "two"


def objects():
    import collections
    import datetime
    import decimal
    import uuid

    import numpy as np

    nested = [1]
    nested.append(nested)
    return {
        "plain": Plain(),
        "slots": Slotted(),
        "nested": nested,
        "ordered": collections.OrderedDict(a=1, b=[2, 3]),
        "values": [datetime.date(2026, 1, 2), decimal.Decimal("1.5"), uuid.UUID(int=7), range(3), slice(1, 2)],
        "texts": ["é\n", "\ud800", "x" * 300, b"\x80\x04.", bytearray(b"z"), "back\\slash \\u0041"],
        "numbers": [0, 255, 65536, -(2**31), 2**63, 1e308, float("inf"), -0.0, 3 + 4j],
        "arrays": {"f": np.arange(6, dtype="f4").reshape(2, 3), "be": np.arange(3, dtype=">i2"), "s": np.float16(1.5)},
        "fortran": np.asfortranarray(np.arange(12, dtype="f8").reshape(3, 4)),
        "objects": np.array([{"a": 1}, None], dtype=object),
        "keyed": {(1, "a"): np.ones(1), (2,): np.ones(2), None: np.ones(3), False: np.ones(4), 2**70: np.ones(5)},
        "exception": ValueError("no"),
        "builtin": [len, print, dict],
    }


def models():
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(7)
    x, y = random.normal(size=(30, 4)), random.integers(0, 2, size=30)
    return {
        "logistic": LogisticRegression().fit(x, y),
        "forest": make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=3, random_state=1)).fit(x, y),
    }


def written(folder, name, data, globals_of=None):
    path = f"{folder}/{name}"
    with open(path, "wb") as file:
        file.write(data)
    return {"file": path, "imports": globals_of if globals_of is not None else imports_of(data)}


def imports_of(data):
    """Follows all pickles of a file that has nothing between them."""
    found, source = [], io.BytesIO(data)
    while source.tell() < len(data):
        follower = PythonFollower(b"")
        pickle._Unpickler.__init__(follower, source)
        follower.load()
        found += follower.imports
    return found


def make(folder):
    import cloudpickle

    cases = []
    for name, value in objects().items():
        for protocol in range(6):
            if name == "slots" and protocol < 2:
                continue
            cases.append(written(folder, f"{name}-{protocol}.pkl", pickle.dumps(value, protocol)))
    for name, value in models().items():
        cases.append(written(folder, f"{name}.pkl", pickle.dumps(value)))

    def scale(x, by=2):
        import math

        return math.sqrt(x) * by

    class Predictor:
        def predict(self, x):
            return scale(x)

    for name, value in {"function": scale, "lambda": lambda x: x + 1, "class": Predictor, "instance": Predictor()}.items():
        cases.append({**written(folder, f"cloud-{name}.pkl", cloudpickle.dumps(value)), "verdict": "code"})
    cases.append(written(folder, "several.pkl", b"".join(pickle.dumps([i, Plain()], i % 6) for i in range(12))))
    return cases


def joblib_files(folder):
    """joblib files with the arrays that joblib itself loads from them."""
    import joblib
    import numpy as np

    random = np.random.default_rng(11)
    cases = []

    def digest(value):
        value = np.asarray(value)
        data = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
        return {"dtype": value.dtype.name, "shape": list(value.shape), "sha256": hashlib.sha256(data).hexdigest()}

    dtypes = ["f4", "f8", "i2", ">i4", "u1", "?", "f2", "c8", ">f8"]
    for turn in range(20):
        arrays = []
        for index in range(int(random.integers(1, 6))):
            shape = tuple(int(n) for n in random.integers(0, 7, size=int(random.integers(0, 4))))
            array = (random.normal(size=shape) * 50).astype(dtypes[int(random.integers(len(dtypes)))])
            arrays.append(np.asfortranarray(array) if index % 3 == 2 else array)
        for suffix, compress in (("", 0), (".z", 3), (".gz", ("gzip", 3)), (".bz2", ("bz2", 3)), (".xz", ("xz", 1))):
            path = f"{folder}/arrays-{turn}{suffix}.joblib"
            value = {"n": turn, "arrays": arrays, "mixed": [arrays[0], {"objects": np.array([1, "x", None], object)}]}
            joblib.dump(value, path, compress=compress)
            loaded = joblib.load(path)
            cases.append({"file": path, "opaque": suffix == ".xz", "arrays": [digest(a) for a in loaded["arrays"]]})
    return cases


def main():
    operation, argument = sys.argv[1:]
    answers = {"judge": judge, "make": make, "joblib": joblib_files}[operation](argument)
    # The mark that the reader looks for must stand nowhere else.
    print("@@" + json.dumps(answers).replace("@@", "@\\u0040"))


if __name__ == "__main__":
    main()
