"""Modules of the user's project: found in named folders, after all that is installed and never instead of it."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
from typing import Any, Sequence

from .failures import WorkerError, installed_folders

# What this worker and the frameworks import, also where it is not installed: a project's file of that name must not
# become a part of them.
RESERVED = frozenset(
    """
    bentoml _bentoml_impl _bentoml_sdk bentoml_cli modelbench_worker sitecustomize usercustomize
    numpy scipy pandas polars pyarrow ml_dtypes msgpack cloudpickle joblib sklearn threadpoolctl narwhals
    jax jaxlib jax_plugins jax_cuda12_plugin jax_cuda13_plugin libtpu flax optax orbax chex safetensors tensorstore
    torch torchvision torchaudio functorch lightning pytorch_lightning tensorflow tensorflow_cpu keras tf_keras
    xgboost lightgbm catboost transformers tokenizers diffusers accelerate mlflow fastai fastcore easyocr detectron2
    onnx onnxruntime cupy numba cython dask distributed lz4 psutil yaml attr attrs cattr cattrs simple_di rich click
    google absl setuptools pkg_resources distutils _distutils_hack pip wheel typing_extensions packaging
    """.split()
)

# Code of installed packages that imports by a name it was given, for a pickle or a caller.
ON_BEHALF = ("importlib", "pickle", "cloudpickle", "joblib.numpy_pickle", "pkgutil", "runpy")

# Names of the standard library before Python 3.10 listed them itself, of every platform: the ones not found here.
OTHER_PLATFORMS = frozenset("_winapi _winreg msilib msvcrt nt winreg winsound _scproxy ossaudiodev spwd nis".split())


class ProjectFinder:
    """The last of Python's finders: top-level modules of the project's folders, in their order.

    It has nothing for a name of the standard library, of a framework or of this worker, nor for what an installed
    package tries to import: such a package asks for what may be installed, never for a file of the project.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = list(folders)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec of a module of the project, or None. Called by Python's import."""
        if path is not None or is_reserved(name) or is_asked_by_package(sys._getframe(1)):
            return None
        return importlib.machinery.PathFinder.find_spec(name, self._folders)

    def invalidate_caches(self) -> None:
        """Part of Python's protocol; the folders' caches are those of the other finders."""


def use_project(folders: Sequence[str]) -> None:
    """Lets imports find modules in these folders, after everything else; replaces folders of an earlier call.

    Raises WorkerError `file.access` for a path that is not absolute: it would mean another folder each time.
    """
    for folder in folders:
        if not os.path.isabs(folder):
            raise WorkerError("file.access", f"{folder} is not an absolute path of a folder to import from.")
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, ProjectFinder)]
    if folders:
        sys.meta_path.append(ProjectFinder(folders))


def preload(names: Sequence[str]) -> None:
    """Imports these modules, in order. Raises whatever they raise, ModuleNotFoundError for one that is not found."""
    for name in names:
        importlib.import_module(name)


def preload_installed(names: Sequence[str]) -> None:
    """Imports those of these modules that are there without the project's folders; the others come with the model."""
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue


def is_reserved(name: str) -> bool:
    """Whether a top-level name belongs to Python itself, to a framework or to this worker."""
    standard = getattr(sys, "stdlib_module_names", OTHER_PLATFORMS)
    return name in RESERVED or name in standard or name in sys.builtin_module_names or name.startswith("__")


def is_asked_by_package(frame: Any) -> bool:
    """Whether the import statement that is running is one of an installed package or of the standard library."""
    while frame is not None and is_import_machinery(frame):
        frame = frame.f_back
    if frame is None:
        return False
    asking = str(frame.f_globals.get("__name__", ""))
    if any(asking == name or asking.startswith(name + ".") for name in ON_BEHALF):
        return False
    file = frame.f_code.co_filename
    return any(file.startswith(folder + os.sep) for folder in installed_folders())


def is_import_machinery(frame: Any) -> bool:
    """Whether a frame is one of Python's own import."""
    return frame.f_code.co_filename.startswith("<frozen importlib")
