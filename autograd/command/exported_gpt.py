"""A GPT as a C header: its letters, what may come next, what it writes, and a step of learning.

What it computes are the loops of `autograd.command.gpt_loops`; what is around them, the random
numbers, tokens and letters, is C that stands here as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autograd.command.gpt_loops import GptLoops
from autograd.compiler.headers import checked, framed, numbers, string, written
from autograd.compiler.nests import Nest, backward, forward
from autograd.errors import CompileError

if TYPE_CHECKING:
    from nn import GPT

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
