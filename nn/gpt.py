"""`GPT`: a transformer that tells, of a sequence of tokens, what may come next."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from autograd import Value, mean, no_grad, quoted, relu, softmax
from nn.arguments import count, generator, length, number, whole
from nn.attention import CausalSelfAttention, Vectors
from nn.linear import Embedding, Linear
from nn.losses import cross_entropy
from nn.module import Module
from nn.norms import RMSNorm

Seed = int | random.Random | None

DEVIATION = 0.08
"""The standard deviation with which weights start, as microgpt's."""


def _small(nin: int, nout: int, source: random.Random) -> float:
    return source.gauss(0, DEVIATION)


class Block(Module):
    """x + attention(norm(x)), then x + network(norm(x)): one layer of a `GPT`.

    The network is of each position for itself: a hidden layer of four times the width, ReLU.

    Args:
        width, heads, seed: as for `CausalSelfAttention`.

    Source: Radford et al. 2019, Language models are unsupervised multitask learners, section
    2.3 (norms before, not after); RMS norms without gain and ReLU as in Karpathy 2026, microgpt.
    """

    def __init__(self, width: int, heads: int, seed: Seed = None) -> None:
        source = seed if seed is None else generator(seed)
        self.nin = self.nout = count("width", width)
        self.norm = RMSNorm(width, gain=False)
        self.attention = CausalSelfAttention(width, heads, _small, source)
        self.up = Linear(width, 4 * width, bias=False, init=_small, seed=source)
        self.down = Linear(4 * width, width, bias=False, init=_small, seed=source)
        self.label_parameters()

    def forward(self, xs: Vectors) -> list[list[Any]]:
        """Return a vector for each position of a sequence of vectors."""
        length(self, xs, f"a list of vectors of {self.nin} numbers")
        attended = self.attention([self.norm(x) for x in xs])
        xs = [_added(x, more) for x, more in zip(xs, attended, strict=True)]
        return [_added(x, self.down([relu(h) for h in self.up(self.norm(x))])) for x in xs]

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(12 * settings["width"] ** 2)

    def settings(self) -> dict[str, Any]:
        return {"width": self.nin, "heads": self.attention.heads}

    def __repr__(self) -> str:
        return f"Block({self.nin}, {self.attention.heads} heads)"


class GPT(Module):
    """Token and position embedded, blocks of attention, and a logit for each possible next token.

    Args:
        vocabulary: how many tokens there are; a token is a whole number from 0.
        block_size: the longest sequence.
        embedding: how many numbers stand for a token: the width.
        heads, layers: of attention in a block; how many blocks.
        seed: of the weights, normal with standard deviation 0.08.

    Source: Karpathy 2026, microgpt, whose sizes are the defaults: 4,192 parameters for 27 tokens.

    >>> model = GPT(27, seed=0)
    >>> len(model.parameters()), [len(logits) for logits in model([0, 5, 13])]
    (4192, [27, 27, 27])
    """

    def __init__(
        self,
        vocabulary: int,
        block_size: int = 16,
        embedding: int = 16,
        heads: int = 4,
        layers: int = 1,
        seed: Seed = None,
    ) -> None:
        source = seed if seed is None else generator(seed)
        self.vocabulary = count("vocabulary", vocabulary)
        self.block_size = count("block_size", block_size)
        self.token = Embedding(vocabulary, embedding, _small, source)
        self.position = Embedding(block_size, embedding, _small, source)
        self.norm = RMSNorm(embedding, gain=False)
        self.blocks = [Block(embedding, heads, source) for _ in range(count("layers", layers))]
        self.head = Linear(embedding, vocabulary, bias=False, init=_small, seed=source)
        self.label_parameters()

    def forward(self, tokens: Sequence[int]) -> list[list[Value]]:
        """Return for each position the logits of the token that follows it.

        Raises:
            ValueError: there are no tokens, or more than ``block_size``.
            IndexError: one is not in the vocabulary.
        """
        xs = self._embedded(tokens)
        for block in self.blocks:
            xs = block(xs)
        return [self.head(x) for x in xs]

    def attention(self, tokens: Sequence[int]) -> list[list[list[list[float]]]]:
        """Return by block, head and position how much of each position so far is looked at."""
        found = []
        with no_grad():
            xs = self._embedded(tokens)
            for block in self.blocks:
                heads = block.attention.attend([block.norm(x) for x in xs]).weights
                found.append([[[w.data for w in row] for row in head] for head in heads])
                xs = block(xs)
        return found

    def _embedded(self, tokens: Sequence[int]) -> list[list[Any]]:
        given = length(self, tokens, "a list of tokens, which are whole numbers")
        if not 0 < given <= self.block_size:
            raise ValueError(f"{self} takes 1 to {self.block_size} tokens, got {given}")
        pairs = [(self.token(token), self.position(t)) for t, token in enumerate(tokens)]
        return [self.norm(_added(row, place)) for row, place in pairs]

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        width = settings["embedding"]
        rows = 2 * settings["vocabulary"] + settings["block_size"]
        return int(width * (rows + settings["layers"] * 12 * width))

    def settings(self) -> dict[str, Any]:
        return {
            "vocabulary": self.vocabulary,
            "block_size": self.block_size,
            "embedding": self.norm.nin,
            "heads": self.blocks[0].attention.heads,
            "layers": len(self.blocks),
        }

    def __repr__(self) -> str:
        return f"GPT({self.vocabulary} tokens, {len(self.blocks)} layers)"


