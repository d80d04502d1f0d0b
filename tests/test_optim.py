"""Optimisers: their formulas, PyTorch's trajectories, their memory."""

import copy
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value, tanh
from nn import MLP
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

START = (-0.7, 0.4, 1.2)

CASES: dict[str, Callable[[Any], Optimizer]] = {
    "SGD": lambda ws: SGD(ws, 0.005),
    "SGD momentum": lambda ws: SGD(ws, 0.002, momentum=0.9),
    "SGD nesterov": lambda ws: SGD(ws, 0.002, momentum=0.9, nesterov=True),
    "SGD decay": lambda ws: SGD(ws, 0.005, weight_decay=0.1),
    "SGD all": lambda ws: SGD(ws, 0.002, momentum=0.8, nesterov=True, weight_decay=0.05),
    "Adagrad": lambda ws: Adagrad(ws, 0.1),
    "RMSprop": lambda ws: RMSprop(ws, 0.01),
    "RMSprop decay": lambda ws: RMSprop(ws, 0.004, decay=0.95, weight_decay=0.1),
    "Adam": lambda ws: Adam(ws, 0.05),
    "Adam decay": lambda ws: Adam(ws, 0.05, betas=(0.8, 0.99), weight_decay=0.1),
    "AdamW": lambda ws: AdamW(ws, 0.05, weight_decay=0.1),
}

# After steps 1, 2, 10, 50, 100 of PyTorch 2.13.0 in double precision, with the same settings.
PYTORCH: dict[str, list[tuple[float, ...]]] = {
    "SGD": [
        (-0.6660410036616706, 0.41300000000000003, 1.1934572521359745),
        (-0.6408616527242184, 0.41996334811654445, 1.1870763476794775),
        (-0.5405198526576368, 0.3957407386354694, 1.1390333913915935),
        (-0.18569873981813187, 0.1252936789798255, 0.9351158635750502),
        (0.2668594649721509, 0.078701659901274, 0.7353540564506446),
    ],
    "SGD momentum": [
        (-0.6864164014646682, 0.4052, 1.1973829008543897),
        (-0.6620650287491393, 0.41410306484969694, 1.1924353617336758),
        (-0.4155933243119484, 0.395114536628521, 1.0995423494823557),
        (0.582462251397275, 0.33361027843318447, 0.45091937089915607),
        (0.7505908367076239, 0.5503739985030194, 0.25150411719714993),
    ],
    "SGD nesterov": [
        (-0.6741911627828696, 0.40988, 1.1950275116233406),
        (-0.642526447198173, 0.42046924356623205, 1.188027288856979),
        (-0.4213410714704667, 0.35772914225831476, 1.0870006249973085),
        (0.5750451393104414, 0.3204010541266837, 0.45003537652180003),
        (0.74540518265379, 0.5414651535833722, 0.2520776906902605),
    ],
    "SGD decay": [
        (-0.6656910036616706, 0.4128, 1.1928572521359744),
        (-0.6402204071729362, 0.4195283374962881, 1.1858822703043308),
        (-0.5379326893805048, 0.3932499410414625, 1.1333074014974025),
        (-0.1752472062556002, 0.11916702239022567, 0.9124280243925946),
        (0.2723734179034864, 0.07937968174385512, 0.6995028928740299),
    ],
    "SGD all": [
        (-0.6754235226364028, 0.40928800000000004, 1.1950732215379016),
        (-0.6467552708006387, 0.41872299827253734, 1.1884786400578722),
        (-0.4779959076916146, 0.379298714145996, 1.1096100326761282),
        (0.23678695239184785, 0.05517184050205184, 0.7291423433096385),
        (0.5883194639590714, 0.3327171233637402, 0.4207946480314631),
    ],
    "Adagrad": [
        (-0.6000000000014724, 0.49999999999615385, 1.100000000007642),
        (-0.5899394545465249, 0.43540577585355034, 1.0369878754178476),
        (-0.39135109719712474, 0.22510328145691053, 0.7512710111368659),
        (0.24269991444537659, 0.05933341540347404, 0.2789840629806141),
        (0.540433734418431, 0.27681706154492725, 0.16792509264636146),
    ],
    "RMSprop": [
        (-0.6000000014723639, 0.49999999615384627, 1.1000000076420484),
        (-0.589889287858639, 0.4352167351834246, 1.0367970580545998),
        (-0.3868818292949892, 0.22122490918143253, 0.7473620668028907),
        (0.2892001412727296, 0.08076685132700283, 0.24949360559822123),
        (0.6044285009265421, 0.34981149690836244, 0.1821247335251894),
    ],
    "RMSprop decay": [
        (-0.6821114562965891, 0.4178885435074983, 1.1821114567400102),
        (-0.6706269343981998, 0.4278390677436679, 1.1694855085070839),
        (-0.6225896738945341, 0.43863727569216215, 1.1084428598749176),
        (-0.4663270605238733, 0.2785522453486749, 0.9303851896400162),
        (-0.2697226449929908, 0.11618465970371485, 0.7458140536928908),
    ],
    "Adam": [
        (-0.6500000000736181, 0.44999999980769234, 1.1500000003821025),
        (-0.603260562162145, 0.48559129395461914, 1.1001735339144587),
        (-0.39834517019607735, 0.24975560657198997, 0.7164683518996345),
        (0.6974939621765672, 0.45815388177777094, 0.13186663176958113),
        (0.7491779787483658, 0.5483583866053526, 0.2693706372649523),
    ],
    "Adam decay": [
        (-0.6500000000728672, 0.4499999998046875, 1.1500000003500053),
        (-0.6040345674738203, 0.4830934329725516, 1.10028195295794),
        (-0.39317009610865333, 0.21814221823791374, 0.7237866153202885),
        (0.6630734094898967, 0.42154371411754415, 0.19206079926901187),
        (0.7109761195605214, 0.49034276452788067, 0.23638731135265928),
    ],
    "AdamW": [
        (-0.6465000000736182, 0.44799999980769234, 1.1440000003821025),
        (-0.5966798260588769, 0.4806031866548254, 1.088464862148657),
        (-0.3711881968247647, 0.22583544327389826, 0.6708657851827664),
        (0.670357715977868, 0.4267412239930773, 0.15022458572621133),
        (0.7115172037102336, 0.4920342218879959, 0.25019193302479853),
    ],
}


