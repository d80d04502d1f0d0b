r"""Labels as LaTeX's math mode writes them: a symbol with its scripts, or else upright text.

What is written compiles with every engine and in MathJax and KaTeX, whatever the label holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from autograd.stepping.typesetting import width

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega "
    "varepsilon vartheta varpi varrho varsigma varphi".split()
)
"""The Greek letters that LaTeX has a command for; the others look like Latin ones."""

COMMANDS = {
    "ε": "varepsilon", "ϵ": "epsilon", "φ": "varphi", "ϕ": "phi", "ϑ": "vartheta", "ϖ": "varpi",
    "ϱ": "varrho", "ς": "varsigma", "µ": "mu", "λ": "lambda", "Λ": "Lambda", "ℓ": "ell",
    "∂": "partial", "∇": "nabla", "∞": "infty", "∑": "sum", "∏": "prod", "√": "surd", "±": "pm",
    "×": "times", "·": "cdot", "÷": "div", "→": "to", "←": "leftarrow", "≤": "le", "≥": "ge",
    "≠": "ne", "≈": "approx", "∈": "in", "‖": "Vert", "…": "ldots",
}  # fmt: skip
"""Characters that are commands in math mode, beside the Greek letters that `_command` finds."""

LITERAL = {
    **{char: f"\\{char}" for char in "#$%&_{}"},
    **{char: f"{{{char}}}" for char in "<>|"},
    "^": r"{}^{\wedge}",
    "~": r"{\sim}",
    "\\": r"\backslash{}",
    "−": "{-}",
}
"""Characters that mean something to LaTeX, or that its text fonts lack."""

QUOTED = {"–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''"}
"""Characters that are several keys in LaTeX's text."""

ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar",
    "\u0305": "bar", "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring",
    "\u030c": "check", "\u20d7": "vec",
}  # fmt: skip
"""Marks that combine with the letter before them."""

WORDS_BELOW = {rf"\text{{{word}}}": word for word in ("hat", "bar", "tilde", "dot", "ddot", "vec")}
"""Accents that programs spell out: ``y_hat``."""

LOWERED = dict(
    zip(
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢᵣᵤᵥⱼᵦᵧᵨᵩᵪ",
        "0123456789+-=()aeoxhklmnpstiruvjβγρφχ",
        strict=True,
    )
)
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵀ", "0123456789+-=()niT", strict=True))

OVER = (*dict.fromkeys(ACCENTS.values()), "mathbf", "mathrm", "mathcal", "boldsymbol")
"""Commands that a label may put over its letter."""

LATIN = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo")
"""Greek letters that LaTeX writes as Latin ones."""

_LETTER = r"(?:\\[A-Za-z]+|[A-Za-zℓ∂∇]|[Α-Ωα-ωϵϑϕϖϱς])"
_MARKS = f"[{''.join(ACCENTS)}]*"
_SCRIPT = (
    rf"_(?:[0-9]+|[A-Za-z]+[0-9]*|{_LETTER}|\{{[^{{}}]+\}})|\^(?:[0-9]+|[A-Za-z*]|\{{[^{{}}]+\}})"
    rf"|[{''.join(LOWERED)}]+|[{''.join(RAISED)}]+"
)
SYMBOL = re.compile(
    rf"(?:\\(?P<over>{'|'.join(OVER)}) ?(?P<brace>\{{)?)?"
    rf"(?P<letter>{_LETTER}|[A-Za-z]+?)(?P<marks>{_MARKS})"
    rf"(?(brace)\}})(?P<index>[0-9]*)(?P<prime>['′]*)(?P<scripts>(?:{_SCRIPT})*)"
)
"""A label that is a symbol: a letter or a word, with accents, primes and scripts."""

PART = re.compile(r"\\[A-Za-z]+|[A-Za-z0-9Α-Ωα-ωϵϑϕϖϱς ,.+*=/()\[\]-]")
"""What the braces of a script may hold, piece by piece."""

LONGEST_LABEL, WIDEST_LABEL = 44, 150.0
"""Characters of a label in a formula, and points; of a longer one, the middle is left out."""


def math_name(label: str, unknown: Callable[[str], str] | None = None) -> str:
    r"""Return a label in LaTeX's math mode.

    Args:
        unknown: how a character is written that LaTeX has no letter for; by default, its number.

    >>> [math_name(label) for label in ("w", "w₁", "x12", "θ_1", r"\theta_1", "w_ij", "ŷ", "Σ")]
    ['w', 'w_{1}', 'x_{12}', '\\theta_{1}', '\\theta_{1}', 'w_{ij}', '\\hat{y}', '\\Sigma']
    >>> [math_name(label) for label in ("x_{i,j}", "w_out", "loss_1", "y_hat", "W^{(1)}", "theta")]
    ['x_{i,j}', 'w_{\\text{out}}', '\\text{loss}_{1}', '\\hat{y}', 'W^{(1)}', '\\theta']
    >>> [math_name(label) for label in ("layers.0.w_1", "a & b", "重")]
    ['\\text{layers.0.w}\\_\\text{1}', '\\text{a }\\&\\text{ b}', '\\text{U+91CD}']
    """
    label = label.strip()
    inner = label[1:-1] if len(label) > 2 and label[0] == label[-1] == "$" else label
    symbol = _symbol(inner) if len(inner) <= LONGEST_LABEL else ""
    return symbol if symbol and width(symbol) <= WIDEST_LABEL else upright(label, unknown)


