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
