"""A GPT as a C header: its letters, what may come next, what it writes, and a step of learning.

The network is written down once more, as loops over arrays: `nn.GPT` records a graph for each
length of a text. Its derivatives are not; they are those of the rows, loop by loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autograd import ops
from autograd.compiler.headers import checked, framed, numbers, string, written
from autograd.compiler.nests import Element, Nest, Range, backward, forward
from autograd.errors import CompileError

if TYPE_CHECKING:
    from nn import GPT
    from nn.norms import RMSNorm

Array = Callable[..., Element]


SOURCE = """\
/* The random numbers of Python's random.Random(seed): MT19937 of Matsumoto and Nishimura, 1998. */
typedef struct {{
    uint32_t state[624];
    int at;
}} {n}_source;

static inline void {n}_seed({n}_source *source, uint64_t seed)
{{
    uint32_t *m = source->state;
    const uint32_t key[2] = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    const uint32_t keys = key[1] ? 2 : 1;
    m[0] = 19650218u;
    for (uint32_t i = 1; i < 624; i++) m[i] = 1812433253u * (m[i - 1] ^ (m[i - 1] >> 30)) + i;
    uint32_t i = 1, j = 0;
    for (int k = 0; k < 624; k++) {{
        m[i] = (m[i] ^ ((m[i - 1] ^ (m[i - 1] >> 30)) * 1664525u)) + key[j] + j;
        j = (j + 1) % keys;
        if (++i == 624) {{
            m[0] = m[623];
            i = 1;
        }}
    }}
    for (int k = 0; k < 623; k++) {{
        m[i] = (m[i] ^ ((m[i - 1] ^ (m[i - 1] >> 30)) * 1566083941u)) - i;
        if (++i == 624) {{
            m[0] = m[623];
            i = 1;
        }}
    }}
    m[0] = 0x80000000u;
    source->at = 624;
}}

static inline uint32_t {n}_bits({n}_source *source)
{{
    uint32_t *m = source->state;
    if (source->at == 624) {{
        for (int i = 0; i < 624; i++) {{
            const uint32_t x = (m[i] & 0x80000000u) | (m[(i + 1) % 624] & 0x7fffffffu);
            m[i] = m[(i + 397) % 624] ^ (x >> 1) ^ (x & 1 ? 0x9908b0dfu : 0);
        }}
        source->at = 0;
    }}
    uint32_t x = m[source->at++];
    x ^= x >> 11;
    x ^= (x << 7) & 0x9d2c5680u;
    x ^= (x << 15) & 0xefc60000u;
    return x ^ (x >> 18);
}}

/* A number from 0 to before 1. */
static inline {k} {n}_uniform({n}_source *source)
{{
    const uint32_t a = {n}_bits(source) >> 5, b = {n}_bits(source) >> 6;
    return (({k})a * {half} + ({k})b) / {all};
}}
"""

TOKENS = """\
/* The logits of what follows n tokens, 1 to {b}_LONGEST of them, by parameters of your own. */
static inline void {n}_predict_by(const {k} *p, {n}_state *s, const int *tokens, int n, {k} *out)
{{
    for (int t = 0; t < n; t++) s->tokens[t] = tokens[t];
    {n}_read(p, s, 0, n);
    {n}_score(p, s, n - 1, n);
    for (int v = 0; v < {b}_TOKENS; v++) out[v] = s->logits[n - 1][v];
}}

/* Write tokens after the n that s->tokens begins with, up to {b}_LONGEST + 1 in all or to before
   the token stop; return how many there are. As nn.generate, with its random numbers. */
static inline int {n}_generate_by(
    const {k} *p, {n}_state *s, int n, {k} temperature, uint64_t seed, int stop)
{{
    {n}_source source;
    {n}_seed(&source, seed);
    for (int known = 0; n <= {b}_LONGEST; known = n - 1) {{
        {n}_read(p, s, known, n);
        {n}_score(p, s, n - 1, n);
        {n}_share(s, n, temperature);
        {k} all = s->next_share[0];
        for (int v = 1; v < {b}_TOKENS; v++) all += s->next_share[v];
        const {k} x = {n}_uniform(&source) * all;
        int token = 0;
        {k} sum = s->next_share[0];
        while (token < {b}_TOKENS - 1 && sum <= x) sum += s->next_share[++token];
        if (token == stop) break;
        s->tokens[n++] = token;
    }}
    return n;
}}
"""

LETTERS = """\
/* Fill s->tokens with a text in UTF-8 between two boundaries, token 0, and return how many there
   are: at most so many, of a longer text its beginning; -1 if it has a letter that isn't known. */
static inline int {n}_encode({n}_state *s, const char *text, int most)
{{
    int n = 0;
    s->tokens[n++] = 0;
    while (*text && n < most) {{
        int token = 1, i = 0;
        for (; token < {b}_TOKENS; token++) {{
            const char *letter = {n}_letters[token];
            for (i = 0; letter[i] && letter[i] == text[i]; i++) {{}}
            if (!letter[i]) break;
        }}
        if (token == {b}_TOKENS) return -1;
        s->tokens[n++] = token;
        text += i;
    }}
    if (n < most) s->tokens[n++] = 0;
    return n;
}}

/* What follows the beginning of a text: out gets {b}_TOKENS logits, the first that of its end.
   Returns how many tokens were read, -1 if a letter isn't known, -2 if the text is too long. */
static inline int {n}_predict({n}_state *s, const char *text, {k} *out)
{{
    const int n = {n}_encode(s, text, {b}_LONGEST + 2) - 1;
    if (n < 0) return -1;
    if (n > {b}_LONGEST) return -2;
    {n}_predict_by({n}_parameters, s, s->tokens, n, out);
    return n;
}}

