"""A forest of scikit-learn."""

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

iris, kinds = load_iris(return_X_y=True)
forest = RandomForestClassifier(n_estimators=8, random_state=0).fit(iris, kinds)