def next_token_loss(model: Module, tokens: Sequence[int]) -> Value:
    """Return the mean cross-entropy of each token of a document, given those before it.

    Of a document longer than the model's ``block_size``, the beginning.

    >>> loss = next_token_loss(GPT(3, block_size=4, embedding=4, heads=2, seed=0), [0, 1, 2, 0])
    >>> 0.9 < loss.data < 1.3
    True
    """
    if not callable(model):
        raise TypeError(f"next_token_loss takes a model, such as GPT(27), got {quoted(model)}")
    if length("next_token_loss", tokens, "a list of tokens, which are whole numbers") < 2:
        raise ValueError("a document needs two tokens: one to go by, and one to be foretold")
    given, following = tokens[:-1], tokens[1:]
    longest: int = getattr(model, "block_size", len(given))
    logits = model(given[:longest])
    losses = [cross_entropy(row, token) for row, token in zip(logits, following, strict=False)]
    loss: Value = mean(losses)
    return loss


def generate(
    model: GPT,
    tokens: Sequence[int] = (0,),
    temperature: float = 1.0,
    seed: Seed = None,
    stop: int | None = None,
) -> list[int]:
    """Return ``tokens`` and what the model writes after them, drawn token by token.

    It ends when the model's ``block_size`` is full, or before the token ``stop``.

    Args:
        temperature: by which logits are divided: near 0, the likeliest token is drawn.
        seed: of the draws; without it they come from Python's global ``random``.

    >>> generate(GPT(27, seed=0), [0], temperature=0.5, seed=1)[:3]
    [0, 2, 22]
    """
    if not hasattr(model, "block_size"):
        raise TypeError(f"generate takes a GPT, got {quoted(model)}")
    number("temperature", temperature, positive=True)
    length("generate", tokens, "a list of tokens, which are whole numbers")
    source = generator(seed)
    written = [whole(f"tokens[{i}]", token) for i, token in enumerate(tokens)]
    stop = stop if stop is None else whole("stop", stop)
    with no_grad():
        while len(written) <= model.block_size:
            logits = model(written)[-1]
            chances = [p.data for p in softmax([logit / temperature for logit in logits])]
            (token,) = source.choices(range(model.vocabulary), chances)
            if token == stop:
                break
            written.append(token)
    return written


def _added(x: Sequence[Value | float], y: Sequence[Value | float]) -> list[Any]:
    return [a + b for a, b in zip(x, y, strict=True)]
