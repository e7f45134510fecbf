"""NNX modules: a pickled module, or a function that makes one, and its weights as a pure dict.

The weights are `saved_model.msgpack`, a dict by attribute as `nnx.to_pure_dict` gives it, or `saved_model.safetensors`
with the same names joined by dots. What they leave out, for instance random keys, stays as the module has it.
"""

from __future__ import annotations

import inspect
import os
import sys
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from .failures import WorkerError, require
from .jitted import JittedModel
from .picklable import methods_of, open_file

MSGPACK_FILE = "saved_model.msgpack"
SAFETENSORS_FILE = "saved_model.safetensors"


def is_module(value: Any) -> bool:
    """Whether a value is a module of NNX; its pickle has imported NNX then."""
    nnx = sys.modules.get("flax.nnx")
    return nnx is not None and isinstance(value, nnx.Module)


def read_graph(folder: str, made: Any) -> Tuple[Any, Any]:
    """(graph, state) of a module with its weights, set to evaluate: no dropout, running averages.

    `made`: the module, or what makes it, called with `rngs` when it takes them.
    Raises WorkerError `model.broken` for weights that do not belong to the module.
    """
    from flax import nnx

    module = made if is_module(made) else make(made)
    weights = nnx.restore_int_paths(with_text_keys(read_weights(folder)))
    check_weights(module, weights, every=module is not made)
    state = nnx.state(module)
    nnx.replace_by_pure_dict(state, weights)
    nnx.update(module, state)
    module.set_attributes(deterministic=True, use_running_average=True, raise_if_not_found=False)
    return nnx.split(module)


def check_weights(module: Any, weights: Dict[Any, Any], every: bool) -> None:
    """Raises WorkerError `model.broken` for a weight that the module has not, or has in another shape.

    `every`: also for one that is left out, where the module was made just now and has nothing but random ones.
    """
    from flax import nnx

    _, keys, own = nnx.split(module, nnx.RngState, ...)
    wanted = {path: leaf.shape for path, leaf in flat(nnx.to_pure_dict(own)).items()}
    random = flat(nnx.to_pure_dict(keys))
    given = {path: getattr(leaf, "shape", ()) for path, leaf in flat(weights).items()}
    for path in sorted({**wanted, **given} if every else given, key=str):
        name = ".".join(map(str, path))
        if path in random:
            remedy = "Save what nnx.split(module, nnx.RngState, ...) gives as its last item."
            raise WorkerError("model.broken", f"{name} among the weights is random state, which is none.", remedy)
        if path not in wanted:
            raise WorkerError("model.broken", f"The weights have {name}, which {type(module).__name__} has not.")
        if wanted[path] != given.get(path):
            found = f"{list(given[path])}" if path in given else "nothing"
            words = f"{name} of {type(module).__name__} has shape {list(wanted[path])}; the weights have {found}."
            raise WorkerError("model.broken", words)


def flat(tree: Mapping[Any, Any], path: Tuple[Any, ...] = ()) -> Dict[Tuple[Any, ...], Any]:
    """Leaves of a nested dict by path."""
    leaves: Dict[Tuple[Any, ...], Any] = {}
    for key, value in tree.items():
        leaves.update(flat(value, (*path, key)) if isinstance(value, dict) else {(*path, key): value})
    return leaves


def make(factory: Any) -> Any:
    """The module that a class or function makes. Raises WorkerError `model.broken` where it makes another thing."""
    from flax import nnx

    # The class's own metaclass stands in front of its parameters.
    called = factory.__init__ if isinstance(factory, type) else factory
    takes_rngs = "rngs" in inspect.signature(called).parameters
    module = factory(rngs=nnx.Rngs(0)) if takes_rngs else factory()
    if not isinstance(module, nnx.Module):
        raise WorkerError("model.broken", f"The model's module is made as a {type(module).__name__}, not by Flax.")
    return module


def read_weights(folder: str) -> Dict[str, Any]:
    """The pure dict of a model's folder. Raises WorkerError `model.broken`, or `python.missing` without safetensors."""
    if os.path.exists(os.path.join(folder, SAFETENSORS_FILE)):
        require({"safetensors": "safetensors"}, "The model's weights are such that it")
        from safetensors.numpy import load_file

        return nested(load_file(os.path.join(folder, SAFETENSORS_FILE)))
    from flax import serialization

    with open_file(folder, MSGPACK_FILE) as file:
        data = file.read()
    try:
        weights = serialization.msgpack_restore(data)
    except Exception as error:
        raise WorkerError("model.broken", f"{MSGPACK_FILE} cannot be restored: {error}") from None
    if not isinstance(weights, dict):
        raise WorkerError("model.broken", f"{MSGPACK_FILE} of the model is no dict of weights.")
    return weights


def nested(named: Mapping[str, Any]) -> Dict[str, Any]:
    """`{"a.b": x}` as `{"a": {"b": x}}`."""
    tree: Dict[str, Any] = {}
    for name, value in named.items():
        *parents, last = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = value
    return tree


def with_text_keys(tree: Any) -> Any:
    """A pure dict with positions of lists as texts, whichever way they were saved."""
    return {str(key): with_text_keys(value) for key, value in tree.items()} if isinstance(tree, dict) else tree


class NnxModel(JittedModel):
    """A module of NNX, put together anew for every call: a call changes nothing of it."""

    def __init__(self, graph: Any, state: Any, partial: Mapping[str, Any], device: str) -> None:
        from flax import nnx

        self._graph = graph
        self._module = nnx.merge(graph, state)
        own = {name for name in dir(type(self._module)) if not hasattr(nnx.Module, name)}
        names: List[str] = [name for name in methods_of(self._module) if name in own or name == "__call__"]
        super().__init__(names, state, partial, device)

    def has_method(self, method: str) -> bool:
        """Whether the module has it."""
        return callable(getattr(self._module, method, None))

    def call_method(self, method: str, variables: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The method of a module made of this state."""
        from flax import nnx

        return getattr(nnx.merge(self._graph, variables), method)(*args, **kwargs)
