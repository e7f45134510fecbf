"""What the real BentoML does with models that it saved: its own runners, alone and with requests that it joins."""

import json
import os
import sys
import types
import warnings


def open_store(home):
    """Makes a folder the store of this process; to be called before bentoml is imported."""
    os.makedirs(os.path.join(home, "models"), exist_ok=True)
    os.environ.update(BENTOML_HOME=home, BENTOML_DO_NOT_TRACK="True")
    warnings.simplefilter("ignore")
    # bentoml.flax imports tensorflow, only to keep it off the GPUs.
    tensorflow = types.ModuleType("tensorflow")
    tensorflow.config = types.SimpleNamespace(experimental=types.SimpleNamespace(set_visible_devices=lambda *_: None))
    sys.modules["tensorflow"] = tensorflow


def local_runner(tag, **config):
    """`bentoml.models.get(tag).to_runner()` in this process."""
    import bentoml

    runner = bentoml.models.get(tag).to_runner(**config)
    runner.init_local(quiet=True)
    return runner


def joined(runner, method, calls):
    """Answers to several calls as BentoML's runner process gives them when it has joined them to one batch."""
    from bentoml._internal.runner.container import AutoContainer

    found = next(each for each in runner.runner_methods if each.name == method)
    in_axis, out_axis = found.config.batch_dim
    columns, cuts = [], None
    for column in zip(*calls):
        payloads = [AutoContainer.to_payload(value, batch_dim=in_axis) for value in column]
        batch, cuts = AutoContainer.from_batch_payloads(payloads, batch_dim=in_axis)
        columns.append(batch)
    payloads = AutoContainer.batch_to_payloads(found.run(*columns), cuts, batch_dim=out_axis)
    return [plain(AutoContainer.from_payload(payload)) for payload in payloads]


def plain(value):
    """Arrays as nested lists, wherever they are."""
    import numpy

    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return numpy.asarray(value).tolist() if hasattr(value, "__array__") else value


def where(tag):
    """The folder of a model."""
    import bentoml

    return bentoml.models.get(tag).path


def tell(value):
    """Prints the answer of this program."""
    print("@@" + json.dumps(plain(value)))