def upright(label: str, unknown: Callable[[str], str] | None = None) -> str:
    """Return a label as text in math mode, each character in the font that has it."""
    for kept in range(LONGEST_LABEL, 6, -2):
        shown = label if len(label) <= kept else f"{label[: kept // 2]}…{label[1 - kept // 2 :]}"
        written = _upright(shown, unknown)
        if width(written) <= WIDEST_LABEL:
            break
    return written


def _upright(label: str, unknown: Callable[[str], str] | None) -> str:
    parts: list[str] = []
    run = ""
    for cluster in re.findall(rf".{_MARKS}", unicodedata.normalize("NFC", label), re.DOTALL):
        symbol = _in_math(cluster)
        if symbol is None:
            run += _in_text(cluster, unknown or (lambda char: f"U+{ord(char):04X}"))
        else:
            parts += [rf"\text{{{run}}}", symbol] if run else [symbol]
            run = ""
    return "".join([*parts, rf"\text{{{run}}}"] if run else parts)


def _in_text(cluster: str, unknown: Callable[[str], str]) -> str:
    """Return characters as a text font has them: ASCII, and of Latin 1 what none of them lacks."""
    return "".join(
        char if " " <= char <= "~" or ("À" <= char <= "ÿ" and char not in "ÐÞðþ")
        else " " if char.isspace()
        else QUOTED[char] if char in QUOTED
        else unknown("\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char)
        for char in cluster
    )  # fmt: skip


def _in_math(cluster: str) -> str | None:
    """Return a character, perhaps with marks, as math mode has it; None if it is text."""
    decomposed = unicodedata.normalize("NFD", cluster)
    letter, marks = decomposed[0], decomposed[1:]
    if cluster in LITERAL:
        return LITERAL[cluster]
    if letter in LOWERED or letter in RAISED:
        sign, small = ("_", LOWERED[letter]) if letter in LOWERED else ("^", RAISED[letter])
        return f"{{}}{sign}{{{_command(small) or small}}}"
    if cluster.isascii() or ("À" <= cluster <= "ÿ" and cluster not in "×÷"):
        return None
    base = _command(letter) or (rf"\text{{{letter}}}" if marks and letter.isalpha() else "")
    is_known = letter.isascii() or _command(letter)
    if not (base and is_known and ACCENTS.keys() >= {*marks}):
        return None
    return _accented(base, marks) if marks else f"{{{base}}}"


def _symbol(label: str) -> str:
    """Return a label as a symbol; "" if it is none."""
    found = SYMBOL.fullmatch(unicodedata.normalize("NFD", _plain(label)))
    if not found:
        return ""
    over, letter, scripts = found["over"], found["letter"], found["scripts"]
    base = _base(letter)
    lower = [found["index"]] if found["index"] else []
    upper: list[str] = []
    for script in re.findall(_SCRIPT, scripts):
        written = _script(script)
        if not written:
            return ""
        (upper if script[0] == "^" or script[0] in RAISED else lower).append(written)
    if not base:
        # A word is one with a number below it: loss_1.
        if len(letter) == 1 or letter.startswith("\\") or not re.fullmatch("_[0-9]+", scripts):
            return ""
        base = rf"\text{{{letter}}}"
    if lower and lower[0] in WORDS_BELOW and not found["marks"]:
        base = _over(WORDS_BELOW[lower.pop(0)], base)
    base = _accented(base, found["marks"])
    if over:
        base = _over(over, base)
    below = f"_{{{','.join(lower)}}}" if lower else ""
    primes = r"\prime" * len(found["prime"])
    above = f"^{{{primes}{','.join(upper)}}}" if upper or primes else ""
    return base + below + above


def _plain(label: str) -> str:
    """Return a label with its mathematical letters, such as those of bold type, as letters."""
    label = label.translate(LATIN)
    return "".join(unicodedata.normalize("NFKC", c) if c >= "\U0001d400" else c for c in label)


def _base(letter: str) -> str:
    """Return a letter in LaTeX, given as itself or by its name; "" for any other word."""
    if len(letter) == 1:
        return letter if letter.isascii() else _command(letter)
    name = letter.removeprefix("\\")
    return f"\\{name}" if name in GREEK or letter in (r"\nabla", r"\partial", r"\ell") else ""


def _script(script: str) -> str:
    """Return what stands below or above a letter; "" where LaTeX has no word for it."""
    if script[0] in LOWERED or script[0] in RAISED:
        return "".join(_command(c) or c for c in (({**LOWERED, **RAISED})[c] for c in script))
    content = script[1:]
    if content.startswith("{"):
        pieces = PART.findall(content[1:-1])
        if "".join(pieces) != content[1:-1]:
            return ""
        written = [_base(p) if p.startswith("\\") else _command(p) or p for p in pieces]
        spaced = "".join(w + " " if w.startswith("\\") else w for w in written).strip()
        return spaced if all(written) else ""
    if content.isascii() and not content.startswith("\\"):
        greek = _base(content) if len(content) > 2 or content in GREEK else ""
        word = rf"\text{{{content}}}"
        return content if len(content) <= 2 or content.isdigit() else greek or word
    return _base(content)


def _command(char: str) -> str:
    """Return the command for a character in math mode; "" if there is none."""
    if char in COMMANDS:
        return f"\\{COMMANDS[char]}"
    size, _, name = unicodedata.name(char, "").removeprefix("GREEK ").partition(" LETTER ")
    name = name.capitalize() if size == "CAPITAL" else name.lower()
    return f"\\{name}" if size in ("CAPITAL", "SMALL") and name in GREEK else ""


def _accented(base: str, marks: str) -> str:
    for mark in marks:
        base = _over(ACCENTS[mark], base)
    return base


def _over(command: str, base: str) -> str:
    return rf"\{command}{{{base}}}"
