"""Arrays inside the dicts that a method of Flax takes and gives."""

from __future__ import annotations

import functools
import math
from typing import Any, Dict, List, Optional, Tuple

Arrays = Dict[str, Any]

INT32 = range(-(2**31), 2**31)

# What rounds to the largest float32, and not beyond.
FLOAT32 = 2.0**128 - 2.0**103


class Hole:
    """Stands in a plain value where an array of that name goes."""

    def __init__(self, name: str) -> None:
        self.name = name


def take_arrays(name: str, value: Any, arrays: Arrays) -> Any:
    """A plain value with holes for the lists of numbers below its dicts, which go to `arrays` as what they are to jax.

    A list that is no member of a dict stays one: outside dicts such lists are arrays already.
    """
    if not isinstance(value, dict):
        return value
    return {key: _taken(name, member, arrays) for key, member in value.items()}


def _taken(name: str, value: Any, arrays: Arrays) -> Any:
    if isinstance(value, dict):
        return take_arrays(name, value, arrays)
    array = array_of(value) if isinstance(value, list) else None
    if array is None:
        return [_taken(name, item, arrays) for item in value] if isinstance(value, list) else value
    hole = Hole(f"{name}\0{len(arrays)}")
    arrays[hole.name] = array
    return hole


def array_of(value: List[Any]) -> Optional[Any]:
    """An array of bool, int32 or float32 where lists of one length a level hold nothing but what fits those; else None."""
    import numpy

    kinds = {type(item) for item in leaves_of(value)}
    if kinds == {bool}:
        dtype = "bool"
    elif kinds == {int}:
        if not all(item in INT32 for item in leaves_of(value)):
            return None
        dtype = "int32"
    elif kinds and kinds <= {int, float} and not any(FLOAT32 <= abs(item) < math.inf for item in leaves_of(value)):
        dtype = "float32"
    else:
        return None
    try:
        return numpy.array(value, dtype)
    except ValueError:  # Lists of several lengths.
        return None


def leaves_of(value: List[Any]) -> Any:
    """What the lists hold that is no list."""
    for item in value:
        if isinstance(item, list):
            yield from leaves_of(item)
        else:
            yield item


def fill(value: Any, arrays: Arrays) -> Any:
    """A plain value with the arrays in its holes, taken out of `arrays`."""
    if isinstance(value, Hole):
        return arrays.pop(value.name)
    if isinstance(value, dict):
        return {key: fill(member, arrays) for key, member in value.items()}
    return [fill(item, arrays) for item in value] if isinstance(value, list) else value


class Ordered:
    """A dict on its way through jax, which would sort its keys, or fail where they cannot be compared."""

    def __init__(self, keys: Tuple[Any, ...], members: Tuple[Any, ...]) -> None:
        self.keys = keys
        self.members = members


@functools.lru_cache(maxsize=None)
def register() -> None:
    """Tells jax of `Ordered`, once."""
    import jax

    jax.tree_util.register_pytree_node(Ordered, lambda one: (one.members, one.keys), Ordered)


def keep_order(value: Any) -> Any:
    """A result with an `Ordered` for each plain dict in it."""
    register()
    if type(value) is dict:
        return Ordered(tuple(value), tuple(map(keep_order, value.values())))
    return _each(keep_order, value)


def as_given(value: Any) -> Any:
    """What `keep_order` was given, as jax has made it."""
    if isinstance(value, Ordered):
        return dict(zip(value.keys, map(as_given, value.members)))
    return _each(as_given, value)


def _each(change: Any, value: Any) -> Any:
    if type(value) is list:
        return list(map(change, value))
    if type(value) is tuple:
        return tuple(map(change, value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(change, value))
    return value
