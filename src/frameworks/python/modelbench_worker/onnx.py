"""Models of ONNX in the user's own ONNX Runtime: GPUs, types and outputs that the bundled one does not hand over.

An ONNX file is data. Libraries of operators are never registered, and whoever starts this worker has checked that the
model's external data lie beside it.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from . import values
from .failures import WorkerError, missing, require
from .frames import Body
from .onnx_values import from_ort, is_numpys, to_ort

MODULES = ("bentoml.onnx", "_bentoml_impl.frameworks.onnx", "bentoml._internal.frameworks.onnx")

# The runtime's own names of what this version runs on, in the order in which `auto` tries them.
PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "dml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
    "cpu": "CPUExecutionProvider",
}

LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}

# Only fatal messages: what fails is raised as well.
FATAL = 4


def import_framework() -> None:
    """Raises WorkerError `python.missing` without ONNX Runtime."""
    require({"onnxruntime": "onnxruntime"}, "An ONNX model")
    import onnxruntime

    if not hasattr(onnxruntime, "InferenceSession"):  # What is left of an installation that was removed.
        raise missing("--force-reinstall onnxruntime", "An ONNX model needs a whole onnxruntime, which")
    onnxruntime.set_default_logger_severity(FATAL)


def load(request: Mapping[str, Any]) -> "OnnxModel":
    """The model of a load request: `file` in its folder, opened as `session` says, on the first device that works.

    Raises WorkerError `device.unavailable` for a device that was named and is not there, `run.failed` with the
    runtime's own words for a model that it refuses.
    """
    file = os.path.join(request["folder"], request["file"])
    settings = request.get("session") or {}
    wanted = request.get("device") or "cpu"
    devices, fallbacks = devices_to_try(wanted, settings.get("providers"))
    for device in devices:
        try:
            session = open_session(file, device, settings)
        except NoDevice as error:
            if wanted != "auto":
                raise unavailable(f"{device} cannot be used: {error}.", available()) from None
            fallbacks.append(f"{device} is not used: {error}.")
        else:
            return OnnxModel(session, device, fallbacks)
    raise WorkerError("device.unavailable", "There was no device to try.")


def available() -> List[str]:
    """Devices that this build of the runtime has, in the order of `PROVIDERS`."""
    import onnxruntime

    built = onnxruntime.get_available_providers()
    return [device for device, provider in PROVIDERS.items() if provider in built]


def devices_to_try(wanted: str, asked: Optional[Sequence[str]]) -> Tuple[List[str], List[str]]:
    """(devices, what is passed over): the one that is named, else what the model asks for or all, the CPU last.

    Raises WorkerError `device.unavailable` for one that is not in this build.
    """
    there = available()
    if wanted != "auto":
        if wanted not in PROVIDERS:
            raise unavailable(f"There is no device {wanted} for ONNX models.", there)
        if wanted not in there:
            raise unavailable(f"{wanted} is not in this build of ONNX Runtime.", there)
        return [wanted], []
    lacking = [device for device in asked or [] if device not in there]
    fallbacks = [f"{device} is not used: it is not in this build of ONNX Runtime." for device in lacking]
    devices = [device for device in asked or there if device in there]
    return (devices if "cpu" in devices else [*devices, "cpu"]), fallbacks


def unavailable(message: str, there: Sequence[str]) -> WorkerError:
    """The failure for a device that was named, with those that are there and the package that brings CUDA."""
    others = " or ".join(f"python:{device}" for device in reversed(there))
    remedy = f"Use {others}." if "cuda" in there else f"Use {others}, or install onnxruntime-gpu for cuda."
    return WorkerError("device.unavailable", message, remedy)


class NoDevice(Exception):
    """The device cannot be used; the words say why."""


def open_session(file: str, device: str, settings: Mapping[str, Any]) -> Any:
    """The session of a model on one device. Raises NoDevice, or WorkerError `run.failed` in the runtime's words."""
    import onnxruntime

    if device == "cuda" and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # The libraries of NVIDIA that pip installs lie where nothing else looks.
    provider = PROVIDERS[device]
    try:
        session = onnxruntime.InferenceSession(file, session_options(settings), providers=[provider])
    except Exception as error:
        words = runtime_words(error)
        if device != "cpu" and (provider in words or "CUDA" in words or "cuDNN" in words):
            raise NoDevice(words.splitlines()[0].rstrip(".")) from None
        raise WorkerError("run.failed", words) from None
    # The runtime takes the CPU without an error where the libraries of a device are not there.
    if provider not in session.get_providers():
        raise NoDevice("the runtime cannot load its library for it, or one that this needs")
    session.disable_fallback()
    return session


