"""Models of `bentoml.flax`: a module in `custom_objects.pkl` and its state beside it.

A Linen module has its state in `saved_model.msgpack`, as BentoML writes it; for a module of NNX see `nnx`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping as MappingType
from typing import Any, Dict, List, Mapping, Sequence

from . import nnx
from .failures import WorkerError, require
from .jitted import JittedModel
from .picklable import open_file, partial_kwargs, unpickled

MODULES = ("bentoml.flax", "bentoml._internal.frameworks.flax")
STATE_FILE = "saved_model.msgpack"
OBJECTS_FILE = "custom_objects.pkl"
MODULE_KEY = "_module"

# Platforms by the names that jax knows, to say which are there.
PLATFORMS = ("cpu", "cuda", "rocm", "tpu", "METAL")


def import_framework() -> None:
    """Starts no device of jax. Raises WorkerError `python.missing` without jax or Flax."""
    needed = {"jax": "jax", "jaxlib": "jaxlib", "flax": "flax", "cloudpickle": "cloudpickle"}
    require(needed, "A model of Flax")
    import cloudpickle  # noqa: F401
    import flax.linen
    import flax.serialization  # noqa: F401
    import jax.numpy  # noqa: F401

    hide_gpus_from_tensorflow()


def load(request: Mapping[str, Any]) -> JittedModel:
    """The model of a load request.

    Raises WorkerError `device.unavailable` for a platform that jax does not have here, `model.broken` for files that
    are no module with its state.
    """
    from flax import linen

    folder, init = request["folder"], request.get("init") is not False
    module = read_module(folder)
    hide_gpus_from_tensorflow()
    device = find_device(request.get("device") or "")
    jax_default(device)
    if isinstance(module, linen.Module):
        variables = to_device(variables_of(read_state(folder, module)), device, init)
        return LinenModel(module, variables, partial_kwargs(request), device)
    graph, state = nnx.read_graph(folder, module)
    return nnx.NnxModel(graph, to_device(state, device, init), partial_kwargs(request), device_name(device))


def hide_gpus_from_tensorflow() -> None:
    """Keeps tensorflow, where something has imported it, from taking the memory of GPUs that jax is to use."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or not hasattr(tensorflow, "config"):
        return
    try:
        tensorflow.config.set_visible_devices([], "GPU")
    except (AttributeError, RuntimeError) as error:  # Too late: it has started using them.
        print(f"tensorflow keeps its GPUs: {error}", file=sys.stderr)


def read_module(folder: str) -> Any:
    """The module by its own pickle, or for NNX what makes one. Raises WorkerError `model.broken`."""
    import cloudpickle
    from flax import linen

    with open_file(folder, OBJECTS_FILE) as file:
        objects = unpickled(cloudpickle.load, file, OBJECTS_FILE)
    module = objects.get(MODULE_KEY) if isinstance(objects, dict) else None
    if isinstance(module, linen.Module) or callable(module) or nnx.is_module(module):
        return module
    found = "no module" if module is None else f"a {type(module).__name__}"
    raise WorkerError("model.broken", f"{OBJECTS_FILE} of the model has {found} where its module should be.")


def read_state(folder: str, module: Any) -> Any:
    """The state that belongs to a module: a dict, or what the module's registered type is restored to."""
    from flax import serialization

    with open_file(folder, STATE_FILE) as file:
        data = file.read()
    try:
        return serialization.from_bytes(module, data)
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
        raise WorkerError("model.broken", f"The state in {STATE_FILE} cannot be restored: {words}") from None


