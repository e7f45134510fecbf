"""A module of NNX, which has its own state."""

from flax import nnx


class Perceptron(nnx.Module):
    def __init__(self, rngs):
        self.layers = nnx.List([nnx.Linear(3, 4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)])
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.layers[1](self.drop(nnx.relu(self.layers[0](x))))


perceptron = Perceptron(nnx.Rngs(0))
