"""Networks by scikit-learn's conventions: its own checks, its tools, its data."""

import math
import pickle
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="comes with the extra data")

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from autograd import MissingExtraError
from nn.data import moons
from nn.estimators import NetworkClassifier, NetworkRegressor

QUICK: dict[str, Any] = {
    "hidden": (8,),
    "epochs": 15,
    "learning_rate": 0.05,
    "random_state": 0,
}

BATCHES = "a mini-batch is of so many samples, whatever they weigh: weights are no repetitions"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_scikit_learn_s_own_checks(kind: Any) -> None:
    from sklearn.utils.estimator_checks import check_estimator  # slow to import

    results = check_estimator(
        kind(**QUICK),
        expected_failed_checks={"check_sample_weight_equivalence_on_dense_data": BATCHES},
        on_skip=None,
    )
    assert len(results) > 40
    assert {result["status"] for result in results} <= {"passed", "skipped", "xfail"}


@pytest.mark.long
def test_labels_are_words_and_probabilities_add_up() -> None:
    inputs, species = load_iris(return_X_y=True)
    labels = np.array(["setosa", "versicolor", "virginica"])[species]
    for many in (150, 100):  # of three classes, and of two
        classifier = NetworkClassifier(**QUICK).fit(inputs[:many], labels[:many])
        assert set(classifier.predict(inputs[:many])) == set(labels[:many])
        assert classifier.score(inputs[:many], labels[:many]) > 0.9
        chances = classifier.predict_proba(inputs[:many])
        assert chances.shape == (many, len(classifier.classes_))
        assert np.allclose(chances.sum(axis=1), 1, rtol=1e-15 * 4)
        assert (
            classifier.classes_[chances.argmax(axis=1)] == classifier.predict(inputs[:many])
        ).all()


@pytest.mark.long
def test_in_a_pipeline_a_search_and_cross_validation() -> None:
    inputs, labels = moons(60)
    pipeline = make_pipeline(MinMaxScaler(), NetworkClassifier(**QUICK))
    assert cross_val_score(pipeline, inputs, labels, cv=3).mean() > 0.8
    grid = {"hidden": [(1,), (8,)], "learning_rate": [1e-6, 0.05]}
    search = GridSearchCV(NetworkClassifier(**QUICK), grid, cv=2).fit(inputs, labels)
    assert search.best_params_["learning_rate"] == 0.05
    twin = clone(search.best_estimator_)
    assert twin.get_params() == search.best_estimator_.get_params()
    with pytest.raises(NotFittedError):
        twin.predict(inputs)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")  # Dask's own, of ports and of what is sent
def test_a_search_runs_on_a_cluster_of_dask_s() -> None:
    """As the docs have it: a mark of its own, for Dask comes with no extra of ours."""
    distributed = pytest.importorskip("distributed", reason="Dask's cluster is not installed")
    from joblib import parallel_config

    inputs, labels = moons(60)
    search = GridSearchCV(NetworkClassifier(**QUICK), {"hidden": [(1,), (8,)]}, cv=2)
    here = search.fit(inputs, labels).cv_results_["mean_test_score"]
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with cluster, distributed.Client(cluster), parallel_config("dask"):
        there = search.fit(inputs, labels)
        assert (there.cv_results_["mean_test_score"] == here).all()
        assert there.best_estimator_.predict(inputs).shape == (60,)


@pytest.mark.long
def test_the_same_seed_gives_the_same_network_and_pickling_keeps_it() -> None:
    inputs, labels = moons(40)
    first, again, other = (
        NetworkClassifier(**QUICK | {"random_state": seed})
        .fit(inputs, labels)
        .predict_proba(inputs)
        for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first != other).any()
    kept = pickle.loads(pickle.dumps(NetworkClassifier(**QUICK).fit(inputs, labels)))
    assert (kept.predict_proba(inputs) == first).all()
    assert len(kept.history_.loss) == kept.n_iter_ == 15


