"""Models of `bentoml.flax`: a Linen module in `custom_objects.pkl` and its state in `saved_model.msgpack`."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from collections.abc import Mapping as MappingType
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from .failures import WorkerError, require
from .picklable import open_file, partial_kwargs, unpickled

MODULES = ("bentoml.flax", "bentoml._internal.frameworks.flax")
STATE_FILE = "saved_model.msgpack"
OBJECTS_FILE = "custom_objects.pkl"
MODULE_KEY = "_module"

# Compiled calls kept: one a method and set of values that are not arrays. Shapes and dtypes are jax's to tell apart.
MAX_CALLS = 64

# Platforms by the names that jax knows, to say which are there.
PLATFORMS = ("cpu", "cuda", "rocm", "tpu", "METAL")


def import_framework(warm: bool = False) -> None:
    """`warm`: jax finds its devices too. Raises WorkerError `python.missing`."""
    needed = {"jax": "jax", "jaxlib": "jaxlib", "flax": "flax", "cloudpickle": "cloudpickle"}
    require(needed, "A model of Flax")
    import cloudpickle  # noqa: F401
    import flax.linen
    import flax.serialization  # noqa: F401
    import jax.numpy

    hide_gpus_from_tensorflow()
    if warm:
        jax.numpy.zeros(1).block_until_ready()


def load(request: Mapping[str, Any]) -> "LinenModel":
    """The model of a load request.

    Raises WorkerError `device.unavailable` for a platform that jax does not have here, `model.broken` for files that
    `bentoml.flax` did not write.
    """
    module = read_module(request["folder"])
    hide_gpus_from_tensorflow()
    device = find_device(request.get("device") or "")
    state = read_state(request["folder"], module)
    variables = to_device(variables_of(state), device, request.get("init") is not False)
    return LinenModel(module, variables, partial_kwargs(request), device)


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
    """The Linen module, by its own pickle. Raises WorkerError `model.broken`."""
    import cloudpickle
    from flax import linen

    with open_file(folder, OBJECTS_FILE) as file:
        objects = unpickled(cloudpickle.load, file, OBJECTS_FILE)
    module = objects.get(MODULE_KEY) if isinstance(objects, dict) else None
    if isinstance(module, linen.Module):
        return module
    found = "no module" if module is None else f"a {type(module).__name__}"
    raise WorkerError("model.broken", f"{OBJECTS_FILE} of the model has {found} where its Linen module should be.")


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


def to_device(variables: Dict[str, Any], device: Any, init: bool) -> Dict[str, Any]:
    """The variables as jax arrays on a device, as `bentoml.flax.load_model` makes them for either value of `init`."""
    import jax

    jax.config.update("jax_default_device", device)
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


class LinenModel:
    """A Linen module with all variables of its state; calls are compiled by jax and kept, results are not."""

    packages = ("flax", "jax", "jaxlib", "numpy")

    def __init__(self, module: Any, variables: Dict[str, Any], partial: Mapping[str, Any], device: Any) -> None:
        self._module = module
        self._variables = variables
        self._partial = partial
        self._calls: "OrderedDict[Tuple[Any, ...], Callable[..., Any]]" = OrderedDict()
        self.device = device_name(device)
        self.methods = methods_of(module)

    def prepare(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The call, ready to be made; it ends when its result is there. Raises WorkerError `method.notFound`."""
        import jax

        if not callable(getattr(type(self._module), method, None)):
            there = ", ".join(self.methods)
            raise WorkerError("method.notFound", f"The module has no method {method}. It has: {there}.")
        hide_gpus_from_tensorflow()
        arrays, plain = split_arguments(args, kwargs)
        call = self._call(method, len(args), plain, tuple(sorted(arrays)))
        return lambda: jax.block_until_ready(call(self._variables, arrays))

    def _call(self, method: str, count: int, plain: Dict[str, Any], names: Tuple[str, ...]) -> Callable[..., Any]:
        key = (method, count, json.dumps(plain, sort_keys=True), names)
        if key not in self._calls:
            while len(self._calls) >= MAX_CALLS:
                self._calls.popitem(last=False)
            self._calls[key] = compiled(self._apply(method, count, plain))
        self._calls.move_to_end(key)
        return self._calls[key]

    def _apply(self, method: str, count: int, plain: Dict[str, Any]) -> Callable[..., Any]:
        module, partial = self._module, dict(self._partial.get(method) or {})

        def apply(variables: Dict[str, Any], arrays: Dict[str, Any]) -> Any:
            given = {**plain, **arrays}
            args = [given.pop(str(position)) for position in range(count)]
            return module.apply(variables, method=lambda bound: getattr(bound, method)(*args, **dict(partial, **given)))

        return apply


def split_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """(arrays, plain values) by name, positions as `0`, `1`, …: arrays are traced, plain values are compiled in."""
    given = {**{str(position): value for position, value in enumerate(args)}, **kwargs}
    arrays: Dict[str, Any] = {}
    plain: Dict[str, Any] = {}
    for name, value in given.items():
        if hasattr(value, "to_numpy"):
            value = value.to_numpy()
        (arrays if hasattr(value, "__array__") else plain)[name] = value
    return arrays, plain


def compiled(apply: Callable[..., Any]) -> Callable[..., Any]:
    """`apply` jitted; a model whose Python code asks for values, which a trace does not have, runs as it is."""
    import jax

    jitted = jax.jit(apply)
    runs_plain = False

    def call(variables: Dict[str, Any], arrays: Dict[str, Any]) -> Any:
        nonlocal runs_plain
        if not runs_plain:
            try:
                return jitted(variables, arrays)
            except Exception as error:
                if not needs_values(error):
                    raise
                print(f"This model is not jitted: {type(error).__name__}.", file=sys.stderr)
                runs_plain = True
        return apply(variables, jax.tree_util.tree_map(jax.numpy.asarray, arrays))

    return call


def needs_values(error: Exception) -> bool:
    """Whether tracing failed because the model looks at values, or answers with what is no array."""
    from jax import errors

    tracing = (
        errors.ConcretizationTypeError,
        errors.TracerArrayConversionError,
        errors.TracerIntegerConversionError,
        errors.NonConcreteBooleanIndexError,
        errors.UnexpectedTracerError,
    )
    return isinstance(error, tracing) or (isinstance(error, TypeError) and "valid JAX type" in str(error))


def methods_of(module: Any) -> List[str]:
    """Names of the module's own methods, `__call__` first; neither fields nor what every Linen module has."""
    from flax import linen

    kind = type(module)
    names = ["__call__"] if any("__call__" in vars(base) for base in kind.__mro__) else []
    fields = getattr(kind, "__dataclass_fields__", {})
    for name in dir(kind):
        if name.startswith("_") or name in fields or hasattr(linen.Module, name):
            continue
        if callable(getattr(kind, name, None)):
            names.append(name)
    return names
