"""What the check looks at where there is no graph, and what it says of it, step by step.

``python tests/test_survey.py`` writes the golden file anew; read its diff before you keep it.

All functions are made of operations that IEEE 754 rounds in one way, so that every platform
gives the same numbers to the last bit.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from math import floor, inf, nan, sqrt
from pathlib import Path

import pytest

from autograd.checking import survey
from autograd.checking.claim import Claim
from autograd.checking.conclusion import Survey
from autograd.checking.line import Line
from autograd.checking.measured import judge
from autograd.checking.stencil import Slope, Stencil
from autograd.checking.survey import explore, look_again
from tests.test_stencil import line_of

GOLDEN = Path(__file__).parent / "survey.txt"


def noise(t: float) -> float:
    """Return a number from -1 to 1 that has nothing to do with that of a neighbour."""
    return zlib.crc32(struct.pack("<d", t)) / 2**31 - 1


def single(t: float) -> float:
    return struct.unpack("<f", struct.pack("<f", t))[0]


def half(t: float) -> float:
    return struct.unpack("<e", struct.pack("<e", t))[0]


def brain(t: float) -> float:
    """Return the number of bfloat16 next to 0 from one of single precision."""
    (bits,) = struct.unpack("<I", struct.pack("<f", t))
    return struct.unpack("<f", struct.pack("<I", bits & 0xFFFF0000))[0]


def bell(t: float) -> float:
    return 1 / (1 + t * t)


def wave(t: float) -> float:
    """Return a wave of parabolas, of length 4 and height 1."""
    u = t - 4 * floor(t / 4)
    return u * (2 - u) if u < 2 else (u - 2) * (u - 4)


def brain_sum(t: float) -> float:
    """Return what is left of larger numbers of bfloat16: all steps are theirs, as wide as own."""
    return brain(brain(1.0 + brain(0.48 * brain(t))) - 1.0)


def brain_kink(t: float) -> float:
    """Return a slope of 0.75 that turns to 1.25 behind the first step of bfloat16."""
    return brain(2.0 + brain(0.75 * brain(t)) + brain(0.5 * max(0.0, brain(t - 0.02))))


def only(condition: bool, value: float) -> float | None:
    return value if condition else None


Function = Callable[[float], float | None]

FUNCTIONS: dict[str, tuple[Function, tuple[float, ...]]] = {
    "a line": (lambda t: 3 * t - 1, (0.0, 2.0, 1e6, 1e-12)),
    "a cube": (lambda t: t * t * t, (0.0, 1.5, -3.7, 1e-8, 1e5)),
    "a bell": (bell, (0.0, 0.3, -3.7, 1e3)),
    "a narrow bell": (lambda t: bell(1e5 * (t - 0.3)), (0.3, 0.300001, 0.31)),
    "a root": (lambda t: only(t >= 0, sqrt(abs(t))), (4.0, 1e-12, 0.0)),
    "t to the 1.5": (lambda t: only(t >= 0, abs(t) * sqrt(abs(t))), (0.0, 1e-9, 2.0)),
    "one over t": (lambda t: only(t != 0, 1 / (t or 1.0)), (0.01, 1e6, -1e-9)),
    "a constant": (lambda t: 5.0, (0.0, 7.0)),
    "zero": (lambda t: 0.0, (1.0,)),
    "a plateau": (lambda t: max(0.0, t - 1000), (1.0, 999.0, 1001.0)),
    "a pole far away": (lambda t: only(abs(t) < 1, 1 / (1 - t * t or 1.0)), (0.5, 0.999, 1e-6)),
    "abs": (abs, (0.0, 1e-9, 1e-3, 1.0)),
    "a kink in a cube": (lambda t: t + abs(t - 1) * (1 + t * t), (1.0, 1.001, 0.0)),
    "a kink beside a cube": (lambda t: t * t * t - t + 0.017 * abs(t - 3.8e-5), (0.0,)),
    "a weak kink": (lambda t: t + 1e-3 * abs(t), (0.0, 0.01)),
    "a kink in noise": (lambda t: abs(t) + 1e-7 * noise(t), (0.0, 0.5)),
    "a step": (lambda t: 1.0 if t > 0 else 0.0, (0.0, 0.1, 1e-5)),
    "a step on a slope": (lambda t: t + (1.0 if t > 2 else 0.0), (2.0, 2.01, 1.0)),
    "noise of 1e-12": (lambda t: t * t + 1e-12 * noise(t), (0.7, 0.0)),
    "noise of 1e-8": (lambda t: bell(t) + 1e-8 * noise(t), (0.7, 0.0, 30.0)),
    "noise of 1e-3": (lambda t: 2 * t + 1e-3 * noise(t), (0.7, 12.0)),
    "noise of 0.2": (lambda t: t + 0.2 * noise(t), (0.7, 0.0)),
    "nothing but noise": (noise, (0.7, 0.0)),
    "rounding alone": (lambda t: t + 1e17 - 1e17, (0.7, 100.0)),
    "cancellation": (lambda t: (t * t + 1e8) - 1e8, (0.15, 3.0)),
    "a flat sum": (lambda t: (1e9 + t) - t, (0.15, 3.0)),
    "ripples": (lambda t: t + 1e-4 * wave(1e3 * t), (0.31, 2.0)),
    "ripples on a square": (lambda t: t * t + 2.6e-6 * wave(t / 1.4e-4), (0.5,)),
    "ripples on a cube": (lambda t: t * t * t - t + 1.75e-5 * wave(t / 1.2e-5), (0.3,)),
    "fast waves": (lambda t: wave(1e7 * t), (0.31, 1e-9)),
    "steps of 1/128": (lambda t: floor(128 * t + 0.5) / 128, (0.3, 5.0)),
    "steps of 1/300": (lambda t: floor(300 * t + 0.5) / 300, (0.3, 5.0)),
    "steps of 1/3000": (lambda t: floor(3000 * t + 0.5) / 3000, (0.3, 5.0)),
    "steps of 1/40": (lambda t: floor(40 * t + 0.5) / 40, (0.3, 5.0)),
    "steps of 1/400 on a cube": (lambda t: floor(400 * (t * t * t - t) + 0.5) / 400, (-4.0,)),
    "rounding of large numbers": (lambda t: 1e9 + 1.2e-7 * noise(t), (0.3, 5.0)),
    "a gap": (lambda t: only(not 0.3 < t < 0.3002, t * t), (0.3, 0.2999)),
    "a bump on a line": (lambda t: t + 1e-8 * bell(1e8 * (t - 0.3)), (0.300000003, 0.3)),
    "tenths": (lambda t: floor(10 * t + 0.5) / 10, (2.34, 0.01)),
    "whole numbers": (lambda t: float(floor(t)), (2.5, 100.5)),
    "six decimals": (lambda t: floor(1e6 * t * t + 0.5) / 1e6, (0.7, 30.0)),
    "single precision": (lambda t: single(bell(single(t))), (0.7, 0.0, 12.0, 1e-3)),
    "single, a wave": (lambda t: single(wave(single(t))), (0.0,)),
    "single, a sum": (lambda t: single(1e4 + single(t * t)), (0.7, 12.0)),
    "half precision": (lambda t: half(half(t) * 1.5), (0.7, 12.0, 1e-3)),
    "half, a bell": (lambda t: half(bell(half(t))), (0.7, 0.0, 3.0)),
    "half, a root": (lambda t: half(sqrt(abs(half(t)))), (100.0,)),
    "bfloat16": (lambda t: brain(brain(t) * 1.5), (0.7, 12.0, 0.0)),
    "bfloat16, what is left": (brain_sum, (0.7, 0.02)),
    "bfloat16, a kink nearby": (brain_kink, (0.0, 0.3)),
    "bfloat16, a bell": (lambda t: brain(bell(brain(t))), (0.7, 0.05)),
    "the larger of two": (lambda t: max(5.0, t), (4.9, 4.99)),
    "a dead zone": (lambda t: max(t - 5.1, 0.0) + min(t - 4.9, 0.0), (5.01,)),
    "quarters around 0": (lambda t: floor(4 * t + 0.5) / 4 + 0.5, (-0.60577795, 0.3)),
    "what cancels almost all": (lambda t: (1 + 5e-15 * bell(t)) - 1, (0.7, 0.0)),
    "lost in a sum": (lambda t: 37.43 - (37.43 + 1e-17 * t * t * t * t), (0.9,)),
    "huge": (lambda t: 1e300 * t * t, (0.7, 1e3)),
    "as large as numbers are": (lambda t: 1.7e308 if t > 0 else -1.7e308, (0.0,)),
    "tiny": (lambda t: 1e-200 * t * t, (0.7, 1e-30)),
    "overflow to the right": (lambda t: inf if t > 0.7 else t, (0.7, 0.69)),
    "a hole": (lambda t: only(abs(t - 0.3) < 1e-4, t * t), (0.3,)),
    "a pinhole": (lambda t: only(abs(t - 0.3) < 1e-13, t * t), (0.3,)),
    "a point": (lambda t: only(t == 0.3, t), (0.3,)),
    "noise to one side": (lambda t: only(t >= 0.5, t * t + 1e-6 * noise(t)), (0.5,)),
    "not a number": (lambda t: nan, (1.0,)),
}


def number(x: float) -> str:
    return f"{x:.2e}".replace("e-0", "e-").replace("e+0", "e+")


def claims(slope: float) -> dict[str, Claim]:
    """Return what is claimed, by the name it has in the golden file."""
    right = slope if math.isfinite(slope) else 1.0
    return {
        "=": Claim(right),
        "2e-5": Claim(right * (1 + 2e-5)),
        "1e-3": Claim(right * 1.001),
        "0.2": Claim(right * 1.2),
        "-": Claim(-right),
        "0": Claim(0.0),
        "nan": Claim(nan),
        "inf": Claim(inf),
        "+1": Claim(right + 1.0),
        "+9": Claim(right + 9.0),
        "-3": Claim(right - 1e-3),
        "17": Claim(1e17),
        "r": Claim(right * 1.05, rtol=0.1),
        "R": Claim(right * 1.15, rtol=0.1),
        "a": Claim(right + 1e-3, atol=2e-3),
        "A": Claim(right + 3e-3, atol=2e-3),
        "a0": Claim(0.0, atol=2e-3),
    }


def told(name: str, f: Function, x: float) -> list[str]:
    """Return what there is to say of a function at a point."""
    line = line_of(f, x)
    if math.isfinite(line.middle):
        found = explore(line)
        slope = found.slope.value
        scales = [
            number(s.h)
            + "n" * s.is_noisy
            + "k" * bool(s.bend)
            + "j" * s.jumps
            + "c" * s.is_constant
            for s in found.seen
        ]
        sides = [f"{number(s.value)} ± {number(s.error)}" for s in (found.left, found.right)]
        facts = [
            found.kind,
            f"{number(slope)} ± {number(found.slope.error)}",
            f"noise {number(found.noise)}",
            f"reach {number(found.reach)}",
            f"{line.evaluations} evaluations",
            *(["left and right " + ", ".join(sides)] if found.kind == "kink" else []),
            *(["stands"] if found.stands else []),
            *(["all noise"] if found.is_all_noise else []),
            *(["flat"] if found.is_flat else []),
            *(["wide steps"] if found.step else []),
            *([f"hidden {number(found.hidden)}"] if found.hidden else []),
        ]
        walk = " ".join(scales)
    else:
        slope, facts, walk = nan, ["no number"], ""
    verdicts: dict[str, list[str]] = {}
    for what, claim in claims(slope).items():
        comparison = judge(line_of(f, x), claim)
        verdicts.setdefault(comparison.verdict, []).append(what)
    said = [f"{verdict}: {' '.join(names)}" for verdict, names in verdicts.items()]
    return [
        f"{name} at {x!r}: {', '.join(facts)}",
        f"    at {walk}",
        f"    {'; '.join(said)}",
    ]


def text(name: str) -> str:
    """Return what the golden file holds of a function."""
    f, xs = FUNCTIONS[name]
    return "".join(f"{line.rstrip()}\n" for x in xs for line in told(name, f, x))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_looked_at_and_said_is_golden(name: str) -> None:
    golden = GOLDEN.read_text(encoding="utf-8")
    kept = [part for part in golden.split("\n\n") if part.startswith(f"{name} at ")]
    assert text(name).rstrip("\n").splitlines() == kept[0].rstrip("\n").splitlines()


def test_a_second_look_reckons_with_what_curvature_leaves_in_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As where single precision hides all but the central difference: h * h is left of t**3.
    def central(line: Line, h: float) -> Stencil:
        return Stencil(h, Slope(1 + h * h, 1e-9), 0.0, False, 1.0, False, 0.0)

    monkeypatch.setattr(survey, "two_sided", central)
    found = Survey(slope=Slope(1 + 0.06**2, 1e-9), h=0.06)
    look_again(line_of(lambda t: t + t * t * t), found)
    assert found.slope.value - 1 <= found.slope.error * (1 + 1e-9)
    assert found.slope.error < 1.01 * 0.06**2


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(map(text, FUNCTIONS)), encoding="utf-8", newline="\n")
