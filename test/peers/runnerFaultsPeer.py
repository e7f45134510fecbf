"""Saves with the real BentoML, below FOLDER, a model that does what a runner has to bear; prints {folder} after `@@`."""

import json
import os
import sys

os.environ.update(BENTOML_HOME=sys.argv[1], BENTOML_DO_NOT_TRACK="True")

import bentoml  # noqa: E402


class Trying:
    def block(self, note):
        """Holds the interpreter's lock in native code for ten seconds."""
        import ctypes

        if note:
            with open(note, "w") as file:
                file.write(f"{os.getpid()}\n")
        return ctypes.PyDLL(None).sleep(10)

    def large(self, gibibytes):
        import numpy

        return numpy.full(gibibytes * 2**30, 7, dtype=numpy.uint8)

    def hungry(self, gibibytes):
        """Takes memory that it does not fill, so that only the limit is felt."""
        import numpy

        return len([numpy.empty(2**30, dtype=numpy.uint8) for _ in range(gibibytes)])

    def double(self, values):
        return values * 2

    def pid(self):
        return os.getpid()


methods = {name: {"batchable": False} for name in ["block", "large", "hungry", "pid"]}
bentoml.picklable_model.save_model("trying", Trying(), signatures={**methods, "double": {"batchable": True}})
print("@@" + json.dumps({"folder": bentoml.models.get("trying").path}))
