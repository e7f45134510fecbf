"""The custom objects of a model that runs here: what they are, in a few words each."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List

from .failures import WorkerError, text_of
from .flax import OBJECTS_FILE
from .picklable import open_file, unpickled
from .save import type_name

MAX_OBJECTS = 1_000
MAX_NAME = 300
MAX_REPR = 2_000

# What a frame's header takes, where a letter may become six bytes of JSON, with room for the rest.
MAX_BYTES = 900_000


def describe_objects(folder: str) -> List[Dict[str, str]]:
    """[{name, type, repr}] of the custom objects in a model's folder, loaded anew, as far as they fit; [] without any.

    Raises WorkerError `model.broken` for a pickle that is damaged or holds no dict.
    """
    if not os.path.exists(os.path.join(folder, OBJECTS_FILE)):
        return []
    import cloudpickle

    with open_file(folder, OBJECTS_FILE) as file:
        objects = unpickled(cloudpickle.load, file, OBJECTS_FILE)
    if not isinstance(objects, dict):
        raise WorkerError("model.broken", f"{OBJECTS_FILE} of the model holds no dict.")
    described: List[Dict[str, str]] = []
    left = MAX_BYTES
    for name, value in list(objects.items())[:MAX_OBJECTS]:
        shown = {
            "name": bounded(str(name), MAX_NAME),
            "type": bounded(type_name(value), MAX_NAME),
            "repr": bounded(repr_of(value), MAX_REPR),
        }
        if len(json.dumps(shown)) > left:
            shown["repr"] = "…"
        left -= len(json.dumps(shown))
        if left < 0:
            break
        described.append(shown)
    return described


def repr_of(value: Any) -> str:
    """The object's own words of itself; some have none."""
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(error).__name__}: {text_of(error)}>"


def bounded(value: str, most: int) -> str:
    """A text that fits, without what no encoding holds."""
    short = value if len(value) <= most else f"{value[:most]}…"
    return short.encode("utf-8", "backslashreplace").decode("utf-8")
