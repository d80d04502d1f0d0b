"""What is measured, one contender per process: ``python steps.py NAME`` prints seconds as JSON.

Run alone so that no contender pays for what another left behind for Python's gc.
"""

import json
import random
import sys
import time

POINTS = 100


def data():
    """Return 100 points in the square and labels -1 or 1."""
    rng = random.Random(0)
    points = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(POINTS)]
    return points, [1 if x * y > 0 else -1 for x, y in points]


def moons_step(value, model, parameters):
    """Return one step of the hinge loss: forward, zero the gradients, backward."""
    points, labels = data()

    def step():
        inputs = [list(map(value, point)) for point in points]
        scores = list(map(model, inputs))
        losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses))
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        return loss.data

    return step


def micrograd():
    """micrograd 0.1.0, as its demo uses it."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    return moons_step(Value, model, model.parameters())


def scalars():
    """Our engine, one node for each multiplication and addition, as micrograd records them."""
    from autograd import Value
    from nn import MLP

    random.seed(1337)
    mlp = MLP(2, [16, 16, 1])

    def neuron(n, x):
        act = sum((wi * xi for wi, xi in zip(n.w, x, strict=True)), n.b)
        return act.relu() if n.nonlin else act

    def model(x):
        for layer in mlp.layers:
            x = [neuron(n, x) for n in layer.neurons]
        return x[0]

    return moons_step(Value, model, mlp.parameters())


def mlp():
    """nn.MLP as shipped, a weighted sum being one node."""
    from autograd import Value
    from nn import MLP

    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    return moons_step(Value, model, model.parameters())


def time_step(contender):
    """Return the loss and the seconds of one step after one to warm up."""
    step = contender()
    step()
    start = time.perf_counter()
    loss = step()
    return {"seconds": time.perf_counter() - start, "loss": loss}


def time_import():
    """Return the seconds that ``import autograd`` takes, and whether NumPy came along."""
    start = time.perf_counter()
    import autograd  # noqa: F401

    return {"seconds": time.perf_counter() - start, "numpy": "numpy" in sys.modules}


def bytes_per_node():
    """Return the memory a node of a chain holds after backward, by tracemalloc."""
    import gc
    import tracemalloc

    from autograd import Value

    length = 100_000
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    y = Value(1.0)
    for _ in range(length):
        y = y * 1.000001
    y.backward()
    gc.collect()
    return {"bytes": (tracemalloc.get_traced_memory()[0] - before) / (length + 1)}


def long_chain():
    """Return the seconds of each stage in the life of a chain of a million operations."""
    import copy
    import gc
    import pickle

    from autograd import Value

    stages = {}
    x = y = Value(1.0)

    def stage(name, work):
        start = time.perf_counter()
        result = work()
        stages[name] = time.perf_counter() - start
        return result

    def build():
        y = x
        for _ in range(500_000):
            y = y * 1.0000001 + x
        return y

    y = stage("build", build)
    stage("backward", y.backward)
    first = x.grad
    stage("backward again", y.backward)
    assert x.grad == 2 * first
    twin_x, twin = stage("deepcopy", lambda: copy.deepcopy((x, y)))
    saved = stage("pickle", lambda: pickle.dumps((x, y)))
    again_x, again = stage("unpickle", lambda: pickle.loads(saved))
    for leaf, root in ((twin_x, twin), (again_x, again)):
        leaf.grad = 0.0
        root.backward()
        assert leaf.grad == first
    del twin, again, root

    def free():
        nonlocal y
        del y
        gc.collect()

    stage("free", free)
    return stages


def stepper():
    """Return what recording costs beside a plain pass, and the time of moves and of why."""
    from autograd import Stepper, Value
    from nn import MLP

    def chain(length):
        y = w = Value(1.0)
        for i in range(length):
            y = y * 1.0001 if i % 2 else y + w
        return y

    def timed(work):
        start = time.perf_counter()
        result = work()
        return time.perf_counter() - start, result

    plain, recording = [], []
    for _ in range(9):
        seconds, y = timed(lambda: chain(10_000))
        plain.append(seconds + timed(y.backward)[0])
        recording.append(timed(lambda: Stepper(y))[0])  # noqa: B023
    plain.sort()
    recording.sort()
    long = Stepper(chain(30_000))
    assert len(long.events) >= 100_000
    long.run()
    rng = random.Random(0)
    backs = [timed(long.back)[0] for _ in range(1000)]
    gotos = [timed(lambda: long.goto(rng.randrange(100_000)))[0] for _ in range(1000)]
    nodes = long.recording.nodes
    gotos += [timed(lambda: long.goto(rng.choice(nodes)))[0] for _ in range(1000)]
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    points, labels = data()
    losses = [(1 + -label * model(x)).relu() for x, label in zip(points, labels, strict=True)]
    recorded = Stepper(sum(losses))
    weight = model.layers[0].neurons[0].w[0]
    why = sorted(timed(lambda: recorded.why(weight).paths)[0] for _ in range(9))
    return {
        "recording": recording[4] / plain[4],
        "back": max(backs),
        "goto": max(gotos),
        "why": why[4],
    }


MEASURES = {
    "micrograd": lambda: time_step(micrograd),
    "scalars": lambda: time_step(scalars),
    "mlp": lambda: time_step(mlp),
    "import": time_import,
    "memory": bytes_per_node,
    "chain": long_chain,
    "stepper": stepper,
}

if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]]()))
