"""`Linear`, `Embedding`, norms, attention and `GPT`: beside plain sums, and beside PyTorch."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from autograd import Value, no_grad
from nn import (
    GPT,
    MLP,
    Block,
    CausalSelfAttention,
    Embedding,
    LayerNorm,
    Linear,
    Module,
    RMSNorm,
    Sequential,
    generate,
    load,
    next_token_loss,
    save,
)
from nn.state import from_torch, tensors, to_torch

MODULES: list[Module] = [
    Linear(3, 4, seed=0),
    Linear(3, 1, bias=False, seed=0),
    Embedding(5, 3, seed=0),
    RMSNorm(3),
    RMSNorm(3, epsilon=0.1, gain=False),
    LayerNorm(3),
    LayerNorm(3, gain=False),
    CausalSelfAttention(4, heads=2, seed=0),
    Block(4, heads=2, seed=0),
    GPT(5, block_size=3, embedding=4, heads=2, layers=2, seed=0),
]


def vectors(n: int, width: int, seed: int = 0) -> list[list[float]]:
    source = random.Random(seed)
    return [[source.gauss(0, 1) for _ in range(width)] for _ in range(n)]


def numbers(nested: Any) -> Any:
    return (
        [numbers(x) for x in nested]
        if isinstance(nested, list)
        else getattr(nested, "data", nested)
    )


@pytest.mark.parametrize("model", MODULES, ids=str)
@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_saved_module_comes_back(model: Module, suffix: str, tmp_path: Path) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    twin = load(save(model, tmp_path / f"model{suffix}"))
    assert repr(twin) == repr(model)
    assert twin.state_dict() == model.state_dict()
    assert len(model.parameters()) == type(model).size_of(model.settings() or {})


def test_a_tied_embedding_is_still_tied_when_it_comes_back(tmp_path: Path) -> None:
    model = GPT(5, block_size=3, embedding=4, heads=2, seed=0)
    model.head.weight = model.token.weight
    before = len(model.parameters())
    twin: Any = load(save(model, tmp_path / "model.json"))
    assert len(twin.parameters()) == before == 5 * 4 + 3 * 4 + 12 * 16
    assert twin.head.weight[4][3] is twin.token.weight[4][3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Linear(3, 2)([1.0]), r"Linear\(3, 2\) takes 3 inputs, got 1"),
        (lambda: Linear(0, 2), "nin must be a whole number"),
        (lambda: Embedding(5, 2)(5), "there is no row 5: the table has the rows 0 to 4"),
        (lambda: Embedding(5, 2)(-1), "there is no row -1: the table has the rows 0 to 4"),
        (lambda: Embedding(5, 2)(1.5), "there is no row 1.5"),
        (lambda: Embedding(5, 2)("a"), "take: expected a real number, got 'a'"),  # type: ignore[arg-type]
        (lambda: RMSNorm(2)([1.0]), r"RMSNorm\(2\) takes 2 inputs, got 1"),
        (lambda: LayerNorm(2, epsilon=-1.0), "epsilon must be finite and at least 0"),
        (lambda: CausalSelfAttention(6, 4), "heads must divide the width 6: got 4"),
        (lambda: GPT(5, block_size=2)([0, 1, 2]), r"takes 1 to 2 tokens, got 3"),
        (lambda: GPT(5, block_size=2)([]), r"takes 1 to 2 tokens, got 0"),
        (lambda: next_token_loss(GPT(5), [0]), "a document needs two tokens"),
        (lambda: next_token_loss(GPT(5), None), "takes a list of tokens"),  # type: ignore[arg-type]
        (lambda: next_token_loss(None, [0, 1]), "takes a model, such as GPT"),  # type: ignore[arg-type]
        (lambda: GPT(5)(None), r"GPT\(5 tokens, 1 layers\) takes a list of tokens, .* got None"),
        (lambda: GPT(5)({0: 1}), "takes a list of tokens"),
        (lambda: generate(GPT(5), [1.5]), r"tokens\[0\] must be a whole number, .* got 1.5"),  # type: ignore[list-item]
        (lambda: generate(GPT(5), 3), "generate takes a list of tokens"),  # type: ignore[arg-type]
        (lambda: generate(GPT(5), [0], stop=1.5), "stop must be a whole number"),  # type: ignore[arg-type]
        (lambda: Linear(2, 1)(3.0), r"Linear\(2, 1\) takes a list of 2 numbers, got 3.0"),
        (lambda: Linear(2, 1, init="he_norml"), "did you mean he_normal"),
        (lambda: CausalSelfAttention(2, 1)(None), "takes a list of vectors of 2 numbers, got None"),
        (lambda: MLP(2, [2, 1], "tahn"), r"got 'tahn'; did you mean tan or tanh\?"),
        (lambda: generate(GPT(5), [0], temperature=0.0), "temperature must be finite and above 0"),
        (lambda: generate(GPT(5), []), "takes 1 to 16 tokens, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError, IndexError), match=message):
        call()


def test_attention_looks_back_only() -> None:
    attention = CausalSelfAttention(4, heads=2, seed=1)
    xs = vectors(5, 4)
    outs, weights = attention.attend(xs)
    assert [[len(row) for row in head] for head in weights] == [[1, 2, 3, 4, 5]] * 2
    for head in weights:
        for row in head:
            assert math.isclose(sum(w.data for w in row), 1, rel_tol=1e-15)
    for t in range(1, 6):
        assert numbers(attention(xs[:t])) == numbers(outs)[:t]


def test_a_layer_of_linear_neurons_is_linear() -> None:
    layer, x = Linear(3, 2, seed=3), [1.0, -2.0, 0.5]
    expected = [sum(w.data * i for w, i in zip(row, x, strict=True)) for row in layer.weight]
    assert [y.data for y in layer(x)] == expected


def test_a_derivative_goes_to_the_rows_that_were_used() -> None:
    model = GPT(6, block_size=4, embedding=4, heads=2, seed=0)
    next_token_loss(model, [0, 2, 2, 5]).backward()
    used = [any(p.grad for p in row) for row in model.token.weight]
    assert used == [True, False, True, False, False, False]
    assert [any(p.grad for p in row) for row in model.position.weight] == [True] * 3 + [False]


@pytest.mark.long
def test_what_is_written_follows_from_the_seed_and_ends_where_it_must() -> None:
    model = GPT(4, block_size=5, embedding=4, heads=2, seed=0)
    texts = [generate(model, [0], seed=s) for s in range(20)]
    assert texts == [generate(model, [0], seed=s) for s in range(20)]
    assert {len(text) for text in texts} == {6}
    stopped = [generate(model, [0], seed=s, stop=3) for s in range(20)]
    for text, whole in zip(stopped, texts, strict=True):
        assert text == whole[: [*whole, 3].index(3)]
    with no_grad():
        likeliest = [0]
        while len(likeliest) < 6:
            logits = numbers(model(likeliest)[-1])
            likeliest.append(logits.index(max(logits)))
    assert generate(model, [0], temperature=1e-6, seed=0) == likeliest


@pytest.mark.long
def test_a_gpt_learns_a_sequence_by_heart() -> None:
    from nn.optim import Adam

    model = GPT(4, block_size=4, embedding=4, heads=2, seed=0)
    optimizer = Adam(model.parameters(), learning_rate=0.05)
    document = [0, 2, 1, 3, 0]
    for _ in range(60):
        optimizer.zero_grad()
        loss = next_token_loss(model, document)
        loss.backward()
        optimizer.step()
    assert loss.data < 0.05 < math.log(4)
    assert generate(model, [0], temperature=0.1, seed=0) == document


# Beside PyTorch: the same numbers in, the same values and slopes within 1e-12 out. Both round
# a few dozen operations on numbers of size 1, which is 1e-14.


def both(
    model: Module, theirs: Any, xs: Sequence[Sequence[float]], forward: Any = None
) -> tuple[list[float], list[float]]:
    """Return our values and slopes and theirs, of the sum of squares of the outputs."""
    torch = pytest.importorskip("torch")
    rows = [list(map(Value, x)) for x in xs]
    outs = model(rows) if isinstance(model, CausalSelfAttention) else [model(x) for x in rows]
    sum((y * y for out in outs for y in out), Value(0.0)).backward()
    ours = [y.data for out in outs for y in out] + [x.grad for row in rows for x in row]
    given = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
    out = (forward or theirs)(given)
    (out * out).sum().backward()
    expected = out.flatten().tolist() + given.grad.flatten().tolist()
    expected += [slope for p in theirs.parameters() for slope in p.grad.flatten().tolist()]
    return ours + [leaf.grad for t in tensors(model).values() for leaf in t.leaves], expected


def randomised(model: Module) -> dict[str, Any]:
    source = random.Random(7)
    for p in model.parameters():
        p.data = source.gauss(0, 1)
    return to_torch(model)


@pytest.mark.peer
@pytest.mark.parametrize("bias", [True, False])
def test_norms_and_linear_beside_pytorch(bias: bool) -> None:
    torch = pytest.importorskip("torch")
    pairs = [
        (Linear(3, 4, bias=bias), torch.nn.Linear(3, 4, bias=bias)),
        (LayerNorm(3, gain=bias), torch.nn.LayerNorm(3, elementwise_affine=bias)),
        (RMSNorm(3, gain=bias), torch.nn.RMSNorm(3, eps=1e-5, elementwise_affine=bias)),
    ]
    for ours, theirs in pairs:
        theirs = theirs.double()
        state = {k: torch.tensor(v, dtype=torch.float64) for k, v in randomised(ours).items()}
        theirs.load_state_dict(state)
        found, expected = both(ours, theirs, vectors(4, 3))
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.peer
def test_attention_beside_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ours = CausalSelfAttention(6, heads=3)
    theirs = torch.nn.MultiheadAttention(6, 3, bias=False, batch_first=True).double()
    state = {k: torch.tensor(v, dtype=torch.float64) for k, v in randomised(ours).items()}
    theirs.in_proj_weight.data = torch.cat(
        [state[f"{n}.weight"] for n in ("query", "key", "value")]
    )
    theirs.out_proj.weight.data = state["out.weight"]
    later = torch.triu(torch.ones(5, 5, dtype=torch.bool), diagonal=1)
    found, expected = both(
        ours, theirs, vectors(5, 6), lambda x: theirs(x[None], x[None], x[None], attn_mask=later)[0]
    )
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.peer
def test_gpt_beside_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ours = GPT(7, block_size=5, embedding=8, heads=2, layers=2, seed=0)
    tokens = [0, 3, 3, 6, 1]
    loss = next_token_loss(ours, [*tokens, 0])
    loss.backward()
    weights = {
        name: torch.tensor(nested, dtype=torch.float64, requires_grad=True)
        for name, nested in to_torch(ours).items()
    }

    def norm(x: Any) -> Any:
        return torch.nn.functional.rms_norm(x, (8,), eps=1e-5)

    x = norm(weights["token.weight"][tokens] + weights["position.weight"])
    for i in range(2):
        own = {n.removeprefix(f"blocks.{i}."): w for n, w in weights.items() if f"blocks.{i}." in n}
        q, k, v = (
            (norm(x) @ own[f"attention.{name}.weight"].T).view(5, 2, 4).transpose(0, 1)
            for name in ("query", "key", "value")
        )
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + mixed.transpose(0, 1).reshape(5, 8) @ own["attention.out.weight"].T
        x = x + torch.relu(norm(x) @ own["up.weight"].T) @ own["down.weight"].T
    expected = torch.nn.functional.cross_entropy(
        x @ weights["head.weight"].T, torch.tensor([*tokens[1:], 0])
    )
    expected.backward()
    assert loss.data == pytest.approx(expected.item(), rel=1e-12)
    for name, tensor in tensors(ours).items():
        slopes = [leaf.grad for leaf in tensor.leaves]
        assert slopes == pytest.approx(weights[name].grad.flatten().tolist(), abs=1e-12), name


@pytest.mark.peer
def test_a_state_of_pytorch_is_taken() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    ours = Sequential(Linear(3, 4), LayerNorm(4))
    from_torch(ours, theirs.state_dict())
    assert to_torch(ours)["layers.0.weight"] == theirs[0].weight.tolist()
