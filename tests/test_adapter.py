"""Functions of PyTorch and JAX are checked as they are, in their dtypes, by their names."""

from __future__ import annotations

import pytest

from autograd import gradcheck

pytestmark = pytest.mark.peer


def test_a_module_of_pytorch_in_single_precision() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    x = torch.tensor([[0.5, -1.0]])
    before = [p.detach().clone() for p in module.parameters()]
    report = gradcheck(module, x)
    assert "wrong" not in {check.verdict for check in report.inputs}, report
    assert "arg0['0.weight'][1, 0]" in {check.label for check in report.inputs}
    assert all(torch.equal(p, q) for p, q in zip(module.parameters(), before, strict=True))


def test_a_function_of_tensors() -> None:
    torch = pytest.importorskip("torch")

    class Wrong(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2.1 * x * g

    point = torch.tensor([0.5, 2.0], dtype=torch.float64)
    assert gradcheck(lambda x: torch.sin(x).sum(), point).ok
    assert gradcheck(lambda x: torch.sin(x) * x[0], point).ok  # two results
    report = gradcheck(lambda x: Wrong.apply(x).sum(), point)
    assert [(c.label, c.verdict) for c in report.inputs] == [("x[0]", "wrong"), ("x[1]", "wrong")]


def test_a_function_of_jax() -> None:
    jax = pytest.importorskip("jax")
    np = jax.numpy

    @jax.custom_vjp
    def wrong(x):
        return x * x

    wrong.defvjp(lambda x: (x * x, x), lambda x, g: (2.1 * x * g,))
    params = {"w": np.array([[0.5, 2.0]]), "b": np.array(0.3)}

    def loss(params, x):
        return np.tanh(params["w"] @ x + params["b"]).sum()

    report = gradcheck(loss, params, np.array([1.0, -0.5]))
    assert "wrong" not in {check.verdict for check in report.inputs}, report
    assert "params['w'][0, 1]" in {check.label for check in report.inputs}
    report = gradcheck(lambda x: wrong(x).sum(), np.array([0.5, 2.0]))
    assert {check.verdict for check in report.inputs} == {"wrong"}


def test_what_pytorch_keeps_from_one_use_to_the_next_is_found() -> None:
    torch = pytest.importorskip("torch")
    kept = []

    class Keeps(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx, x):
            kept.append(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * kept[-1] * g

    report = gradcheck(lambda x: Keeps.apply(x).sum(), torch.tensor([1.0, 2.0]).double())
    assert {check.verdict for check in report.inputs} == {"wrong"}


def test_networks_of_pytorch_in_the_short_formats() -> None:
    torch = pytest.importorskip("torch")
    for seed in range(3):
        torch.manual_seed(seed)
        module = torch.nn.Sequential(
            torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2)
        )
        report = gradcheck(module, torch.randn(1, 3))
        assert "wrong" not in {check.verdict for check in report.inputs}, report
        report = gradcheck(module.bfloat16(), torch.randn(1, 3).bfloat16())
        assert "wrong" not in {check.verdict for check in report.inputs}, report


def test_a_cross_entropy_of_pytorch_that_is_five_percent_off() -> None:
    torch = pytest.importorskip("torch")

    class Off(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx, logits):
            ctx.save_for_backward(logits)
            return torch.logsumexp(logits, 0) - logits[1]

        @staticmethod
        def backward(ctx, g):
            (logits,) = ctx.saved_tensors
            p = torch.softmax(logits, 0)
            p[1] -= 1
            return 1.05 * g * p

    for dtype in (torch.float32, torch.float64):
        logits = torch.tensor([0.5, -1.0, 2.0], dtype=dtype)
        right = gradcheck(lambda x: torch.logsumexp(x, 0) - x[1], logits)
        assert right.ok, right
        off = gradcheck(lambda x: Off.apply(x), logits)
        assert [check.verdict for check in off.inputs] == ["wrong"] * 3, off


def test_networks_of_jax_in_single_precision_and_bfloat16() -> None:
    jax = pytest.importorskip("jax")
    np = jax.numpy

    def loss(params, x):
        hidden = jax.nn.relu(params["w"] @ x + params["b"])
        return -jax.nn.log_softmax(params["v"] @ hidden)[0]

    for seed in range(3):
        keys = jax.random.split(jax.random.key(seed), 4)
        params = {
            "w": jax.random.normal(keys[0], (3, 2)),
            "b": jax.random.normal(keys[1], (3,)),
            "v": jax.random.normal(keys[2], (2, 3)),
        }
        x = jax.random.normal(keys[3], (2,))
        for dtype in (np.float32, np.bfloat16):
            given = jax.tree.map(lambda leaf, dtype=dtype: leaf.astype(dtype), (params, x))
            report = gradcheck(loss, *given)
            assert "wrong" not in {check.verdict for check in report.inputs}, report
