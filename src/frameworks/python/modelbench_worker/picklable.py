"""Models of `bentoml.picklable_model`: any object that cloudpickle wrote."""

from __future__ import annotations

import inspect
import os
import pickle
from typing import Any, Dict, List, Mapping, Sequence

from .failures import WorkerError, require
from .values import settled

MODULES = ("bentoml.picklable_model", "bentoml._internal.frameworks.picklable_model")
MODEL_FILE = "saved_model.pkl"


def import_framework() -> None:
    """Raises WorkerError `python.missing` without cloudpickle."""
    require({"cloudpickle": "cloudpickle"}, "A picklable model")
    import cloudpickle  # noqa: F401


def load(request: Mapping[str, Any]) -> "ObjectModel":
    """The model of a load request. Raises WorkerError `model.broken` for a file that is gone or cut short."""
    import cloudpickle

    with open_file(request["folder"], MODEL_FILE) as file:
        model = unpickled(cloudpickle.load, file, MODEL_FILE)
    return ObjectModel(model, partial_kwargs(request), ("cloudpickle",))


class ObjectModel:
    """An object whose methods are called as they are."""

    device = "cpu"

    def __init__(self, model: Any, partial: Mapping[str, Mapping[str, Any]], packages: Sequence[str]) -> None:
        self._model = model
        self._partial = partial
        self.packages = packages
        self.methods = methods_of(model)

    def prepare(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any], batch: Any = None) -> Any:
        """The call, ready to be made: arguments of the call win over partial ones, as in BentoML.

        `batch`: what is known of its rows; nothing is compiled here for a number of them.
        Raises WorkerError `method.notFound`.
        """
        bound = method_of(self._model, method, self.methods)
        merged = dict(self._partial.get(method) or {}, **kwargs)
        return lambda: settled(bound(*args, **merged))


def open_file(folder: str, name: str) -> Any:
    """A file of the model, opened for reading bytes. Raises WorkerError `model.broken`."""
    try:
        return open(os.path.join(folder, name), "rb")
    except OSError as error:
        raise WorkerError("model.broken", f"The model's file {name} cannot be read: {error.strerror}.") from None


def unpickled(load: Any, file: Any, name: str) -> Any:
    """What `load` reads from the file. Raises WorkerError `model.broken` for bytes that are no whole pickle."""
    try:
        return load(file)
    except (pickle.UnpicklingError, EOFError) as error:
        raise WorkerError("model.broken", f"The model's file {name} is damaged: {error}") from None


def partial_kwargs(request: Mapping[str, Any]) -> Dict[str, Any]:
    """Keyword arguments by method, as the model's options have them. Raises WorkerError `model.broken`."""
    partial = (request.get("options") or {}).get("partial_kwargs") or {}
    if not isinstance(partial, dict) or not all(isinstance(each or {}, dict) for each in partial.values()):
        raise WorkerError("model.broken", "The option partial_kwargs of the model is no table of methods.")
    return partial


def method_of(model: Any, method: str, methods: Sequence[str]) -> Any:
    """The bound method of that name. Raises WorkerError `method.notFound` naming those there are."""
    found = getattr(model, method, None)
    if callable(found):
        return found
    there = ", ".join(methods) if methods else "none"
    raise WorkerError("method.notFound", f"The model has no method {method}. It has: {there}.")


def methods_of(model: Any) -> List[str]:
    """Names of what can be called on an object: `__call__` first, nothing private. Runs no property."""
    names = ["__call__"] if callable(model) else []
    for name in dir(model):
        if name.startswith("_") or isinstance(inspect.getattr_static(model, name, None), property):
            continue
        try:
            if callable(getattr(model, name)):
                names.append(name)
        except Exception:  # A method that this model does not have in its present state.
            continue
    return names
