"""The real BentoML's view of a store: one JSON request a line on stdin, one JSON answer a line on stdout.

A request is {"op", "home", ...arguments}; the answer {"value"} or, when Python raised, {"error"}. Every request opens
the store anew, so that nothing is remembered between two of them.
"""
import hashlib
import json
import os
import sys
from pathlib import Path

from bentoml import Tag
from bentoml._internal.models.model import Model, ModelContext, ModelStore


def shown(model):
    root = Path(model.path)
    return {
        "tag": str(model.tag),
        "module": model.info.module,
        "path": str(root),
        "bytes": model.file_size,
        "creation": model.info.creation_time.isoformat(),
        "files": {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        },
    }


def save(store, tag, files):
    model = Model.create(
        tag, module="", api_version="v1", signatures={}, context=ModelContext(framework_name="", framework_versions={})
    )
    for name, content in files.items():
        path = Path(model.path_of(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    model.flush()
    model.save(store)
    return str(model.tag)


def import_archive(store, path):
    return str(Model.import_from(path).save(store).tag)


def get_with_tag(store, tag):
    """The version that a Tag object names after it was looked up."""
    name = Tag.from_str(tag)
    store.get(name)
    return str(name)


OPERATIONS = {
    "import": import_archive,
    "resolve": get_with_tag,
    "list": lambda store, tag=None: [shown(model) for model in store.list(tag)],
    "get": lambda store, tag: shown(store.get(tag)),
    "save": save,
    "delete": lambda store, tag: store.delete(tag),
}

answers = os.fdopen(os.dup(1), "w")
sys.stdout = sys.stderr
for line in sys.stdin:
    request = json.loads(line)
    operation = OPERATIONS[request.pop("op")]
    store = ModelStore(os.path.join(request.pop("home"), "models"))
    try:
        answer = {"value": operation(store, **request)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers, flush=True)
