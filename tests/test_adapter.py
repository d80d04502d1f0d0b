"""Functions of PyTorch and JAX are checked as they are, in their dtypes, by their names."""

from __future__ import annotations

from typing import Any, NamedTuple

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
    assert "params['0.weight'][1, 0]" in {check.label for check in report.inputs}
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


class Model(NamedTuple):
    w: Any
    b: Any


def test_labels_masks_and_settings_are_handed_on_to_pytorch() -> None:
    torch = pytest.importorskip("torch")
    logits = torch.tensor([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]])
    report = gradcheck(torch.nn.CrossEntropyLoss(), logits, torch.tensor([0, 2]))
    assert report.ok, report
    assert [check.label for check in report.inputs][:2] == ["input[0, 0]", "input[0, 1]"]
    mask = torch.tensor([True, False, True])
    assert gradcheck(lambda x, m, k: (k * x.masked_fill(m, 0.5) ** 2).sum(), logits, mask, 2.0).ok
    report = gradcheck(torch.nn.Embedding(3, 2), torch.tensor([1, 2]))
    assert report.ok, report
    with pytest.raises(TypeError, match="no argument has a derivative"):
        gradcheck(lambda n: n * 2, torch.tensor([1, 2]))


def test_a_module_of_pytorch_keeps_its_buffers_and_its_frozen_parameters() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm1d(2)
    norm.bias.requires_grad_(False)
    report = gradcheck(torch.nn.Sequential(norm, torch.nn.Flatten(0)), torch.randn(3, 2))
    labels = {check.label for check in report.inputs}
    assert any("params['0.weight'][0]" in label for label in labels)
    assert not any("bias" in label for label in labels)
    assert "wrong" not in {check.verdict for check in report.inputs}, report
    assert norm.num_batches_tracked == 0
    assert norm.running_mean.tolist() == [0.0, 0.0]


def test_trees_into_and_out_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    model = Model(torch.tensor([0.5, -1.0]).double(), torch.tensor(2.0).double())
    report = gradcheck(lambda m: {"loss": m.b * m.w.sum(), "all": (m.w**2, m.b)}, model)
    assert report.ok, report
    assert [check.label for check in report.inputs][:2] == [
        "out['loss'] by m.w[0]",
        "out['loss'] by m.w[1]",
    ]
    assert gradcheck(lambda x: x.mul_(3.0).sum(), model.w).ok  # changes what it is given
    assert model.w.tolist() == [0.5, -1.0]
    with pytest.raises(TypeError, match="no gradient of a float: return the tensor"):
        gradcheck(lambda x: x.detach().sum().item(), model.w)
    cut = gradcheck(lambda x: torch.tensor(x.detach().numpy()).sum(), model.w)
    assert {check.verdict for check in cut.inputs} == {"wrong"}
    for f, x in ((torch.fft.fft, model.w), (torch.abs, model.w * 1j)):
        with pytest.raises(TypeError, match="complex"):
            gradcheck(f, x)


def test_trees_into_and_out_of_jax() -> None:
    jax = pytest.importorskip("jax")
    np = jax.numpy
    model = Model(np.array([0.5, -1.0]), np.array(2.0))

    def loss(m, labels, kind):
        assert kind == "sum"
        return {"loss": m.b * jax.nn.log_softmax(m.w)[labels].sum(), "w": m.w}

    report = gradcheck(loss, model, np.array([1, 1]), "sum")
    assert report.ok, report
    assert report.inputs[0].label == "out['loss'] by m.w[0]"
    for f, x in ((np.fft.fft, model.w), (np.abs, model.w * 1j)):
        with pytest.raises(TypeError, match="complex"):
            gradcheck(f, x)
    with pytest.raises(TypeError, match="no argument has a derivative"):
        gradcheck(lambda n: n * 2, np.array([1, 2]))
