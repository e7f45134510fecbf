"""What can be asked of the worker, one request at a time, in order.

| op | data | result |
|---|---|---|
| `ping` | | `{}` |
| `import` | `{adapter, preload}` | `{importMs}` |
| `load` | `{adapter, label, folder, options, device, paths, preload, init, file, session}` | \
`{importMs, loadMs, device, versions, methods, fallbacks?}` |
| `run` | `{method, args: [{name, value}], batch?: [inAxis, outAxis, limit]}` | `{outputs: [{name, value}], runMs}` |
| `customObjects` | | `{objects: [{name, type, repr}]}` of the model that is loaded |
| `save` | as `save.save` says | what was saved |

The requests' end is the worker's end, also in the middle of a run.
"""

from __future__ import annotations

import os
import re
import select
import sys
import threading
from importlib import metadata
from time import perf_counter
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple

from . import custom_objects, failures, fallback, flax, onnx, paths, picklable, save, sklearn, values
from .failures import WorkerError
from .frames import BadFrame, Body, Frame, FrameReader, FrameWriter, malformed, show
from .padding import read_batch

# The fixed table of adapters; importing one imports no framework.
ADAPTERS = {"picklable": picklable, "sklearn": sklearn, "flax": flax, "onnx": onnx, "bentoml": fallback}

Answered = Tuple[Dict[str, Any], List[Body]]


def serve(requests: int, answers: int) -> NoReturn:
    """Answers frames of one descriptor on the other until they end or are malformed, then ends the process."""
    watch_end(requests)
    reader, writer, worker = FrameReader(requests), FrameWriter(answers), Worker()
    code = 0
    try:
        frame = reader.read()
        while frame is not None:
            if frame.kind == "request":
                answer(writer, worker, frame)
            del frame  # The next one may need its memory.
            frame = reader.read()
    except (BadFrame, MemoryError) as error:
        writer.send("error", 0, "", error=failures.to_wire(error))
        code = 1
    except OSError:  # Nobody reads the answers any more.
        code = 1
    leave(code)


def answer(writer: FrameWriter, worker: "Worker", frame: Frame) -> None:
    """Sends exactly one frame for a request, whatever the model's code does. Raises OSError when nobody reads it."""
    try:
        data, bodies = worker.answer(frame)
        failure = None
    except BaseException as error:  # `sys.exit()` in a model's code ends its request, not the worker.
        failure = failures.to_wire(error, "The model cannot be loaded. " if frame.op == "load" else "")
    if failure is None:
        try:
            writer.send("result", frame.id, frame.op, data=data, bodies=bodies)
        except BadFrame as error:
            size = error.message.replace("A frame on a process boundary", "It")
            remedy = "Send fewer rows at once, or let the method return less."
            failure = {"code": "run.failed", "message": f"The answer is too large to send. {size}", "remedy": remedy}
    if failure is not None:
        writer.send("error", frame.id, frame.op, error=failure)
    flush()