def session_options(settings: Mapping[str, Any]) -> Any:
    """The runtime's options of our settings."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    level = LEVELS[settings.get("graphOptimization", "all")]
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    mode = "ORT_PARALLEL" if settings.get("executionMode") == "parallel" else "ORT_SEQUENTIAL"
    options.execution_mode = getattr(onnxruntime.ExecutionMode, mode)
    options.intra_op_num_threads = settings.get("intraOpThreads", 0)
    options.inter_op_num_threads = settings.get("interOpThreads", 0)
    options.log_severity_level = FATAL
    # Threads that spin while they wait would take the cores of everything else.
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    return options


def runtime_words(error: Exception) -> str:
    """What the runtime says, without the number and name of its kind of failure."""
    return str(error).rpartition("[ONNXRuntimeError] : ")[2].split(" : ", 2)[-1].strip() or type(error).__name__


class OnnxModel:
    """A graph, which every method runs. Its inputs have names, which may look like positions."""

    packages = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "numpy")

    def __init__(self, session: Any, device: str, fallbacks: Sequence[str]) -> None:
        self._session = session
        self._types = {one.name: one.type for one in session.get_inputs()}
        # In the model's order.
        self._outputs = {one.name: one.type for one in session.get_outputs()}
        self.device = device
        self.fallbacks = fallbacks
        self.methods = ["run"]

    def prepare_named(
        self, args: Sequence[Tuple[str, Any]], wanted: Optional[Sequence[str]] = None
    ) -> Callable[[], Any]:
        """The call, ready to be made; `wanted` picks outputs, else all are made.

        Raises WorkerError `input.name` and `run.unsupported` for what the model or the runtime does not take.
        """
        names = list(self._outputs) if wanted is None else [name for name in self._outputs if name in wanted]
        feeds = {name: to_ort(name, value, self._type(name)) for name, value in args}
        return lambda: self._run(names, feeds)

    def _type(self, name: str) -> str:
        if name in self._types:
            return self._types[name]
        raise WorkerError("input.name", f"The model has no input {name}. It has: {', '.join(self._types)}.")

    def _run(self, names: Sequence[str], feeds: Mapping[str, Any]) -> "values.Outputs":
        # What numpy has no type for comes back in the runtime's own form; that one has tensors only.
        odd = [name for name in names if not is_numpys(self._outputs[name])]
        usual = [name for name in names if name not in odd]
        try:
            made = dict(zip(usual, self._session.run(usual, feeds))) if usual else {}
            if odd:
                made.update(zip(odd, self._session.run_with_ort_values(odd, ort_values(feeds))))
        except WorkerError:
            raise
        except Exception as error:
            raise WorkerError("run.failed", runtime_words(error)) from None
        return values.Outputs((name, from_ort(made[name], self._outputs[name])) for name in names)


def ort_values(feeds: Mapping[str, Any]) -> Dict[str, Any]:
    """Inputs in the runtime's own form. Raises WorkerError `run.unsupported` for texts, of which it makes none."""
    import onnxruntime

    def converted(name: str, value: Any) -> Any:
        if isinstance(value, onnxruntime.OrtValue):
            return value
        if value.dtype.kind == "O":
            reason = "the runtime takes no text where an output has a type that numpy does not have"
            raise WorkerError("run.unsupported", f"Input {name}: {reason}.", "Let the model cast that output.")
        return onnxruntime.OrtValue.ortvalue_from_numpy(value)

    return {name: converted(name, value) for name, value in feeds.items()}


def named_values(args: Any, bodies: List[Body]) -> List[Tuple[str, Any]]:
    """(name, body or value) of `[{name, value}, …]`; a tensor stays the body that it came in. Raises BadFrame."""
    checked = values.checked_arguments(args)
    return [
        (name, values.body_at(value["tensor"], bodies) if "tensor" in value else values.read_value(value, bodies))
        for name, value in checked
    ]
