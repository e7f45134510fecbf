"""The real BentoML saves one model of each framework that runs in Python. Prints what each answers there, a JSON line a model."""
import json
import sys
import types

# bentoml.flax imports tensorflow, only to keep it off the GPUs.
tensorflow = types.ModuleType("tensorflow")
tensorflow.config = types.SimpleNamespace(experimental=types.SimpleNamespace(set_visible_devices=lambda *_: None))
sys.modules["tensorflow"] = tensorflow

import bentoml  # noqa: E402
import cloudpickle  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
from flax import linen as nn  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402


class DigitsNet(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(4, (3, 3))(x))
        return nn.Dense(10)(x.reshape((x.shape[0], -1)))


class PriceRule:
    """Prices a flat; what it answers is no array."""

    def quote(self, area, rooms=2):
        price = round(area * 41.5 + rooms * 1200)
        return {"price": price, "band": "upper" if price > 5000 else "lower"}


def told(saved, **answer):
    print(json.dumps({"tag": str(saved.tag), "answer": [], **answer}), flush=True)


cloudpickle.register_pickle_by_value(sys.modules["__main__"])

iris = load_iris()
forest = RandomForestClassifier(n_estimators=8, random_state=0).fit(iris.data, iris.target)
flower = [[5.9, 3.0, 5.1, 1.8]]
told(
    bentoml.sklearn.save_model(
        "iris_forest",
        forest,
        signatures={"predict": {"batchable": True}, "predict_proba": {"batchable": True}},
        metadata={"input_example": flower, "classes": [str(name) for name in iris.target_names]},
    ),
    answer=forest.predict_proba(flower).tolist(),
)

rule = PriceRule()
told(
    bentoml.picklable_model.save_model(
        "price_rule",
        rule,
        signatures={"quote": {"batchable": False}},
        metadata={"input_example": {"area": 80, "rooms": 3}},
    ),
    price=rule.quote(80, rooms=3)["price"],
)

net = DigitsNet()
digit = np.linspace(0, 1, 64, dtype=np.float32).reshape((1, 8, 8, 1))
state = net.init(jax.random.PRNGKey(0), digit)
told(
    bentoml.flax.save_model(
        "digits_net",
        net,
        state,
        signatures={"__call__": {"batchable": True}},
        metadata={"input_example": digit.tolist()},
    ),
    answer=np.asarray(net.apply(state, digit)).tolist(),
)
