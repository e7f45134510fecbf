"""Values of a request and of an answer: wire form to Python objects and back.

On the wire a value is one of `{tensor: BODY}`, `{list: BODY}`, `{dataframe: [[column, BODY], …]}` and `{object: BODY}`,
where BODY is the index of a body. The bodies of `list` and `object` are JSON text, strict: NaN and the infinities are
their names, integers are written in full.
"""

from __future__ import annotations

import json
import math
import sys
import types
from collections.abc import Mapping
from typing import Any, Dict, List, Tuple

from .arrays import from_array, from_column, is_array, is_numpy_scalar, to_array
from .failures import WorkerError, missing
from .frames import Body, MAX_BODIES, malformed, no_constant

NAMED_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def read_arguments(args: Any, bodies: List[Body]) -> Tuple[List[Any], Dict[str, Any]]:
    """(positional, by name) arguments of `[{name, value}, …]`; a whole number as a name is a position.

    Raises WorkerError `input.name` for a position that is left out, `python.missing` without the package of a value,
    BadFrame for anything malformed.
    """
    by_position: Dict[int, Any] = {}
    by_name: Dict[str, Any] = {}
    for name, wire in checked_arguments(args):
        value = read_value(wire, bodies)
        if name.isascii() and name.isdecimal() and name == str(int(name)):
            by_position[int(name)] = value
        else:
            by_name[name] = value
    for position in range(len(by_position)):
        if position not in by_position:
            raise WorkerError("input.name", f"Position {position} is missing: positions count from 0, without a gap.")
    return [by_position[position] for position in range(len(by_position))], by_name


def checked_arguments(args: Any) -> List[Tuple[str, Dict[str, Any]]]:
    """(name, wire value) of `[{name, value}, …]`. Raises BadFrame."""
    if not isinstance(args, list):
        raise malformed("arguments that are no list")
    if not all(isinstance(arg, dict) and isinstance(arg.get("name"), str) for arg in args):
        raise malformed("an argument without a name")
    if not all(isinstance(arg.get("value"), dict) and len(arg["value"]) == 1 for arg in args):
        raise malformed("a value of no known kind")
    return [(arg["name"], arg["value"]) for arg in args]


def read_value(value: Any, bodies: List[Body]) -> Any:
    """The Python object of a wire value. Raises as `read_arguments`."""
    if not isinstance(value, dict) or len(value) != 1:
        raise malformed("a value of no known kind")
    ((kind, content),) = value.items()
    if kind == "tensor":
        return to_array(body_at(content, bodies))
    if kind in ("list", "object"):
        read = read_json(body_at(content, bodies))
        if kind == "list" and not isinstance(read, list):
            raise malformed("a list that is none")
        return read
    if kind == "dataframe" and isinstance(content, list):
        return read_dataframe(content, bodies)
    raise malformed("a value of no known kind")


def body_at(index: Any, bodies: List[Body]) -> Body:
    """The body a value refers to. Raises BadFrame."""
    if type(index) is not int or not 0 <= index < len(bodies):
        raise malformed("a value without its body")
    return bodies[index]


def read_json(body: Body) -> Any:
    """The value of a JSON text; among numbers, "NaN" and the names of the infinities are those numbers."""
    try:
        return with_named_numbers(json.loads(bytes(body.data), parse_constant=no_constant))
    except (ValueError, RecursionError) as error:
        raise WorkerError("input.dtype", f"A value is no JSON that Python reads: {error}") from None


