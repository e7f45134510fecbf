"""A user's script: the objects of the documents' examples that need no jax."""

import numpy as np
from sklearn import datasets, svm
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

iris = datasets.load_iris()
clf = svm.SVC(gamma="scale").fit(iris.data, iris.target)

X_train, X_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=0)
forest = RandomForestClassifier(n_estimators=20, random_state=0)
forest.fit(X_train, y_train)


class TrainedModel:
    """Stands for the network of the documents."""

    def __init__(self):
        self.weights = np.linspace(-1, 1, 6).reshape(3, 2)

    def classify(self, x):
        return np.argmax(np.asarray(x) @ self.weights, axis=1)

    def __call__(self, x):
        return np.tanh(np.asarray(x) @ self.weights)


class Recorder:
    """Notes what its methods receive."""

    def __init__(self):
        self.inputs = []

    def predict(self, x):
        self.inputs.append(x.tolist())
        return x * 10

    def sums(self, x):
        self.inputs.append(x.tolist())
        return x.sum(axis=0)

    def received(self):
        inputs, self.inputs = self.inputs, []
        return {"inputs": inputs}


class MyPredictor:
    def __call__(self, x):
        return x * 2


def tokenizer(text):
    return text.lower().split()
