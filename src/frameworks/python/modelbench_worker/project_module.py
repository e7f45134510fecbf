"""The module of a file of the user's project, imported as the project itself would import it."""

from __future__ import annotations

import importlib
import os
import re
import sys
from typing import Any, List, Sequence, Tuple

from .failures import WorkerError
from .paths import is_reserved, use_project

# What an entry point of a package looks like: no expression of Python does.
ENTRY = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)")


def import_file(file: str, paths: Sequence[str]) -> Any:
    """The module of a file, under the name that its package gives it. The project's folders are in use afterwards.

    The folder that the package lies in, for a script its own folder, comes after all others, as far as it is not among
    them. `sys.argv` is that of a script without arguments. Raises WorkerError `file.access` for what is no file,
    `python.module` where its name means another module, and whatever the file's own code raises.
    """
    if not os.path.isabs(file) or not os.path.isfile(file) or not file.endswith(".py"):
        raise WorkerError("file.access", f"{file} is not the absolute path of a Python file.")
    folder, name = named(file)
    use_project([*paths, *([] if folder in paths else [folder])])
    if is_reserved(name.split(".")[0]):
        raise hidden(file, name)
    sys.argv[:] = [file]
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    if not is_same(getattr(module, "__file__", None), file):
        raise hidden(file, name)
    return module


def named(file: str) -> Tuple[str, str]:
    """(folder, name) by which a file is imported: `shop.rates` in the folder above the package `shop`."""
    folder, base = os.path.split(file)
    parts: List[str] = [] if base == "__init__.py" else [base[: -len(".py")]]
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    return folder, ".".join(parts)


def is_same(found: Any, file: str) -> bool:
    """Whether a module's own file is this one."""
    try:
        return found is not None and os.path.samefile(found, file)
    except OSError:
        return False


def hidden(file: str, name: str) -> WorkerError:
    """The failure for a file that nobody can import by its own name."""
    message = f"{file} cannot be imported: {name} is the name of another module."
    return WorkerError("python.module", message, "Give the file another name.")


def evaluate(text: str, module: Any) -> Any:
    """What `module:attribute` names, or what an expression is in the module's own namespace.

    Raises whatever the expression raises, ModuleNotFoundError and AttributeError for what is not there.
    """
    entry = ENTRY.fullmatch(text.strip())
    if entry is None:
        return eval(compile(text.strip(), "<expression>", "eval"), vars(module))
    found = module if entry[1] == module.__name__ else importlib.import_module(entry[1])
    for attribute in entry[2].split("."):
        found = getattr(found, attribute)
    return found
