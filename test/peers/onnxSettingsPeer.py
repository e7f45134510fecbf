"""Says how the real onnxruntime and bentoml take session settings: {home, models: {name: {file, x, shape}}} in, JSON out.

levels, modes: every name and number. finite: by model and level, whether the first output's first value is finite.
options: what bentoml.onnx writes into model.yaml. providers: every name that onnxruntime knows.
"""

import json
import math
import os
import sys

request = json.load(sys.stdin)
os.environ["BENTOML_HOME"] = request["home"]
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml  # noqa: E402  (the store's place is read when it is imported)
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime as ort  # noqa: E402


def is_finite(model, level):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    session = ort.InferenceSession(model["file"], options, providers=["CPUExecutionProvider"])
    x = np.array(model["x"], dtype=np.float32).reshape(model["shape"])
    return math.isfinite(session.run(None, {"x": x})[0].ravel()[0])


levels = ort.GraphOptimizationLevel.__members__
saved = [bentoml.onnx.save_model(name, onnx.load(model["file"])) for name, model in request["models"].items()]
answer = {
    "levels": {name: int(level) for name, level in levels.items()},
    "modes": {name: int(mode) for name, mode in ort.ExecutionMode.__members__.items()},
    "finite": {
        name: {level: is_finite(model, value) for level, value in levels.items()}
        for name, model in request["models"].items()
    },
    "providers": ort.get_all_providers(),
    "folders": [str(bentoml.models.get(model.tag).path) for model in saved],
}
json.dump(answer, sys.stdout)
