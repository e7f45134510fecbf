"""What the real bentoml makes of a copy of the sample store: samplePeer.py HOME"""
import json
import os
import sys

os.environ["BENTOML_HOME"] = sys.argv[1]
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml  # noqa: E402
import numpy as np  # noqa: E402

session = bentoml.onnx.load_model("iris_clf:latest")
example = bentoml.models.get("iris_clf").info.metadata["input_example"]["input"]
label, probabilities = session.run(["label", "probabilities"], {"input": np.array(example, np.float32)})
answer = {
    "tags": [str(model.tag) for model in bentoml.models.list()],
    "label": int(label[0]),
    "probabilities": probabilities[0].tolist(),
}
print("@@" + json.dumps(answer))
