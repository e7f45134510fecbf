"""Turns what is raised while a request is served into the `error` of its answer: {code, message, remedy?}."""

from __future__ import annotations

import functools
import importlib.util
import linecache
import os
import shlex
import site
import sys
import sysconfig
import traceback
from typing import Any, Dict, FrozenSet, List, Mapping, Optional

from .frames import BadFrame

# An error travels in a frame's header, where little fits.
MAX_MESSAGE = 4_000
MAX_FRAMES = 3
MAX_CAUSES = 3

_WORKER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class WorkerError(Exception):
    """A failure that has its code and its words already."""

    def __init__(self, code: str, message: str, remedy: Optional[str] = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy


def missing(packages: str, why: str) -> WorkerError:
    """`python.missing`: a package the interpreter lacks. `packages`: what pip is to install, by its own names."""
    executable = shlex.quote(sys.executable) if os.name != "nt" else f'"{sys.executable}"'
    message = f"{why} {sys.executable} does not have."
    return WorkerError("python.missing", message, f"{executable} -m pip install {packages}")


def require(packages: Mapping[str, str], who: str) -> None:
    """Raises `python.missing` naming those modules that are not there; `packages`: pip's name by module."""
    lacking = [package for module, package in packages.items() if importlib.util.find_spec(module) is None]
    if lacking:
        raise missing(" ".join(lacking), f"{who} needs {' and '.join(lacking)}, which")


def to_wire(error: BaseException, during: str = "") -> Dict[str, Any]:
    """The error as plain data; `during` is put before the words of an exception that is none of ours.

    Never raises, whatever the exception's own methods do.
    """
    if isinstance(error, (WorkerError, BadFrame)):
        code, message, remedy = error.code, error.message, getattr(error, "remedy", None)
    elif isinstance(error, ModuleNotFoundError) and error.name:
        code, message, remedy = module_words(error)
    elif is_memory(error):
        code, message = "run.failed", f"{during}Python ran out of memory. {headline(error)}"
        remedy = "Send fewer rows at once, or free memory."
    else:
        code, message = "run.failed", during + "\n".join([headline(error), *own_lines(error)])
        remedy = main_remedy(error)
    wire = {"code": code, "message": cut(message)}
    if remedy is not None:
        wire["remedy"] = cut(remedy)
    return wire


def module_words(error: ModuleNotFoundError):
    """(code, message, remedy) for a module that is not found."""
    return (
        "python.module",
        f"The model needs the Python module {error.name}, which {sys.executable} does not find.",
        f"Install what has {error.name.split('.')[0]}, or name the folder that has it: the setting "
        "modelbench.python.paths, on the command line --python-path.",
    )


def is_memory(error: BaseException) -> bool:
    """Whether memory, of the machine or of a device, was too little."""
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        return True
    return type(error).__name__ in ("XlaRuntimeError", "JaxRuntimeError") and "RESOURCE_EXHAUSTED" in text_of(error)


def main_remedy(error: BaseException) -> Optional[str]:
    """What helps when a pickle points into the script that made it, which is not here."""
    text = text_of(error)
    if isinstance(error, AttributeError) and "__main__" in text and "attribute" in text:
        return "It was defined in the script that saved the model: move it into a module, and save again."
    return None


def headline(error: BaseException) -> str:
    """`Type: message`, as Python ends a traceback, with its notes; below, what it holds and what it was raised from."""
    try:
        return "\n".join(words_of(error, MAX_CAUSES))
    except Exception:  # Its class may answer anything in any way.
        return type(error).__name__


def words_of(error: BaseException, depth: int) -> List[str]:
    """Lines of `headline`, with causes of causes down to that depth."""
    text = text_of(error)
    lines = [f"{type(error).__name__}: {text}" if text else type(error).__name__, *notes_of(error)]
    group = getattr(error, "exceptions", None) if type(error).__name__.endswith("Group") else None
    held = [("holds", one) for one in group[:MAX_CAUSES]] if isinstance(group, tuple) else []
    for word, one in [*held, ("raised from", error.__cause__)]:
        if isinstance(one, BaseException) and depth > 0:
            first, *others = words_of(one, depth - 1)
            lines += [f"  {word} {first}", *(f"  {line}" for line in others)]
    return lines


def notes_of(error: BaseException) -> List[str]:
    """What was added to an exception; what jax adds to each is about tracebacks, of which there is none here."""
    notes = vars(error).get("__notes__")
    if not isinstance(notes, list):
        return []
    return [note for note in notes if isinstance(note, str) and "JAX_TRACEBACK_FILTERING" not in note]


def text_of(error: BaseException) -> str:
    """The exception's own words; some have a `__str__` that fails."""
    try:
        return str(error)
    except Exception:
        return ""


def own_lines(error: BaseException) -> List[str]:
    """Where the last calls in the model's own code were, innermost last; none of ours and none of a library."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__, limit=-200) if is_own(frame.filename)]
    return [describe(frame) for frame in frames[-MAX_FRAMES:]]


def describe(frame: traceback.FrameSummary) -> str:
    """`file:line, in function: source`; the source only where the file still is."""
    linecache.checkcache(frame.filename)
    line = (frame.line or "").strip()
    return f"  {os.path.basename(frame.filename)}:{frame.lineno}, in {frame.name}" + (f": {line}" if line else "")


def is_own(file: str) -> bool:
    """Whether a file of code belongs to the model or its project."""
    if file.startswith("<frozen "):
        return False
    return not any(file.startswith(folder + os.sep) for folder in [_WORKER, *installed_folders()])


@functools.lru_cache(maxsize=None)
def installed_folders() -> FrozenSet[str]:
    """Folders of the standard library and of installed packages."""
    paths = sysconfig.get_paths()
    named = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return frozenset([*named, *site.getsitepackages()])


def cut(text: str) -> str:
    """A text short enough for a header, without what no encoding holds."""
    short = text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"
    return short.encode("utf-8", "backslashreplace").decode("utf-8")
