"""Saves an object of the user's project with the files that BentoML writes for it.

| adapter | files | as `save_model` of |
|---|---|---|
| `picklable` | `saved_model.pkl` by cloudpickle | bentoml.picklable_model |
| `sklearn` | `saved_model.pkl` by joblib | bentoml.sklearn |
| `flax` | `saved_model.msgpack`, and under `_module` of the custom objects the module | bentoml.flax |
| `onnx` | `saved_model.onnx` | bentoml.onnx |

Custom objects are `custom_objects.pkl`, a dict by cloudpickle. model.yaml is not written here.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from . import flax, nnx, paths, picklable, sklearn
from .failures import WorkerError, require
from .frames import malformed, show
from .project_module import evaluate, import_file

ONNX_FILE = "saved_model.onnx"

# The first of these that is installed is what runs the model, and is named with its version.
ONNX_RUNTIMES = ("onnxruntime-gpu", "onnxruntime", "onnxruntime-silicon")


class Source(NamedTuple):
    """What is saved: the object, for a Linen module its state, and the user's own objects by name."""

    value: Any
    state: Optional[Any]
    custom_objects: Dict[str, Any]


class Saver(NamedTuple):
    """One adapter: what it has to import, which packages' versions count, and how it writes; `write` gives methods."""

    import_framework: Callable[[], None]
    packages: Sequence[str]
    write: Callable[[Source, str], List[str]]


def save(data: Mapping[str, Any]) -> Dict[str, Any]:
    """Runs the user's file, makes the object and writes its files into an empty folder.

    `data`: {adapter, file, target, state, folder, workingFolder, paths, preload, customObjects: [{name, expression}],
    externalModules: [name]}; `adapter` may be `auto`. Answers {adapter, type, versions, python, methods}.
    Raises WorkerError, or whatever the user's code raises.
    """
    folder = empty_folder(data)
    os.chdir(text(data, "workingFolder"))
    paths.use_project(data.get("paths") or [])
    paths.preload(data.get("preload") or [])
    module = import_file(text(data, "file"), data.get("paths") or [])
    source = read_source(data, module)
    adapter = data.get("adapter")
    if adapter == "auto":
        adapter = fitting(source.value)
    if not isinstance(adapter, str) or adapter not in SAVERS:
        raise WorkerError("run.unsupported", f"This worker saves {', '.join(SAVERS)}, not {show(adapter)}.")
    saver = SAVERS[adapter]
    saver.import_framework()
    with by_value(data.get("externalModules") or []):
        methods = saver.write(source, folder)
        write_custom_objects(source, folder)
    return {
        "adapter": adapter,
        "type": type_name(source.value),
        "versions": versions(saver.packages),
        "python": ".".join(map(str, sys.version_info[:3])),
        "methods": methods,
    }


def read_source(data: Mapping[str, Any], module: Any) -> Source:
    """The objects that a request names, each made once. Raises whatever making them raises."""
    value = evaluate(text(data, "target"), module)
    state = evaluate(text(data, "state"), module) if data.get("state") else None
    objects: Dict[str, Any] = {}
    for entry in data.get("customObjects") or []:
        # As a literal in a program is: what a pickle refers to once depends on it.
        objects[sys.intern(text(entry, "name"))] = evaluate(text(entry, "expression"), module)
    return Source(value, state, objects)


def fitting(value: Any) -> str:
    """The adapter for an object, told by the classes that its own code has imported."""
    if is_instance(value, "flax.linen", "Module") or is_instance(value, "flax.nnx", "Module"):
        return "flax"
    if is_instance(value, "sklearn.base", "BaseEstimator"):
        return "sklearn"
    return "onnx" if is_instance(value, "onnx", "ModelProto") else "picklable"