class Worker:
    """Holds the one model and answers requests about it; nothing of a request is kept."""

    def __init__(self) -> None:
        self._model: Any = None
        self._folder = ""
        self._ops: Dict[str, Callable[[Dict[str, Any], List[Body]], Answered]] = {
            "ping": lambda data, bodies: ({}, []),
            "import": self._import,
            "load": self._load,
            "run": self._run,
            "customObjects": self._custom_objects,
            "save": lambda data, bodies: (save.save(data), []),
        }

    def answer(self, frame: Frame) -> Answered:
        """(data, bodies) of the answer. Raises WorkerError, BadFrame, or whatever the model's code raises.

        MemoryError for a frame that memory did not hold.
        """
        if frame.failure is not None:
            raise frame.failure
        if frame.op not in self._ops:
            raise malformed(f"an unknown operation {show(frame.op)}")
        data = {} if frame.data is None else frame.data
        if not isinstance(data, dict):
            raise malformed("data that is no object")
        return self._ops[frame.op](data, frame.bodies)

    def _import(self, data: Dict[str, Any], bodies: List[Body]) -> Answered:
        started = perf_counter()
        adapter_of(data).import_framework()
        paths.preload_installed(data.get("preload") or [])
        return {"importMs": since(started)}, []

    def _load(self, data: Dict[str, Any], bodies: List[Body]) -> Answered:
        self._model = None
        adapter = adapter_of(data)
        check_module(data, adapter.MODULES)
        started = perf_counter()
        adapter.import_framework()
        import_ms, started = since(started), perf_counter()
        paths.use_project(data.get("paths") or [])
        paths.preload(data.get("preload") or [])
        model = adapter.load({**data, "options": values.read_options(data.get("options"))})
        found = {"device": model.device, "versions": versions(model.packages), "methods": model.methods}
        if getattr(model, "fallbacks", None):
            found["fallbacks"] = model.fallbacks
        self._model, self._folder = model, data["folder"]
        return {"importMs": import_ms, "loadMs": since(started), **found}, []

    def _run(self, data: Dict[str, Any], bodies: List[Body]) -> Answered:
        self._check_loaded()
        method = data.get("method")
        if not isinstance(method, str):
            raise malformed("a run without a method")
        call = self._prepared(method, data, bodies)
        started = perf_counter()
        result = call()
        run_ms = since(started)
        answer = values.Answer(result)
        return {"outputs": answer.outputs, "runMs": run_ms}, answer.bodies

    def _prepared(self, method: str, data: Dict[str, Any], bodies: List[Body]) -> Callable[[], Any]:
        if isinstance(self._model, onnx.OnnxModel):
            return self._model.prepare_named(onnx.named_values(data.get("args"), bodies), data.get("outputs"))
        args, kwargs = values.read_arguments(data.get("args"), bodies)
        return self._model.prepare(method, args, kwargs, read_batch(data.get("batch")))

    def _custom_objects(self, data: Dict[str, Any], bodies: List[Body]) -> Answered:
        self._check_loaded()
        return {"objects": custom_objects.describe_objects(self._folder)}, []

    def _check_loaded(self) -> None:
        if self._model is None:
            raise WorkerError("run.failed", "No model is loaded.")


def adapter_of(data: Dict[str, Any]) -> Any:
    """The module of this package for an adapter's name. Raises WorkerError `run.unsupported`."""
    name = data.get("adapter")
    if not isinstance(name, str) or name not in ADAPTERS:
        raise WorkerError("run.unsupported", f"This worker knows {', '.join(ADAPTERS)}, not {show(name)}.")
    return ADAPTERS[name]


def check_module(data: Dict[str, Any], modules: Sequence[str]) -> None:
    """Raises WorkerError `model.framework` where the model's own file names another module than the adapter's."""
    folder = data.get("folder")
    if not isinstance(folder, str) or not os.path.isabs(folder):
        raise malformed("a load without an absolute folder")
    found = module_of(folder)
    if found is not None and found not in modules:
        named = found or "no framework"
        label = data.get("label") or folder
        raise WorkerError("model.framework", f"{label} is a model of {named}, not of {modules[0]}.")


def module_of(folder: str) -> Optional[str]:
    """What the model.yaml in a folder has as its module; None where it has none, or is not there."""
    try:
        with open(os.path.join(folder, "model.yaml"), encoding="utf-8") as file:
            found = re.search(r"^module:[ \t]*([\"']?)(.*?)\1[ \t]*$", file.read(), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        return None
    return found.group(2) if found else None


def versions(packages: Sequence[str]) -> Dict[str, str]:
    """Versions by package, Python's own first; a package that does not say its version is left out."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def since(started: float) -> float:
    """Milliseconds since then."""
    return (perf_counter() - started) * 1000


def watch_end(requests: int) -> None:
    """Ends the process once the other side of the requests is gone: a run, maybe of hours, must not outlive it."""
    if not hasattr(select, "poll"):
        return
    poll = select.poll()
    poll.register(requests, select.POLLHUP | getattr(select, "POLLRDHUP", 0))

    def wait() -> None:
        while not poll.poll():
            pass
        leave(0)

    threading.Thread(target=wait, name="modelbench-end", daemon=True).start()


def leave(code: int) -> NoReturn:
    """Ends the process at once, whatever threads a library has running."""
    flush()
    os._exit(code)


def flush() -> None:
    """Sends what was printed to the log; a model may have closed a stream."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue
