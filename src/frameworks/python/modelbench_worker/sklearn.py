"""Models of `bentoml.sklearn`: an estimator or pipeline that joblib wrote."""

from __future__ import annotations

from typing import Any, Mapping

from .failures import require
from .picklable import MODEL_FILE, ObjectModel, open_file, partial_kwargs, unpickled

MODULES = ("bentoml.sklearn", "_bentoml_impl.frameworks.sklearn", "bentoml._internal.frameworks.sklearn")


def import_framework() -> None:
    """Raises WorkerError `python.missing` without scikit-learn."""
    require({"joblib": "joblib", "sklearn": "scikit-learn"}, "A model of scikit-learn")
    import joblib  # noqa: F401
    import sklearn  # noqa: F401


def load(request: Mapping[str, Any]) -> ObjectModel:
    """The model of a load request. Raises WorkerError `model.broken` for a file that is gone or cut short."""
    import joblib

    with open_file(request["folder"], MODEL_FILE) as file:
        model = unpickled(joblib.load, file, MODEL_FILE)
    return ObjectModel(model, partial_kwargs(request), ("scikit-learn", "joblib", "numpy"))
