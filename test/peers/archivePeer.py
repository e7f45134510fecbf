"""A real BentoML (any version) that makes, exports and imports models: one JSON request a line on stdin, one JSON
answer a line on stdout. BENTOML_HOME says where its store is."""
import json
import lzma
import os
import random
import sys

answers = os.fdopen(os.dup(1), "w")
sys.stdout = sys.stderr

import bentoml
from bentoml.models import ModelContext

FORMATS = ["bentomodel", "tar", "gz", "xz", "bz2", "zip", "folder"]


def create(tag, **given):
    # Old versions want what new ones leave out.
    context = ModelContext(framework_name="", framework_versions={})
    return bentoml.models.create(tag, signatures={}, context=context, **given)


def put(model, name, content, mode=0o644):
    path = model.path_of(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def make():
    with create("peer_model:v1", labels={"owner": "peer"}, metadata={"acc": 0.5, "n": 3}) as model:
        put(model, "weights.bin", os.urandom(300000))
        put(model, "zeros.bin", bytes(200000))
        put(model, "empty.bin", b"")
        put(model, "run.sh", b"#!/bin/sh\n", 0o755)
        put(model, "größe/模型.txt", "ü".encode())
        put(model, "deep/" + "d" * 90 + "/" + "f" * 120, b"long path")
        os.makedirs(model.path_of("empty_folder"))
    return bentoml.models.get("peer_model:v1").path


def make_and_export(seed, count, folder):
    """Exports many models of every shape; answers with each archive and the folder of the model in it."""
    rng = random.Random(seed)
    made = []
    for i in range(count):
        tag = f"many_{seed}:v{i}"
        with create(tag, labels={f"l{k}": str(rng.random()) for k in range(rng.randrange(4))}) as model:
            for k in range(rng.randrange(8)):
                depth = [rng.choice(["a", "weights", "größe", "d" * 60]) for _ in range(rng.randrange(4))]
                content = rng.choice([rng.randbytes, bytes])(rng.choice([0, 1, 511, 512, 513, rng.randrange(90000)]))
                put(model, "/".join([*depth, f"f{k}{rng.choice(['.bin', '', '.txt', ' x', '模'])}"]), content)
            if rng.random() < 0.3:
                os.makedirs(model.path_of("nothing/in/here"))
        form = FORMATS[i % len(FORMATS)]
        path = os.path.join(folder, f"{seed}-{i}.{form}")
        bentoml.models.export_model(tag, path, form)
        made.append([path, bentoml.models.get(tag).path])
    return made


def take(path, tag, form=None):
    for model in bentoml.models.list(tag.split(":")[0]):
        bentoml.models.delete(model.tag)
    bentoml.models.import_model(path, form)
    return bentoml.models.get(tag).path


def unxz(path):
    with lzma.open(path) as file:
        return len(file.read())


OPERATIONS = {
    "make": make,
    "makeAndExport": make_and_export,
    "export": lambda path, form=None: bentoml.models.export_model("peer_model:v1", path, form),
    "import": take,
    "unxz": unxz,
}

for line in sys.stdin:
    request = json.loads(line)
    operation = OPERATIONS[request.pop("do")]
    try:
        answer = {"value": operation(**request)}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), file=answers, flush=True)
