"""What makes a figure too good to be true: a column that gives the target away, rows met twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import missing_extra
from nn.tables.columns import Column

ALMOST = 0.99
"""The AUC, or R², from which on a column alone says too much."""

ROWS_TRIED = 3000
"""Rows, spread over the table, that a column is tried on."""


def leaks(columns: Sequence[Column], targets: Sequence[Any], classes: int) -> dict[str, float]:
    """Return the columns that alone predict the target, with their AUC or R² above 0.99.

    A small tree is asked, of what it hasn't learnt from (three-fold), so that a column of many
    words gains nothing by having them.

    Cost: about 2 ms a column, 10 where one is suspicious.
    """
    try:
        import numpy
        import pandas
        from sklearn.metrics import r2_score
        from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
    except ImportError as error:
        missing_extra("scikit-learn", "data", error)
    places = numpy.linspace(0, len(targets) - 1, min(len(targets), ROWS_TRIED)).astype(int)
    goals = numpy.asarray(targets)[places]
    if classes:
        counts = numpy.unique(goals, return_counts=True)[1]
        if len(counts) < 2 or counts.min() < 3:
            kept = numpy.isin(goals, numpy.unique(goals)[counts >= 3])
            places, goals = places[kept], goals[kept]
    if len(goals) < 30 or len(numpy.unique(goals)) < 2:
        return {}

    def score(answers: Any) -> float:
        return _auc(goals, answers) if classes else float(r2_score(goals, answers))

    found = {}
    for column in columns:
        cells = column.values.iloc[places]
        if column.reader is None:
            cells = cells.astype("category").cat.codes
        # Ranks are all a tree asks of numbers, and fit into the floats it takes.
        inputs = cells.astype(float).rank().fillna(0).to_numpy()[:, None]
        if classes:
            tree: Any = DecisionTreeClassifier(
                max_leaf_nodes=64, min_samples_leaf=2, random_state=0
            )
            folds: Any = StratifiedKFold(3, shuffle=True, random_state=0)
            learnt = tree.fit(inputs, goals).predict_proba(inputs)
        else:
            tree = DecisionTreeRegressor(max_leaf_nodes=64, min_samples_leaf=2, random_state=0)
            folds = KFold(3, shuffle=True, random_state=0)
            learnt = tree.fit(inputs, goals).predict(inputs)
            line = 0.0 if column.reader is None else float(cells.corr(pandas.Series(goals, places)))
            if line**2 > ALMOST:
                found[column.name] = line**2
                continue
        if score(learnt) > ALMOST:
            way = "predict_proba" if classes else "predict"
            unseen = score(cross_val_predict(tree, inputs, goals, cv=folds, method=way))
            if unseen > ALMOST:
                found[column.name] = unseen
    return found


def _auc(goals: Any, answers: Any) -> float:
    """Return the mean AUC of each class against the rest.

    It is scikit-learn's `roc_auc_score`, from ranks, at a ninth of its time.
    """
    import numpy
    import pandas

    is_of = goals[:, None] == numpy.unique(goals)
    members = is_of.sum(axis=0)
    above = (pandas.DataFrame(answers).rank().to_numpy() * is_of).sum(axis=0)
    pairs = members * (len(goals) - members)
    return float(((above - members * (members + 1) / 2) / pairs).mean())


def met_twice(
    columns: Sequence[Column], targets: Sequence[Any], learnt: Sequence[int], tested: Sequence[int]
) -> int:
    """Return how many rows of the test are, target and all, among those learnt from."""
    import pandas

    cells = [*(column.values for column in columns), pandas.Series(list(targets))]
    frame = pandas.concat(cells, axis=1, keys=range(len(cells)))
    rows = pandas.util.hash_pandas_object(frame, index=False)
    return int(rows.iloc[list(tested)].isin(rows.iloc[list(learnt)]).sum())
