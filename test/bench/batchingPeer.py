"""What the batching bench compares with, warm: BentoML's dispatcher in this process, and its runner in one of its own.

`batchingPeer.py MODEL FOLDER`: saves the ONNX file as a model into a store below FOLDER. Then a line in is an operation
and its numbers, a line out is JSON: the milliseconds of processor time so far, and what the operation gives.

| line | does |
|---|---|
| `dispatcher CLIENTS ROWS` | clients that each send a row when the last is answered, until so many rows are served |
| `runner CLIENTS ROWS` | the same, to a runner process by its remote client |
| `arrive RATE SECONDS` | rows that arrive at random at the dispatcher, so many a second: `{waits: [ms], refused}` |
"""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path

file, folder = Path(sys.argv[1]), Path(sys.argv[2])
os.environ.update(BENTOML_HOME=str(folder / "home"), BENTOML_DO_NOT_TRACK="True")
(folder / "home").mkdir()

import bentoml  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from bentoml._internal.configuration.containers import BentoMLContainer  # noqa: E402
from bentoml._internal.marshal.dispatcher import CorkDispatcher  # noqa: E402

MAX_BATCH, MAX_LATENCY_MS = 128, 60_000
ROW = (np.arange(784) % 17 / 17).astype(np.float32).reshape(1, -1)
SERVICE = f"""
import bentoml
from bentoml._internal.service import Service
runner = bentoml.onnx.get("digits").to_runner(max_batch_size={MAX_BATCH}, max_latency_ms={MAX_LATENCY_MS})
svc = Service("bench", runners=[runner])
"""


def open_session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def dispatched():
    """The dispatcher alone: rows are joined, run and shared out as BentoML's runner does it, in its thread pool."""
    session = open_session()

    def infer(rows):
        (result,) = session.run(None, {"x": np.concatenate(rows)})
        return np.split(result, len(rows))

    refused = lambda: None  # noqa: E731
    return CorkDispatcher(MAX_LATENCY_MS, MAX_BATCH, fallback=refused, get_batch_size=len)(infer)


def start_runner():
    """BentoML's runner server on one thread of the runtime, and its client: (the process, the call)."""
    bentoml.onnx.save_model("digits", onnx.load(str(file)), signatures={"run": {"batchable": True}})
    (folder / "service.py").write_text(SERVICE)
    path = folder / "runner.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1024)
    command = [sys.executable, "-m", "bentoml_cli.worker.runner", "service:svc", "--runner-name", "digits"]
    command += ["--fd", str(server.fileno()), "--working-dir", str(folder), "--worker-id", "1", "--no-access-log"]
    command += ["--worker-env-map", json.dumps({"0": {"BENTOML_NUM_THREAD": "1", "OMP_NUM_THREADS": "1"}})]
    process = subprocess.Popen(command, pass_fds=[server.fileno()], stdout=sys.stderr)
    BentoMLContainer.remote_runner_mapping.set({"digits": path.as_uri()})
    runner = bentoml.onnx.get("digits").to_runner(max_batch_size=MAX_BATCH, max_latency_ms=MAX_LATENCY_MS)
    runner.init_client()
    return process, runner.run.async_run


async def closed_loop(call, clients, rows):
    async def client():
        for _ in range(rows // clients):
            await call(ROW)

    await asyncio.gather(*(client() for _ in range(clients)))


async def arrive(call, rate, seconds):
    """Milliseconds that each row took from the moment it was due, and how many were not served."""
    loop, waits, refused, tasks = asyncio.get_running_loop(), [], 0, []

    async def one(due):
        nonlocal refused
        if await call(ROW) is None:
            refused += 1
        else:
            waits.append((loop.time() - due) * 1000)

    start = due = loop.time()
    while due < start + seconds:
        due += random.expovariate(rate)
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        tasks.append(asyncio.ensure_future(one(due)))
    await asyncio.gather(*tasks)
    return {"waits": waits, "refused": refused}


def processor_ms(pid):
    """Of this process and the runner's."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return time.process_time() * 1000 + (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


async def main():
    process, remote = start_runner()
    calls = {"dispatcher": dispatched(), "runner": remote}
    loop = asyncio.get_running_loop()
    try:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            operation, *numbers = line.split()
            result = {}
            if operation == "arrive":
                result = await arrive(calls["dispatcher"], *map(float, numbers))
            else:
                await closed_loop(calls[operation], *map(int, numbers))
            print(json.dumps({"cpuMs": processor_ms(process.pid), **result}), flush=True)
    finally:
        process.kill()


asyncio.run(main())