def problem(w: Any) -> Any:
    """Return a valley with a bend, for any numbers: floats, Values, tensors by ``tanh``."""
    x, y, z = w
    return (1 - x) ** 2 + 10 * (y - x * x) ** 2 + tanh(z * x) ** 2 + 0.5 * (z - y) ** 2


def trajectory(name: str, steps: int = 100) -> list[tuple[float, ...]]:
    weights = [Value(x) for x in START]
    optimizer = CASES[name](weights)
    points = []
    for _ in range(steps):
        optimizer.zero_grad()
        problem(weights).backward()
        optimizer.step()
        points.append(tuple(w.data for w in weights))
    return points


@pytest.mark.parametrize("name", CASES)
def test_the_trajectory_is_pytorch_s(name: str) -> None:
    points = trajectory(name)
    for step, expected in zip((1, 2, 10, 50, 100), PYTORCH[name], strict=True):
        # A hundred steps of some ten roundings of 1.1e-16 each, in numbers of about 1.
        assert points[step - 1] == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.peer
@pytest.mark.parametrize("name", CASES)
def test_the_trajectory_beside_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours = CASES[name]([Value(1.0)])
    settings = {
        "lr": ours.learning_rate,
        "weight_decay": getattr(ours, "weight_decay", 0.0),
    }
    settings |= {"momentum": ours.momentum, "nesterov": ours.nesterov} if type(ours) is SGD else {}
    settings |= {"betas": ours.betas} if isinstance(ours, Adam) else {}
    settings |= {"alpha": ours.decay} if isinstance(ours, RMSprop) else {}
    weights = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
    optimizer = getattr(torch.optim, type(ours).__name__)(weights, **settings)
    for point in trajectory(name):
        optimizer.zero_grad()
        x, y, z = weights
        loss = (1 - x) ** 2 + 10 * (y - x * x) ** 2 + torch.tanh(z * x) ** 2 + 0.5 * (z - y) ** 2
        loss.backward()
        optimizer.step()
        expected = tuple(w.detach().item() for w in weights)
        assert point == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_the_formula_runs_on_values_too(name: str) -> None:
    # One source for the eager step and for what records it: on Values it gives the same bits.
    optimizer = CASES[name]([Value(0.5)])
    rest = [*(0.25 for _ in optimizer.remembers), *optimizer.rates(3)]
    floats = optimizer.update(0.5, -0.75, *rest)
    values = optimizer.update(Value(0.5), Value(-0.75), *map(Value, rest))
    assert [v.data for v in values] == list(floats)
    assert len(floats) == 1 + len(optimizer.remembers)