/* Go on with the beginning of a text, "" say; text has room for {b}_ROOM bytes. The same seed
   gives the same text. Returns how many letters it has, or as {n}_predict what was wrong. */
static inline int {n}_generate(
    {n}_state *s, const char *beginning, {k} temperature, uint64_t seed, char *text)
{{
    int n = {n}_encode(s, beginning, {b}_LONGEST + 3) - 1;
    if (n < 0) return -1;
    if (n > {b}_LONGEST + 1) return -2;
    n = {n}_generate_by({n}_parameters, s, n, temperature, seed, 0);
    for (int t = 1; t < n; t++)
        for (const char *letter = {n}_letters[s->tokens[t]]; *letter;) *text++ = *letter++;
    *text = 0;
    return n - 1;
}}
"""

LEARN = """\
/* A step of gradient descent for the document of n + 1 tokens, at most {b}_LONGEST + 1, that
   s->tokens holds. p is changed, a copy of {n}_parameters. Returns the mean loss before. */
static inline {k} {n}_step_by({k} *p, {n}_state *s, {n}_pass *all, int n, {k} rate)
{{
    {n}_state *d = &all->adjoints;
    {k} *g = all->slopes;
    const int from = 0;
    {n}_read(p, s, 0, n);
    {n}_score(p, s, 0, n);"""

STEP = """\
/* The same for a text, of a longer one its beginning; -1 if a letter isn't known. */
static inline {k} {n}_step({k} *p, {n}_state *s, {n}_pass *all, const char *text, {k} rate)
{{
    const int n = {n}_encode(s, text, {b}_LONGEST + 1) - 1;
    return n < 0 ? -1 : {n}_step_by(p, s, all, n, rate);
}}
"""


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


def gpt_header(model: GPT, characters: str, name: str, real: str, with_step: bool) -> str:
    """Return the header of a GPT; what is inside, its comments say.

    Args:
        characters: its tokens from 1 on; "" where it isn't known what they stand for.
        with_step: whether it can go on learning.

    Raises:
        CompileError: it can't be written so.
    """
    values = [leaf.data for leaf in model.parameters()]
    checked(name, real, values)
    if (characters and len(characters) + 1 != model.vocabulary) or "\0" in characters:
        raise CompileError(
            f"a GPT of {model.vocabulary} tokens doesn't go with {len(characters)} letters"
        )
    code = "\n".join(_code(model, values, characters, name, real, with_step))
    what = f"{len(characters)} letters" if characters else f"{model.vocabulary} tokens"
    about = f"{name}: a GPT of {what}, {len(values)} parameters."
    return framed(about, code, name, real, ["stdint.h", *["string.h"] * with_step])


def _code(
    model: GPT, values: list[float], characters: str, name: str, real: str, with_step: bool
) -> Iterator[str]:
    kind = f"{name}_real"
    loops = GptLoops(model, kind)
    big = name.upper()
    longest = max((len(c.encode()) for c in characters), default=0)
    yield f"#define {big}_TOKENS {model.vocabulary}"
    yield f"#define {big}_LONGEST {model.block_size} /* so many tokens it goes by */"
    yield f"#define {big}_PARAMETERS {len(values)}"
    if characters:
        yield f"#define {big}_ROOM {model.block_size * longest + 1} /* bytes of what it writes */"
    yield f"\ntypedef {real} {kind};\n"
    yield from numbers(values, f"{name}_parameters", real, kind)
    yield "/* Tokens, and all that is computed of them: room that the caller has, as in"
    yield f"   static {name}_state s; */"
    yield "typedef struct {"
    yield f"    int tokens[{model.block_size + 3}];"
    for array, sizes in loops.arrays.items():
        yield f"    {kind} {array}{''.join(f'[{size}]' for size in sizes)};"
    yield f"}} {name}_state;\n"

    def body(nests: Sequence[Nest], signature: str) -> Iterator[str]:
        yield f"static inline void {name}_{signature}\n{{"
        yield from forward(nests, real, kind)
        yield "}\n"

    given = f"const {kind} *p, {name}_state *s, int from, int n"
    yield "/* What lies behind the logits, the logits, and the probabilities of what follows. */"
    yield from body(loops.body, f"read({given})")
    yield from body(loops.scores, f"score({given})")
    yield from body(loops.chances, f"share({name}_state *s, int n, {kind} temperature)")
    yield SOURCE.format(n=name, k=kind, half=written(67108864.0, real), all=written(2.0**53, real))
    yield TOKENS.format(n=name, k=kind, b=big)
    if characters:
        yield f"static const char *const {name}_letters[] = {{"
        yield from (f"    {string(each)}," for each in ("", *characters))
        yield "};\n"
        yield LETTERS.format(n=name, k=kind, b=big)
    if with_step:
        yield f"typedef struct {{\n    {name}_state adjoints;"
        yield f"    {kind} slopes[{big}_PARAMETERS];\n}} {name}_pass;\n"
        yield LEARN.format(n=name, k=kind, b=big)
        yield from forward(loops.loss, real, kind)
        yield "    memset(all, 0, sizeof *all);"
        yield f"    d->loss = {written(1.0, real)};"
        yield from backward([*loops.body, *loops.scores, *loops.loss], real, kind)
        yield f"    for (int i = 0; i < {big}_PARAMETERS; i++) p[i] -= rate * g[i];"
        yield "    return s->loss;\n}\n"
        if characters:
            yield STEP.format(n=name, k=kind, b=big)
