"""What benches compare with, warm in one process: a line with an operation and its argument in, an empty JSON object out when done."""
import sys

import numpy as np

values = None

for line in sys.stdin:
    operation, _, path = line.strip().partition(" ")
    if operation == "load":
        values = np.fromfile(path, np.float32)
    elif operation == "statistics":
        values.min(), values.max(), values.mean(dtype=np.float64), values.std(dtype=np.float64), np.isnan(values).sum()
    elif operation == "float32Statistics":
        values.min(), values.max(), values.mean(), values.std(), np.isnan(values).sum()
    elif operation == "histogram":
        np.histogram(values, 64)
    elif operation == "import":
        import flax.serialization
        import safetensors
    elif operation == "msgpack_restore":
        with open(path, "rb") as file:
            flax.serialization.msgpack_restore(file.read())
    elif operation == "safe_open":
        with safetensors.safe_open(path, "np") as file:
            [file.get_slice(key).get_shape() for key in file.keys()]
    print("{}", flush=True)
