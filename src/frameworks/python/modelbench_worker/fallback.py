"""Models of BentoML's other frameworks, loaded and run by the user's own BentoML."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Mapping, Sequence

from .failures import WorkerError, missing, require
from .picklable import ObjectModel, partial_kwargs
from .values import settled

# The frameworks of the fixed table; nothing else that a model.yaml names is imported.
FRAMEWORKS = (
    "picklable_model sklearn onnx pytorch torchscript pytorch_lightning xgboost lightgbm catboost tensorflow keras "
    "transformers diffusers mlflow fastai easyocr detectron tensorflow_v1"
).split()

MODULES = tuple(
    f"{prefix}.{name}"
    for name in FRAMEWORKS
    for prefix in ("bentoml", "bentoml._internal.frameworks", "_bentoml_impl.frameworks")
)


def import_framework() -> None:
    """Raises WorkerError `python.missing` without BentoML, which runs what Modelbench does not run itself."""
    require({"bentoml": "bentoml"}, "A model of this framework runs through BentoML: it")
    # Its store is not read here: the model's folder is given. Nor does it report anything.
    os.environ.setdefault("BENTOML_HOME", os.getcwd())
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    import bentoml  # noqa: F401


def load(request: Mapping[str, Any]) -> Any:
    """The model of a load request, by the framework that its model.yaml names.

    Raises WorkerError `model.framework` for one that is not in the table, `python.missing` where the framework's own
    package is not installed, `model.broken` for a folder that BentoML does not read.
    """
    import bentoml
    from bentoml.exceptions import BentoMLException, MissingDependencyException
    from bentoml.models import Model

    try:
        model = open_model(Model, request["folder"])
    except BentoMLException as error:
        raise WorkerError("model.broken", f"BentoML does not read the model: {error}") from None
    module = model.info.module
    if module not in MODULES:
        raise WorkerError("model.framework", f"Nothing here runs a model of {module or 'no framework'}.")
    name = module.rpartition(".")[2]
    try:
        framework = getattr(bentoml, name)
        if hasattr(framework, "get_runnable"):
            loaded = RunnerModel(model, framework.get_runnable(model)(), partial_kwargs(request))
        else:
            loaded = ObjectModel(framework.load_model(model), partial_kwargs(request), ("bentoml",))
    except MissingDependencyException as error:
        raise lacking(name, str(error)) from None
    loaded.device = device_in_use(request.get("device") or "")
    return loaded


def device_in_use(wanted: str) -> str:
    """`cuda` where the framework is torch's and it sees a GPU, which BentoML's runners then take; else `cpu`.

    Raises WorkerError `device.unavailable` for a GPU that torch does not see.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if wanted.startswith(("cuda", "gpu")):
        raise WorkerError("device.unavailable", f"torch has no device {wanted} here. It has: cpu.")
    return "cpu"


def open_model(kind: Any, folder: str) -> Any:
    """BentoML's Model of a folder; before 1.4 it was opened through a file system object."""
    if hasattr(kind, "from_path"):
        return kind.from_path(folder)
    import fs

    return kind.from_fs(fs.open_fs(folder))


class RunnerModel:
    """A model as BentoML's own runner holds it, in this process and without its batching."""

    device = "cpu"
    packages = ("bentoml",)

    def __init__(self, model: Any, runnable: Any, partial: Mapping[str, Mapping[str, Any]]) -> None:
        self._runnable = runnable
        self._partial = partial
        self.methods = list(model.info.signatures)

    def prepare(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any], batch: Any = None) -> Any:
        """The call, ready to be made. Raises WorkerError `method.notFound`."""
        if method not in self.methods:
            raise WorkerError(
                "method.notFound", f"The model has no method {method}. It has: {', '.join(self.methods)}."
            )
        bound = getattr(self._runnable, method)
        merged = dict(self._partial.get(method) or {}, **kwargs)
        return lambda: settled(bound(*args, **merged))


def lacking(framework: str, words: str) -> WorkerError:
    """`python.missing` with the package that BentoML's own message names."""
    named = re.search(r"pip install [\"'`]?([A-Za-z0-9_.\-\[\]]+)", words)
    package = named.group(1) if named else framework
    return missing(package, f"The model needs {package}, which")