def variables_of(state: Any) -> Dict[str, Any]:
    """The whole state as what `apply` takes: every collection in it.

    Of a TrainState, or another struct, those fields that are collections: its step and its optimizer are none, and its
    `params` may hold all variables of the model. Raises WorkerError `model.broken`.
    """
    if not isinstance(state, MappingType):
        state = getattr(state, "__dict__", None)
    if not isinstance(state, MappingType):
        raise WorkerError("model.broken", f"The state in {STATE_FILE} is no set of variables.")
    if "params" not in state or all(isinstance(value, MappingType) for value in state.values()):
        return dict(state)
    collections = {name: value for name, value in state.items() if isinstance(value, MappingType)}
    collections.pop("opt_state", None)
    params = collections["params"] if "params" in collections else {}
    if isinstance(params.get("params"), MappingType):
        collections.pop("params")
        return {**collections, **params}
    return collections


def jax_default(device: Any) -> None:
    """Lets jax use a device wherever nothing else is said."""
    import jax

    jax.config.update("jax_default_device", device)


def to_device(variables: Any, device: Any, init: bool) -> Any:
    """The variables as jax arrays on a device, as `bentoml.flax.load_model` makes them for either value of `init`."""
    import jax

    if init:
        return jax.tree_util.tree_map(jax.numpy.array, variables)
    return jax.tree_util.tree_map(lambda leaf: jax.device_put(leaf, device), variables)


def find_device(name: str) -> Any:
    """The device of jax that `cpu`, `gpu`, `tpu` or another platform names, `gpu:1` the second one; empty = jax's own.

    Raises WorkerError `device.unavailable` naming those there are.
    """
    import jax

    if name in ("", "auto"):
        return jax.devices()[0]
    platform, _, index = name.partition(":")
    try:
        return jax.devices(platform)[int(index or 0)]
    except (RuntimeError, ValueError, IndexError):
        there = ", ".join(device_names())
        raise WorkerError("device.unavailable", f"jax has no device {name} here. It has: {there}.") from None


def device_names() -> List[str]:
    """Names of the devices that jax has here, as `find_device` takes them."""
    import jax

    names: List[str] = []
    for platform in PLATFORMS:
        try:
            devices = jax.devices(platform)
        except RuntimeError:
            continue
        names.extend(device_name(device) for device in devices)
    return names


def device_name(device: Any) -> str:
    """The name of a device: its platform, and its number from the second one on."""
    return device.platform if device.id == 0 else f"{device.platform}:{device.id}"


class LinenModel(JittedModel):
    """A Linen module with all variables of its state."""

    def __init__(self, module: Any, variables: Dict[str, Any], partial: Mapping[str, Any], device: Any) -> None:
        super().__init__(methods_of(type(module)), variables, partial, device_name(device))
        self._module = module

    def has_method(self, method: str) -> bool:
        """Whether the module's class has it: what `setup` makes is there only inside a call."""
        return callable(getattr(type(self._module), method, None))

    def call_method(self, method: str, variables: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The method by `apply`, without rngs and with nothing mutable, as BentoML's runner calls it."""
        given = as_taken(getattr(type(self._module), method), args, kwargs)
        return self._module.apply(variables, method=lambda bound: getattr(bound, method)(*given, **kwargs))


def as_taken(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Sequence[Any]:
    """The arguments; one tuple of them for a method that takes one only, since BentoML's runner gives it that."""
    if len(args) < 2 or takes(function, args, kwargs) or not takes(function, [args], kwargs):
        return args
    return [tuple(args)]


def takes(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a method of a class can be called with these."""
    try:
        inspect.signature(function).bind(None, *args, **kwargs)
    except (TypeError, ValueError):
        return False
    return True


def methods_of(kind: type) -> List[str]:
    """Names of a module's own methods, `__call__` first; neither fields nor what every module of Flax has."""
    base = next(known for known in kind.__mro__ if known.__module__.startswith("flax."))
    names = ["__call__"] if any("__call__" in vars(known) for known in kind.__mro__) else []
    fields = getattr(kind, "__dataclass_fields__", {})
    for name in dir(kind):
        if name.startswith("_") or name in fields or hasattr(base, name):
            continue
        if callable(getattr(kind, name, None)):
            names.append(name)
    return names