@pytest.mark.parametrize("name", CASES)
def test_saved_and_loaded_in_the_middle_it_goes_on_with_the_same_bits(name: str) -> None:
    weights = [Value(x) for x in START]
    optimizer = CASES[name](weights)
    for step in range(20):
        if step == 7:
            state = optimizer.state_dict()
            optimizer = CASES[name](weights)
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        problem(weights).backward()
        optimizer.step()
    assert tuple(w.data for w in weights) == trajectory(name, 20)[-1]


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    weights = [Value(1.0), Value(2.0)]
    adam = Adam(weights)
    before = adam.state_dict()
    with pytest.raises(ValueError, match="the state is not that of Adam: it has"):
        adam.load_state_dict(SGD(weights, 0.1).state_dict())
    with pytest.raises(ValueError, match="means is of 1 parameters, the optimizer has 2"):
        adam.load_state_dict(before | {"means": [0.0]})
    for change, message in (
        ({"learning_rate": 0.5, "scale": "x"}, "scale must be finite and at least 0: got 'x'"),
        ({"scale": 0.5, "learning_rate": -1.0}, "learning_rate must be finite and above 0"),
        ({"epsilon": 1.0, "betas": 0.9}, r"betas must be 2 numbers: got 0\.9"),
        ({"epsilon": 1.0, "betas": [0.9, "x"]}, "betas must be finite and at least 0: got 'x'"),
        ({"epsilon": 1.0, "betas": [0.9, -1]}, "betas must be finite and at least 0: got -1"),
        ({"means": [0.0, None]}, "means must be a number: got None"),
        ({"steps": 1.5}, r"steps must be a whole number, at least 0: got 1\.5"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            adam.load_state_dict(before | change)
    assert adam.state_dict() == before


def test_a_state_has_the_settings_and_brings_them_back() -> None:
    w = Value(1.0)
    for one, other in (
        (Adam([w], 0.1, (0.8, 0.9), 1e-3, 0.5), Adam([w])),
        (SGD([w], 0.1, 0.5, nesterov=True), SGD([w], 0.2, 0.25)),
        (RMSprop([w], decay=0.5, weight_decay=0.1), RMSprop([w])),
        (AdamW([w], weight_decay=0.5), AdamW([w])),
    ):
        state = one.state_dict()
        other.load_state_dict(json.loads(json.dumps(state)))
        assert other.state_dict() == state
        for optimizer in (one, other):
            w.data, w.grad = 1.0, 0.5
            optimizer.step()
            state["w", optimizer] = w.data
        assert state["w", one] == state["w", other]


@pytest.mark.parametrize("kind", [SGD, Adagrad, RMSprop, Adam, AdamW])
def test_who_writes_lr_is_told_what_it_is_called(kind: Any) -> None:
    with pytest.raises(TypeError, match=f"{kind.__name__} has no lr: write learning_rate=0.1"):
        kind([Value(1.0)], lr=0.1)
    optimizer = kind([Value(1.0)], 0.1)
    with pytest.raises(AttributeError, match="has no lr: write learning_rate"):
        optimizer.lr  # noqa: B018
    with pytest.raises(AttributeError, match="has no lr: set learning_rate"):
        optimizer.lr = 0.5
    assert copy.deepcopy(optimizer).state_dict() == optimizer.state_dict()


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda p: Adam(p, eps=1e-6), "Adam has no eps: write epsilon=1e-06"),
        (lambda p: RMSprop(p, alpha=0.9), "RMSprop has no alpha: write decay=0.9"),
        (
            lambda p: SGD(p, 0.1, dampening=0.5),
            "SGD has no dampening: its settings are "
            "learning_rate, momentum, nesterov, weight_decay",
        ),
    ],
)
def test_a_setting_by_another_library_s_name_is_answered_with_what_there_is(
    make: Any, advice: str
) -> None:
    with pytest.raises(TypeError) as refused:
        make([Value(1.0)])
    assert str(refused.value) == advice