def is_instance(value: Any, module: str, name: str) -> bool:
    """Whether a value is of a class of a module that may not even be imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def write_picklable(source: Source, folder: str) -> List[str]:
    """Any object, by cloudpickle."""
    import cloudpickle

    with open(os.path.join(folder, picklable.MODEL_FILE), "wb") as file:
        cloudpickle.dump(source.value, file)
    return picklable.methods_of(source.value)


def write_sklearn(source: Source, folder: str) -> List[str]:
    """An estimator or a pipeline, by joblib."""
    import joblib
    from sklearn.base import BaseEstimator

    if not isinstance(source.value, BaseEstimator):
        raise not_a("an estimator or pipeline of scikit-learn", source.value)
    joblib.dump(source.value, os.path.join(folder, picklable.MODEL_FILE))
    return picklable.methods_of(source.value)


def write_flax(source: Source, folder: str) -> List[str]:
    """A Linen module with its state, or a module of NNX with its own weights."""
    from flax import linen, serialization

    module = source.value
    if isinstance(module, linen.Module):
        if source.state is None:
            remedy = "Name what gives it, for instance `variables` or `train_state`."
            raise WorkerError("input.notFound", "A module of Linen is saved with its state, and none was named.", remedy)
        state, methods = source.state, flax.methods_of(type(module))
    elif nnx.is_module(module):
        state, methods = nnx_weights(source), nnx_methods(module)
    else:
        raise not_a("a module of Flax", module)
    with open(os.path.join(folder, flax.STATE_FILE), "wb") as file:
        file.write(serialization.to_bytes(state))
    source.custom_objects[flax.MODULE_KEY] = module
    return methods


def nnx_weights(source: Source) -> Dict[str, Any]:
    """Everything of a module of NNX but its random keys, or the state that was named, as a dict with texts as keys."""
    from flax import nnx as library

    if source.state is None:
        _, _, state = library.split(source.value, library.RngState, ...)
    else:
        state = source.state
    pure = state if isinstance(state, dict) else library.to_pure_dict(state)
    return nnx.with_text_keys(pure)


def nnx_methods(module: Any) -> List[str]:
    """Names of a module's own methods, without what every module of NNX has."""
    from flax import nnx as library

    own = {name for name in dir(type(module)) if not hasattr(library.Module, name)}
    return [name for name in picklable.methods_of(module) if name in own or name == "__call__"]


def import_onnx() -> None:
    """Raises WorkerError `python.missing` without the onnx package."""
    require({"onnx": "onnx"}, "Saving an ONNX model")


def write_onnx(source: Source, folder: str) -> List[str]:
    """A ModelProto, in one file."""
    import onnx

    if not isinstance(source.value, onnx.ModelProto):
        raise not_a("an onnx.ModelProto", source.value)
    onnx.save(source.value, os.path.join(folder, ONNX_FILE))
    return ["run"]


SAVERS: Dict[str, Saver] = {
    "picklable": Saver(picklable.import_framework, ("cloudpickle",), write_picklable),
    "sklearn": Saver(sklearn.import_framework, ("scikit-learn",), write_sklearn),
    "flax": Saver(flax.import_framework, ("flax", "jax", "jaxlib"), write_flax),
    "onnx": Saver(import_onnx, ("onnx", *ONNX_RUNTIMES), write_onnx),
}


def write_custom_objects(source: Source, folder: str) -> None:
    """The custom objects where there are any, as a pickle of their dict."""
    if not source.custom_objects:
        return
    require({"cloudpickle": "cloudpickle"}, "Saving custom objects")
    import cloudpickle

    with open(os.path.join(folder, flax.OBJECTS_FILE), "wb") as file:
        cloudpickle.dump(source.custom_objects, file)


@contextmanager
def by_value(names: Sequence[str]) -> Iterator[None]:
    """While it lasts, what cloudpickle writes takes the code of these modules along instead of naming them."""
    if not names:
        yield
        return
    require({"cloudpickle": "cloudpickle"}, "Saving a module's code with a model")
    import cloudpickle

    known = cloudpickle.list_registry_pickle_by_value()
    modules = [importlib.import_module(name) for name in dict.fromkeys(names) if name not in known]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def versions(packages: Sequence[str]) -> Dict[str, str]:
    """Versions of those packages that are installed; of several that run ONNX the first."""
    from importlib import metadata

    found: Dict[str, str] = {}
    for package in packages:
        if package in ONNX_RUNTIMES and any(other in found for other in ONNX_RUNTIMES):
            continue
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def type_name(value: Any) -> str:
    """The class of a value, with its module."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def not_a(wanted: str, value: Any) -> WorkerError:
    """The failure for an object that the chosen framework does not save."""
    return WorkerError("model.framework", f"The object is a {type_name(value)}, not {wanted}.")


def empty_folder(data: Mapping[str, Any]) -> str:
    """The folder to write into. Raises WorkerError `file.access` unless it is there and empty."""
    folder = text(data, "folder")
    try:
        is_empty = os.path.isabs(folder) and not os.listdir(folder)
    except OSError:
        is_empty = False
    if not is_empty:
        raise WorkerError("file.access", f"{folder} is not an empty folder to save into.")
    return folder


def text(data: Any, key: str) -> str:
    """A text of a request. Raises BadFrame where it is none."""
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, str) or value == "":
        raise malformed(f"a save without {key}")
    return value
