"""What Linen and NNX models share: calls that jax compiles, kept by method; results are not kept."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from .failures import WorkerError

# Compiled calls kept: one a method and set of values that are not arrays. Shapes and dtypes are jax's to tell apart.
MAX_CALLS = 64


class JittedModel:
    """A model of Flax on a device of jax."""

    packages = ("flax", "jax", "jaxlib", "numpy")

    def __init__(self, methods: List[str], variables: Any, partial: Mapping[str, Any], device: str) -> None:
        """`variables`: the pytree that `call_method` gets back, traced."""
        self._variables = variables
        self._partial = partial
        self._calls: "OrderedDict[Tuple[Any, ...], Callable[..., Any]]" = OrderedDict()
        self.device = device
        self.methods = methods

    def call_method(self, method: str, variables: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """What the model's method gives with these variables; runs inside a trace."""
        raise NotImplementedError

    def has_method(self, method: str) -> bool:
        """Whether there is a method of that name, listed or not."""
        raise NotImplementedError

    def prepare(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The call, ready to be made; it ends when its result is there. Raises WorkerError `method.notFound`."""
        import jax

        if not self.has_method(method):
            there = ", ".join(self.methods)
            raise WorkerError("method.notFound", f"The module has no method {method}. It has: {there}.")
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
        partial = dict(self._partial.get(method) or {})

        def apply(variables: Any, arrays: Dict[str, Any]) -> Any:
            given = {**plain, **arrays}
            args = [given.pop(str(position)) for position in range(count)]
            return self.call_method(method, variables, args, dict(partial, **given))

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

    def call(variables: Any, arrays: Dict[str, Any]) -> Any:
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
