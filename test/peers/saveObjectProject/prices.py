"""A project's script as its user has it: objects of no framework. Each file of the project imports what it needs only."""

import numpy as np
import rates


class Pricing:
    """A class of the script itself."""

    def __init__(self, per_kilo):
        self.per_kilo = per_kilo

    def price(self, weights, fixed=0.0):
        return np.asarray(weights) * self.per_kilo * rates.FACTOR + fixed


def double(values):
    return [2 * value for value in values]


pricing = Pricing(1.5)
plain = {"words": ["a", "b"], "array": np.arange(6.0).reshape(2, 3)}
