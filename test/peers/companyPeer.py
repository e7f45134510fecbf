"""The real BentoML at work on a store beside others. Arguments: home, own number, seconds. It saves, lists, gets and
deletes versions of its own; what it raises when others move at the same time is counted and printed at the end."""
import json
import os
import sys
import time
from pathlib import Path

home, number, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])

from bentoml._internal.models.model import Model, ModelContext, ModelStore

store = ModelStore(os.path.join(home, "models"))
done = {"saved": 0, "deleted": 0, "lists": 0, "raised": 0}
print("ready", flush=True)
end = time.time() + seconds
turn = 0
while time.time() < end:
    turn += 1
    name = ["shared", "crowded"][turn % 2]
    tag = f"{name}:p{number}-{turn}"

    def save():
        context = ModelContext(framework_name="", framework_versions={})
        model = Model.create(tag, module="", api_version="v1", signatures={}, context=context)
        Path(model.path_of("weights.bin")).write_text("peer " * 4000)
        model.flush()
        model.save(store)
        done["saved"] += 1

    def delete():
        store.delete(tag)
        done["deleted"] += 1

    def look():
        store.list()
        store.get(f"{name}:latest")
        done["lists"] += 1

    for step in (save, look, delete) if turn % 2 else (save, look):
        try:
            step()
        except Exception:
            done["raised"] += 1
print(json.dumps(done), flush=True)
