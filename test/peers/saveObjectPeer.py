"""What the real BentoML makes of the project saveObjectProject, and what it makes of what Modelbench saved of it.

  saveObjectPeer.py save PROJECT HOME      saves the same objects
  saveObjectPeer.py read PROJECT HOME      loads the models in a store and prints what they give, beside the plain object
  saveObjectPeer.py alone HOME             loads models that need no project, in a process that has none
"""

import json
import os
import sys
import types

action, *places = sys.argv[1:]
os.environ["BENTOML_HOME"] = places[-1]

# bentoml.flax imports tensorflow, only to keep it off the GPUs.
tensorflow = types.ModuleType("tensorflow")
tensorflow.config = types.SimpleNamespace(experimental=types.SimpleNamespace(set_visible_devices=lambda *_: None))
sys.modules["tensorflow"] = tensorflow

import bentoml  # noqa: E402
import numpy as np  # noqa: E402

if action != "alone":
    sys.path.insert(0, places[0])
    import forest  # noqa: E402
    import graphs  # noqa: E402
    import nets  # noqa: E402
    import prices  # noqa: E402
    import trained  # noqa: E402


def numbers(value):
    return np.asarray(value, np.float64).tolist()


def save():
    os.makedirs(os.path.join(os.environ["BENTOML_HOME"], "models"))
    batched = {"price": {"batchable": True}}
    labels, metadata = {"owner": "me"}, {"epochs": 3, "rate": 0.1}
    bentoml.picklable_model.save_model("pricing", prices.pricing, signatures=batched, labels=labels, metadata=metadata)
    bentoml.picklable_model.save_model("plain", prices.plain, custom_objects={"double": prices.double, "n": 3})
    bentoml.sklearn.save_model("forest", forest.forest)
    bentoml.flax.save_model("dict", nets.net, nets.variables, custom_objects={"classes": ["a", "b"]})
    bentoml.flax.save_model("frozen", nets.dense, nets.frozen)
    bentoml.flax.save_model("trained", nets.dense, trained.trained)
    bentoml.onnx.save_model("negate", graphs.negate())


def run(tag, method, *args):
    runner = bentoml.models.get(tag).to_runner()
    runner.init_local(quiet=True)
    return numbers(getattr(runner, method).run(*args))


def flax(name, module, state):
    loaded, weights = bentoml.flax.load_model(name)
    given = weights["params"] if "opt_state" in weights else weights
    return [numbers(loaded.apply(given, nets.rows)), numbers(module.apply(state, nets.rows))]


def read():
    weights = np.array([1.0, 2.0, 4.0])
    plain = bentoml.picklable_model.load_model("plain")
    objects = bentoml.models.get("plain").custom_objects
    rows = np.asarray(nets.rows)
    return {
        "pricing": [run("pricing", "price", weights), numbers(prices.pricing.price(weights, fixed=7.0))],
        "plain": [numbers(plain["array"]), numbers(prices.plain["array"])],
        "words": [plain["words"], prices.plain["words"]],
        "objects": [[objects["double"]([2]), objects["n"], list(objects)], [[4], 3, ["double", "n"]]],
        "forest": [run("forest", "predict", forest.iris), numbers(forest.forest.predict(forest.iris))],
        "dict": flax("dict", nets.net, nets.variables),
        "classes": [bentoml.models.get("dict").custom_objects["classes"], ["a", "b"]],
        "frozen": flax("frozen", nets.dense, nets.dense_variables),
        "trained": flax("trained", nets.dense, nets.dense_variables),
        "negate": [run("negate", "run", rows), numbers(-rows)],
    }


def alone():
    model = bentoml.picklable_model.load_model("by_value")
    module, _ = bentoml.flax.load_model("net_by_value")
    return {"price": numbers(model.price([1.0, 2.0])), "module": type(module).__name__, "width": module.width}


answer = {"save": save, "read": read, "alone": alone}[action]()
print("@@" + json.dumps(answer))