@pytest.mark.long
def test_regression_of_one_number_and_of_several() -> None:
    inputs, goals = (part[:200] for part in load_diabetes(return_X_y=True))
    settings = QUICK | {"weight_decay": 0.01}
    parts = train_test_split(inputs, goals, random_state=0)
    regressor = NetworkRegressor(**settings).fit(parts[0], parts[2])
    assert regressor.score(parts[1], parts[3]) > 0.2
    both = np.column_stack([goals, 1000 - 2 * goals])
    several = NetworkRegressor(**settings).fit(inputs, both)
    assert several.predict(inputs).shape == both.shape
    assert several.score(inputs, both) > 0.4
    column = NetworkRegressor(**settings).fit(inputs[:50], goals[:50, None])
    assert column.predict(inputs[:7]).shape == (7, 1)


@pytest.mark.long
def test_samples_without_weight_don_t_count() -> None:
    inputs = np.linspace(-1, 1, 40)[:, None]
    goals = np.where(np.arange(40) % 2, inputs[:, 0], 100.0)
    weights = (np.arange(40) % 2).astype(float)
    regressor = NetworkRegressor(**QUICK | {"activation": "tanh", "epochs": 60})
    regressor.fit(inputs, goals, sample_weight=weights)
    assert regressor.score(inputs, inputs[:, 0]) > 0.95
    labels = (inputs[:, 0] > 0).astype(int) ^ (weights == 0)
    classifier = NetworkClassifier(**QUICK).fit(inputs, labels, sample_weight=weights)
    assert (classifier.predict(inputs) == (inputs[:, 0] > 0)).mean() > 0.9


@pytest.mark.long
def test_bit_by_bit_and_on_and_on() -> None:
    inputs, labels = moons(60)
    classifier = NetworkClassifier(**QUICK)
    with pytest.raises(ValueError, match="classes must be given at the first call"):
        classifier.partial_fit(inputs, labels)
    losses = []
    for _ in range(12):
        for part in (slice(0, 30), slice(30, 60)):
            classifier.partial_fit(inputs[part], labels[part], classes=[0, 1])
        losses.append(classifier.loss_)
    assert losses[-1] < 0.7 * losses[0]
    warm = NetworkClassifier(**QUICK | {"warm_start": True}).fit(inputs, labels)
    before = warm.loss_
    assert warm.fit(inputs, labels).loss_ < before
    assert warm.fit(inputs, 1 - np.array(labels) * 2).classes_.tolist() == [-1, 1]


@pytest.mark.long
def test_early_stopping_keeps_a_part_back() -> None:
    inputs, labels = moons(80)
    settings = QUICK | {"early_stopping": True, "patience": 2, "epochs": 400}
    for estimator in (NetworkClassifier(**settings), NetworkRegressor(**settings)):
        estimator.fit(inputs, labels)
        assert estimator.n_iter_ < 400
        assert estimator.history_.stopped
        assert math.isfinite(min(estimator.history_.validation_loss))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "lbfgs"}, "optimizer must be one of sgd, adagrad, rmsprop, adam, adamw"),
        ({"learning_rate": -1}, "learning_rate must be finite and above 0"),
        ({"hidden": (0,)}, r"nouts\[0\] must be a whole number, at least 1"),
        ({"epochs": 0}, "epochs must be a whole number"),
    ],
)
def test_a_bad_setting_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NetworkClassifier(**QUICK | change).fit(*moons(10))


def test_what_is_noticed_is_in_the_history_and_not_in_the_way(capsys: Any) -> None:
    classifier = NetworkClassifier(**QUICK | {"learning_rate": 1000.0}).fit(*moons(40))
    assert classifier.history_.warnings
    assert capsys.readouterr() == ("", "")


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "nn.estimators")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[data\]'"):
        import nn.estimators  # noqa: F401


@pytest.mark.long
def test_nn_offers_them_when_they_are_asked_for() -> None:
    code = (
        "import sys, nn; assert 'sklearn' not in sys.modules; nn.estimators.NetworkRegressor; "
        "assert 'sklearn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