def with_named_numbers(value: Any) -> Any:
    """A list of numbers cannot say NaN in JSON: there, and only there, the names mean the numbers."""
    if isinstance(value, dict):
        return {key: with_named_numbers(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    named = any(isinstance(item, str) for item in value)
    if named and all(is_number(item) or item in NAMED_NUMBERS for item in value if not isinstance(item, (list, dict))):
        if any(is_number(item) for item in value):
            return [NAMED_NUMBERS[item] if isinstance(item, str) else with_named_numbers(item) for item in value]
    return [with_named_numbers(item) for item in value]


def read_options(text: Any) -> Dict[str, Any]:
    """The options of a model from their JSON, in which NaN and the infinities are bare. Raises BadFrame."""
    try:
        options = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise malformed("a load without options")
    return options


def is_number(value: Any) -> bool:
    """Whether JSON wrote this as a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read_dataframe(columns: List[Any], bodies: List[Body]) -> Any:
    """A pandas DataFrame of `[[name, BODY], …]`, with a plain index. Raises as `read_arguments`."""
    try:
        import pandas
    except ModuleNotFoundError:
        raise missing("pandas", "A DataFrame needs pandas, which") from None
    if not all(isinstance(column, list) and len(column) == 2 and isinstance(column[0], str) for column in columns):
        raise malformed("a DataFrame of unknown form")
    arrays = [to_array(body_at(index, bodies)) for _, index in columns]
    if any(array.ndim != 1 for array in arrays):
        raise malformed("a column that is no row of values")
    frame = pandas.DataFrame(dict(enumerate(arrays)))
    frame.columns = [name for name, _ in columns]
    return frame


class Outputs(Dict[str, Any]):
    """A result whose outputs have names already, each one an output of its own whatever it is."""


class Answer:
    """Outputs of one run as the wire has them: `outputs` refers to `bodies` by index."""

    def __init__(self, result: Any) -> None:
        """Raises WorkerError `run.failed`, in words, for what cannot travel."""
        self.bodies: List[Body] = []
        parts = parts_of(result)
        self.outputs = [{"name": name, "value": self._value(name, value)} for name, value in parts]
        if len(self.bodies) > MAX_BODIES:
            raise WorkerError("run.failed", f"The method gave {len(self.bodies)} arrays, more than {MAX_BODIES}.")

    def _value(self, name: str, value: Any) -> Dict[str, Any]:
        where = "output" if name == "output" else f"output {name}"
        if isinstance(value, Body):
            return {"tensor": self._add(value)}
        if is_dataframe(value):
            return {"dataframe": [self._column(where, value, at) for at in range(len(value.columns))]}
        if is_array(value) or is_numpy_scalar(value):
            return {"tensor": self._add(from_array(value, where))}
        text = json.dumps(plain(value, where), allow_nan=False).encode()
        kind = "list" if isinstance(value, list) else "object"
        return {kind: self._add(Body("uint8", (len(text),), text))}

    def _column(self, where: str, frame: Any, at: int) -> List[Any]:
        label = column_name(frame.columns[at], where)
        return [label, self._add(from_column(frame.iloc[:, at], f"column {label} of the {where}"))]

    def _add(self, body: Body) -> int:
        self.bodies.append(body)
        return len(self.bodies) - 1


def settled(result: Any) -> Any:
    """A generator's items, which are made only when asked for; anything else as it is."""
    return list(result) if isinstance(result, types.GeneratorType) else result


def parts_of(result: Any) -> List[Tuple[str, Any]]:
    """(name, value) of each output: a tuple, list or dict that holds arrays is one output an item."""
    if isinstance(result, Outputs):
        return list(result.items())
    if isinstance(result, (tuple, list)) and any(is_bulk(item) for item in result):
        if all(is_bulk(item) or is_numpy_scalar(item) for item in result) or isinstance(result, tuple):
            return [(str(at), item) for at, item in enumerate(result)]
    if isinstance(result, Mapping) and any(is_bulk(item) for item in result.values()):
        names = [str(name) for name in result]
        if len(set(names)) == len(names):
            return list(zip(names, result.values()))
    return [("output", result)]


def is_bulk(value: Any) -> bool:
    """Whether a value is an output of its own: an array or a DataFrame."""
    return is_array(value) or is_dataframe(value)


def is_dataframe(value: Any) -> bool:
    """Whether a value is a pandas DataFrame; without pandas there is none."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, "DataFrame", ()))


def column_name(name: Any, where: str) -> str:
    """A column's name as text; pandas numbers the columns that nobody named. Raises WorkerError `run.failed`."""
    if isinstance(name, str):
        return str(name)
    whole = name.item() if is_numpy_scalar(name) else name
    if isinstance(whole, int) and not isinstance(whole, bool):
        return str(whole)
    message = f"The {where} has a column named {name!r}, a {type_name(name)}; outside Python names are texts."
    raise WorkerError("run.failed", message, "Let the method rename its columns.")


def plain(value: Any, where: str) -> Any:
    """A value as JSON holds it: arrays in it are nested lists, NaN and the infinities their names.

    Raises WorkerError `run.failed` naming what JSON has no form for.
    """
    try:
        return _plain(value, where)
    except RecursionError:
        raise WorkerError("run.failed", f"The {where} is nested too deep, or holds itself.") from None


def _plain(value: Any, where: str) -> Any:
    if is_numpy_scalar(value) or is_array(value):
        value = readable(value, where).tolist()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else ("NaN" if value != value else named_infinity(value))
    if isinstance(value, (list, tuple)):
        return [_plain(item, where) for item in value]
    if isinstance(value, Mapping):
        named = {key_of(key, where): _plain(item, where) for key, item in value.items()}
        if len(named) == len(value):
            return named
        raise WorkerError("run.failed", f"The {where} has keys that are one text, such as 1 and \"1\".")
    raise WorkerError(
        "run.failed",
        f"The {where} holds a value of type {type_name(value)}, which has no form outside Python.",
        "Let the method return arrays, a DataFrame, or what JSON holds.",
    )


def named_infinity(value: float) -> str:
    """The name of an infinity."""
    return "Infinity" if value > 0 else "-Infinity"


def readable(value: Any, where: str) -> Any:
    """An array as numpy's, of a dtype whose items JSON holds. Raises as `plain`."""
    body = from_array(value, where)
    array = to_array(body)
    if array.dtype.kind == "V":
        return array.astype("int64" if body.dtype.startswith(("int", "uint")) else "float64")
    return array


def key_of(key: Any, where: str) -> str:
    """A key of a dict as JSON has it; classes are often numbered. Raises as `plain`."""
    if isinstance(key, str):
        return str(key)
    if is_numpy_scalar(key):
        key = key.item()
    if isinstance(key, (str, int)) and not isinstance(key, bool):
        return str(key)
    raise WorkerError("run.failed", f"The {where} has a key of type {type_name(key)}; JSON takes texts only.")


def type_name(value: Any) -> str:
    """The full name of a value's type."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