def test_an_optimiser_of_one_s_own_may_take_any_setting() -> None:
    class Own(SGD):
        def __init__(self, parameters: Any, **settings: Any) -> None:
            super().__init__(parameters, settings["eps"])

    assert Own([Value(1.0)], eps=0.5).learning_rate == 0.5


def test_a_formula_that_fails_moves_nothing() -> None:
    class Half(SGD):
        def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
            if w == 2.0:
                raise ArithmeticError
            return (w - g,)

    weights = [Value(1.0), Value(2.0)]
    optimizer = Half(weights, 0.1)
    weights[0].grad = weights[1].grad = 1.0
    with pytest.raises(ArithmeticError):
        optimizer.step()
    assert [w.data for w in weights] == [1.0, 2.0]
    assert optimizer.steps == 0


def test_sgd_moves_against_the_gradient() -> None:
    w, b = Value(1.0), Value(2.0)
    optimizer = SGD([w, b], learning_rate=0.5)
    (w * b).backward()
    optimizer.step()
    assert (w.data, b.data) == (0.0, 1.5)
    optimizer.zero_grad()
    assert (w.grad, b.grad) == (0.0, 0.0)


def test_a_tied_parameter_is_updated_once() -> None:
    w = Value(1.0)
    optimizer = SGD([w, w], learning_rate=0.5)
    (2 * w).backward()
    optimizer.step()
    assert w.data == 0.0


@pytest.mark.parametrize("rate", [0, -0.1, math.inf, math.nan, "fast", None, True])
def test_a_bad_learning_rate_is_named(rate: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="learning_rate must be finite and above 0"):
        SGD([Value(1.0)], learning_rate=rate)
    optimizer = SGD([Value(1.0)], learning_rate=0.1)
    with pytest.raises((ValueError, TypeError), match="learning_rate must be finite and above 0"):
        optimizer.learning_rate = rate


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "no parameters to optimise"),
        (MLP(2, [1]), r"parameters must be a list, as model\.parameters\(\): got MLP"),
        ([1.0], r"a parameter must be a leaf Value: got 1\.0"),
        ([Value(1.0) * 2], "a parameter must be a leaf Value: got Value"),
    ],
)
def test_bad_parameters_are_named(parameters: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        SGD(parameters, learning_rate=0.1)


def test_the_scale_multiplies_the_learning_rate() -> None:
    w = Value(1.0)
    optimizer = SGD([w], 0.5)
    optimizer.scale = 0.1
    w.grad = 1.0
    optimizer.step()
    assert w.data == 1.0 - 0.05
    assert optimizer.learning_rate == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda ws: SGD(ws, 0.1, momentum=1.0), "momentum must be at least 0 and below 1"),
        (lambda ws: SGD(ws, 0.1, nesterov=True), "nesterov needs a momentum above 0"),
        (lambda ws: SGD(ws, 0.1, weight_decay=-1.0), "weight_decay must be finite and at least 0"),
        (lambda ws: Adam(ws, betas=(0.9, 1.5)), r"betas\[1\] must be at least 0 and below 1"),
        (lambda ws: Adam(ws, epsilon=0), "epsilon must be finite and above 0"),
        (lambda ws: RMSprop(ws, decay=math.nan), "decay must be at least 0 and below 1"),
        (lambda ws: Adam(ws, "fast"), "learning_rate must be finite and above 0: got 'fast'"),
        (lambda ws: SGD(ws, 10**400), "learning_rate must be finite and above 0: got 1000"),
    ],
)
def test_bad_settings_are_named(make: Callable[[Any], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make([Value(1.0)])


def test_an_optimizer_prints_what_it_is() -> None:
    optimizer = Adam(MLP(2, [1]).parameters(), 0.01)
    assert repr(optimizer) == "Adam(3 parameters, learning_rate=0.01)"
    with pytest.raises(NotImplementedError, match="Optimizer defines no update"):
        Optimizer([Value(1.0)], 0.1).step()
