"""A GPT as loops over arrays, for its C header.

The network is written down once more: `nn.GPT` records a graph for each length of a text. Its
derivatives are not; they are those of the rows, loop by loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import ops
from autograd.compiler.nests import Element, Nest, Range
from autograd.errors import CompileError

if TYPE_CHECKING:
    from nn import GPT
    from nn.norms import RMSNorm

Array = Callable[..., Element]


class GptLoops:
    """The loops of a GPT, and the arrays that they fill.

    Attributes:
        arrays: by name, the sizes.
        body, scores, loss, chances: the loops up to the last block; the logits; the loss of a
            document; the probabilities of what comes next, at a temperature.
    """

    def __init__(self, model: GPT, kind: str) -> None:
        self.model = model
        self.arrays: dict[str, tuple[int, ...]] = {}
        self._width = len(model.token.weight[0])
        self._places = {leaf: i for i, leaf in enumerate(model.parameters())}
        self._nests: list[Nest] = []
        self._t = Range("t", "from", "n")
        xs = self._embedded()
        for b, block in enumerate(model.blocks):
            xs = self._added(
                xs, self._attended(f"b{b}", block, self._norm(f"b{b}_n", block.norm, xs)), f"b{b}_x"
            )
            hidden = self._product(
                f"b{b}_up", block.up.weight, self._norm(f"b{b}_m", block.norm, xs)
            )
            width = len(block.up.weight)
            i = Range("i", "0", str(width))
            bent = self._array(f"b{b}_bent", model.block_size, width)
            self._each((self._t, i), bent("t", "i"), ops.relu, hidden("t", "i"))
            xs = self._added(xs, self._product(f"b{b}_down", block.down.weight, bent), f"b{b}_y")
        self.body = self._taken()
        logits = self._product("logits", model.head.weight, xs)
        self.scores = self._taken()
        self._foretold(logits, kind)
        self.loss = self._taken()
        self._drawn(logits)
        self.chances = self._taken()

    def _taken(self) -> list[Nest]:
        nests, self._nests = self._nests, []
        return nests

    def _array(self, name: str, *sizes: int) -> Array:
        """Return how elements of a new array are written."""
        assert name not in self.arrays, name
        self.arrays[name] = sizes

        def element(*indices: str) -> Element:
            at = name + "".join(f"[{index}]" for index in indices)
            return Element(f"s->{at}", f"d->{at}")

        return element

    def _matrix(self, rows: Sequence[Sequence[Any]]) -> Array:
        """Return how elements of a matrix of parameters are written.

        Raises:
            CompileError: its rows are not parameters that follow each other.
        """
        columns = len(rows[0])
        found = [[self._places.get(leaf, -1) for leaf in row] for row in rows]
        first = found[0][0]
        if first < 0 or found != [
            [first + i * columns + j for j in range(columns)] for i in range(len(rows))
        ]:
            raise CompileError(
                "a GPT with parameters that are frozen, or shared in part, can't be a C header: "
                "unfreeze() it"
            )

        def element(i: str, j: str) -> Element:
            at = f"[{first} + {i} * {columns} + {j}]"
            return Element(f"p{at}", f"g{at}")

        return element

    def _each(
        self, loops: tuple[Range, ...], out: Element, op: Any, *args: Element | float
    ) -> None:
        self._nests.append(Nest(loops, out, op, args))

    def _along(
        self, over: Range, loops: tuple[Range, ...], out: Element, op: Any, *term: Element
    ) -> None:
        self._nests.append(Nest(loops, out, op, term, over))

    def _embedded(self) -> Array:
        model, width = self.model, self._width
        token, position = self._matrix(model.token.weight), self._matrix(model.position.weight)
        sums = self._array("embedded", model.block_size, width)
        loops = self._t, Range("i", "0", str(width))
        self._each(loops, sums("t", "i"), ops.add, token("s->tokens[t]", "i"), position("t", "i"))
        return self._norm("n", model.norm, sums)

    def _added(self, xs: Array, more: Array, name: str) -> Array:
        width = self._width
        sums = self._array(name, self.model.block_size, width)
        loops = self._t, Range("i", "0", str(width))
        self._each(loops, sums("t", "i"), ops.add, xs("t", "i"), more("t", "i"))
        return sums

    def _norm(self, name: str, norm: RMSNorm, xs: Array) -> Array:
        """As `nn.RMSNorm` without gains."""
        size, t, width = self.model.block_size, (self._t,), self._width
        i = Range("i", "0", str(width))
        steps = [
            self._array(f"{name}_{part}", size)("t")
            for part in ("sum", "mean", "above", "root", "scale")
        ]
        self._along(i, t, steps[0], ops.dot, xs("t", "i"), xs("t", "i"))
        self._each(t, steps[1], ops.div, steps[0], float(width))
        self._each(t, steps[2], ops.add, steps[1], norm.epsilon)
        self._each(t, steps[3], ops.sqrt, steps[2])
        self._each(t, steps[4], ops.div, 1.0, steps[3])
        scaled = self._array(name, size, width)
        self._each((*t, i), scaled("t", "i"), ops.mul, xs("t", "i"), steps[4])
        return scaled

    def _product(self, name: str, weight: Sequence[Sequence[Any]], xs: Array) -> Array:
        """As `nn.Linear` without a bias."""
        matrix, rows = self._matrix(weight), len(weight)
        out = self._array(name, self.model.block_size, rows)
        loops, j = (self._t, Range("i", "0", str(rows))), Range("j", "0", str(len(weight[0])))
        self._along(j, loops, out("t", "i"), ops.dot, matrix("i", "j"), xs("t", "j"))
        return out

    def _attended(self, name: str, block: Any, xs: Array) -> Array:
        """As `nn.CausalSelfAttention`."""
        own, size = block.attention, self.model.block_size
        query, key, value = (
            self._product(f"{name}_{part}", getattr(own, part).weight, xs)
            for part in ("query", "key", "value")
        )
        h, c = Range("h", "0", str(own.heads)), Range("c", "0", str(own.size))
        u = Range("u", "0", "t + 1")
        raw, scores = (
            self._array(f"{name}_{part}", own.heads, size, size) for part in ("raw", "score")
        )
        at = f"h * {own.size} + c"
        self._along(c, (self._t, h, u), raw("h", "t", "u"), ops.dot, query("t", at), key("u", at))
        self._each(
            (self._t, h, u), scores("h", "t", "u"), ops.div, raw("h", "t", "u"), own.size**0.5
        )
        weights = self._softmax(name, (h, self._t), u, scores, (own.heads, size, size))
        mixed = self._array(f"{name}_mixed", size, self._width)
        self._along(
            u, (self._t, h, c), mixed("t", at), ops.dot, weights("h", "t", "u"), value("u", at)
        )
        return self._product(f"{name}_out", own.out.weight, mixed)

    def _softmax(
        self,
        name: str,
        loops: tuple[Range, ...],
        over: Range,
        xs: Array,
        sizes: tuple[int, ...],
    ) -> Array:
        """As `autograd.softmax`; whatever is subtracted from all, the result is the same."""
        _, total, each = self._powers(name, loops, over, xs, sizes)
        shares, inner = self._array(f"{name}_share", *sizes), (*loops, over)
        self._each(inner, shares(*(loop.name for loop in inner)), ops.div, each, total)
        return shares

    def _powers(
        self,
        name: str,
        loops: tuple[Range, ...],
        over: Range,
        xs: Array,
        sizes: tuple[int, ...],
    ) -> tuple[Element, Element, Element]:
        """Return the largest, which has no adjoint, the sum of the powers of e, and one of them.

        Args:
            loops, over: by their names, the indices of ``xs``, in this order.
        """
        inner = (*loops, over)
        *at, last = (loop.name for loop in inner)
        largest = Element(self._array(f"{name}_top", *sizes[:-1])(*at).text)
        below, power = (self._array(f"{name}_{part}", *sizes) for part in ("below", "power"))
        total = self._array(f"{name}_total", *sizes[:-1])(*at)
        x, lower, each = (array(*at, last) for array in (xs, below, power))
        self._along(over, loops, largest, ops.max, x)
        self._each(inner, lower, ops.sub, x, largest)
        self._each(inner, each, ops.exp, lower)
        self._along(over, loops, total, ops.sum, each)
        return largest, total, each

    def _foretold(self, logits: Array, kind: str) -> None:
        """As `nn.next_token_loss`."""
        model, t = self.model, (self._t,)
        v = Range("v", "0", str(model.vocabulary))
        sizes = model.block_size, model.vocabulary
        top, total, _ = self._powers("all", t, v, logits, sizes)
        names = ("log", "surprise", "missed")
        log, surprise, missed = (self._array(name, model.block_size)("t") for name in names)
        self._each(t, log, ops.log, total)
        self._each(t, surprise, ops.add, top, log)
        self._each(t, missed, ops.sub, surprise, logits("t", "s->tokens[t + 1]"))
        sum_, loss = self._array("sum")(), self._array("loss")()
        self._along(self._t, (), sum_, ops.sum, missed)
        self._each((), loss, ops.div, sum_, Element(f"({kind})n"))

    def _drawn(self, logits: Array) -> None:
        """As the probabilities of `nn.generate`."""
        v = Range("v", "0", str(self.model.vocabulary))
        scaled = self._array("scaled", self.model.vocabulary)
        self._each((v,), scaled("v"), ops.div, logits("n - 1", "v"), Element("temperature"))
        self._softmax("next", (), v, scaled, (self.model.vocabulary,))
