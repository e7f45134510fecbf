"""What Linen and NNX models share: calls that jax compiles, kept by method; results are not kept."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from . import nesting, padding
from .failures import WorkerError
from .padding import Batch

# Compiled calls kept: one a method and set of values that are not arrays. Shapes and dtypes are jax's to tell apart.
MAX_CALLS = 64


class JittedModel:
    """A model of Flax on a device of jax."""

    packages = ("flax", "jax", "jaxlib", "numpy")

    def __init__(self, methods: List[str], variables: Any, partial: Mapping[str, Any], device: str) -> None:
        """`variables`: the pytree that `call_method` gets back, traced."""
        self._variables = variables
        self._partial = partial
        self._calls: "OrderedDict[Tuple[Any, ...], JittedCall]" = OrderedDict()
        self.device = device
        self.methods = methods

    def call_method(self, method: str, variables: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """What the model's method gives with these variables; runs inside a trace."""
        raise NotImplementedError

    def has_method(self, method: str) -> bool:
        """Whether there is a method of that name, listed or not."""
        raise NotImplementedError

    def prepare(
        self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any], batch: Optional[Batch] = None
    ) -> Callable[[], Any]:
        """The call, ready to be made; it ends when its result is there. A batch is padded to one of few sizes.

        Raises WorkerError `method.notFound`.
        """
        if not self.has_method(method):
            there = ", ".join(self.methods)
            raise WorkerError("method.notFound", f"The module has no method {method}. It has: {there}.")
        arrays, plain = split_arguments(args, kwargs)
        call = self._call(method, len(args), plain, tuple(sorted(arrays)))
        if batch is None or plain:
            return lambda: nesting.as_given(call(self._variables, arrays))
        ready = call.prepare_batch(self._variables, arrays, batch)
        return lambda: nesting.as_given(ready())

    def _call(self, method: str, count: int, plain: Dict[str, Any], names: Tuple[str, ...]) -> "JittedCall":
        # In the order of its keys, too: what a method makes of a dict may follow it.
        written = json.dumps(plain, default=lambda hole: {"hole": hole.name})
        key = (method, count, written, names)
        if key not in self._calls:
            while len(self._calls) >= MAX_CALLS:
                self._calls.popitem(last=False)
            self._calls[key] = JittedCall(self._apply(method, count, plain))
        self._calls.move_to_end(key)
        return self._calls[key]

    def _apply(self, method: str, count: int, plain: Dict[str, Any]) -> Callable[..., Any]:
        partial = dict(self._partial.get(method) or {})

        def apply(variables: Any, arrays: Dict[str, Any]) -> Any:
            whole = dict(arrays)
            given = {name: nesting.fill(value, whole) for name, value in plain.items()}
            given.update(whole)
            args = [given.pop(str(position)) for position in range(count)]
            return nesting.keep_order(self.call_method(method, variables, args, dict(partial, **given)))

        return apply


def split_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """(arrays, plain values) by name, positions as `0`, `1`, …: arrays are traced, plain values are compiled in.

    Arrays in a plain value are among the arrays, too: holes are left of them, see `nesting`.
    """
    given = {**{str(position): value for position, value in enumerate(args)}, **kwargs}
    arrays: Dict[str, Any] = {}
    plain: Dict[str, Any] = {}
    for name, value in given.items():
        if hasattr(value, "to_numpy"):
            value = value.to_numpy()
        if hasattr(value, "__array__"):
            refuse_changed(name, value)
            arrays[name] = value
        else:
            plain[name] = nesting.take_arrays(name, value, arrays)
    return arrays, plain


def refuse_changed(name: str, array: Any) -> None:
    """Raises WorkerError `input.dtype` for what jax does not take, or would make other numbers of without a word."""
    import jax
    import numpy

    if array.dtype.kind in "OUSTMmV" and not hasattr(jax.numpy, array.dtype.name):
        kinds = {type(item).__name__ for item in array.flat} if array.dtype.kind == "O" else {array.dtype.name}
        texts = array.dtype.kind in "UST" or kinds == {"str"}
        words = "texts" if texts else f"elements of type {', '.join(sorted(kinds)[:5])}"
        raise WorkerError("input.dtype", f"`{name}`: expected numbers or true and false, which jax takes; got {words}.")
    taken = jax.dtypes.canonicalize_dtype(array.dtype)
    if taken == array.dtype or array.dtype.kind not in "iu" or array.size == 0:
        return
    limits = numpy.iinfo(taken)
    for value in (array.min(), array.max()):
        if not limits.min <= value <= limits.max:
            message = f"`{name}`: {value} does not fit {taken}, which jax makes of {array.dtype}."
            raise WorkerError("input.dtype", message, "A module that sets jax_enable_x64 when it is imported keeps them.")


class JittedCall:
    """`apply` jitted; a model whose Python code asks for values, which a trace does not have, runs as it is."""

    def __init__(self, apply: Callable[..., Any]) -> None:
        import jax

        self._apply = apply
        self._jitted = jax.jit(apply)
        self._runs_plain = False
        # Whether results have a row for each row that is given, by all of the arguments but their rows.
        self._follows: Dict[Tuple[Any, ...], bool] = {}

    def __call__(self, variables: Any, arrays: Dict[str, Any]) -> Any:
        """The result, once it is there."""
        import jax

        if not self._runs_plain:
            try:
                return jax.block_until_ready(self._jitted(variables, arrays))
            except Exception as error:
                if not needs_values(error):
                    raise
                print(f"This model is not jitted: {type(error).__name__}.", file=sys.stderr)
                self._runs_plain = True
        return jax.block_until_ready(self._apply(variables, jax.tree_util.tree_map(jax.numpy.asarray, arrays)))

    def prepare_batch(self, variables: Any, arrays: Dict[str, Any], batch: Batch) -> Callable[[], Any]:
        """The call with its rows padded, and of its result the rows that were given; as it is where that cannot be."""
        rows = padding.row_count(arrays, batch.in_axis)
        size = None if rows is None or self._runs_plain else padding.padded_size(rows, batch.limit)
        if rows is None or size is None or size == rows:
            return lambda: self(variables, arrays)
        padded = padding.pad(arrays, batch.in_axis, size)
        if not self._has_rows(variables, arrays, padded, batch):
            return lambda: self(variables, arrays)
        return lambda: padding.cut(self(variables, padded), batch.out_axis, rows)

    def _has_rows(self, variables: Any, arrays: Dict[str, Any], padded: Dict[str, Any], batch: Batch) -> bool:
        import jax

        key = (batch.in_axis, batch.out_axis, padding.without_rows(arrays, batch.in_axis))
        if key not in self._follows:
            if len(self._follows) >= MAX_CALLS:
                self._follows.clear()
            shapes_of = lambda given: jax.eval_shape(self._jitted, variables, given)  # noqa: E731
            self._follows[key] = padding.follows(shapes_of, arrays, padded, batch)
        return self._follows[key]


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
