"""Many steps of gradient descent as one call of machine code, as LLVM's text.

A step runs the kernels of its batch, adds up what they give, clips the gradient, and runs the
optimiser's. It looks at nothing but a frame of eight-byte words, and what these point to.
"""

from __future__ import annotations

from autograd.compiler.llvm import ARRAYS, PARAMETERS, SCALE, START, STOP, SUMS
from autograd.compiler.reals import DOUBLE, Real

FRAME = (
    "done first last weights weights_step weights_rows sums sums_step sums_rows costs "
    "more count adds ends spans scales "
    "settings settings_count settings_at update words0 words1 next clip bound slopes"
).split()
"""The frame's words: steps made, the first and the last (excluded) of this call; where weights and
sums begin, how many bytes a step has, and which bits of its number tell its row; where costs go;
room for the sums of a further kind of samples, and how many sums there are; 1 if the kernels add to
them, unscaled, 0 if they set them. Of each step: where its spans begin, and the next one's, and the
factor of its sums; from ``first`` on, its settings. Of each span: function, words, first sample,
last (excluded). The optimiser's function and its two frames in turn, and which word of them is the
new weights. How to clip, the bound, and where clipped slopes go."""

WORD = {name: place for place, name in enumerate(FRAME)}

NOT, BY_NUMBER, BY_NORM = range(3)
"""Ways to clip."""

ANSWERS = "", "not finite", "doubtful"
"""All steps are made; or the next one's cost is not finite, or the square of its gradient's norm
may be beyond all floats, or below."""

SUMS_AT_A_TIME = 8
"""So many sums of a further kind of samples are added at a time, and room is behind the last."""

SMALLEST, LARGEST_NORM = 1e-140, 1e140
"""Norms whose squares are certain."""

BEGIN = f"""\
  %bound.f = bitcast i64 %bound to double
  %bound.n = fneg double %bound.f
  %settings.size = mul i64 %settings_count, {{bytes}}
  %sums.size = mul i64 %count, {{bytes}}
  %are.added = icmp eq i64 %adds, 1
  %size = sub i64 %count, 1
  br label %steps
steps:
  %i = load i64, ptr %frame
  %any = icmp slt i64 %i, %last
  br i1 %any, label %begin, label %made
made:
  ret i64 0
begin:
  %row = sub i64 %i, %first
  %w.row = and i64 %i, %weights_rows
  %w.by = mul i64 %w.row, %weights_step
  %w = add i64 %weights, %w.by
  %i.next = add i64 %i, 1
  %w.next.row = and i64 %i.next, %weights_rows
  %w.next.by = mul i64 %w.next.row, %weights_step
  %w.next = add i64 %weights, %w.next.by
  %r.row = and i64 %i, %sums_rows
  %r.by = mul i64 %r.row, %sums_step
  %r = add i64 %sums, %r.by
  %at.r = inttoptr i64 %r to ptr
  %at.g = getelementptr {{number}}, ptr %at.r, i64 1
  %from.p = getelementptr i64, ptr %at.ends, i64 %i
  %from = load i64, ptr %from.p
  %to.p = getelementptr i64, ptr %from.p, i64 1
  %to = load i64, ptr %to.p
  %scale.p = getelementptr i64, ptr %at.scales, i64 %i
  %scale = load i64, ptr %scale.p
  br i1 %are.added, label %clear, label %span
clear:
  call void @llvm.memset.p0.i64(ptr %at.r, i8 0, i64 %sums.size, i1 false)
  br label %span
span:
  %j = phi i64 [ %from, %begin ], [ %from, %clear ], [ %j.next, %spanned ]
  %j.4 = mul i64 %j, 4
  %at.span = getelementptr i64, ptr %at.spans, i64 %j.4
  %call.i = load i64, ptr %at.span
  %call = inttoptr i64 %call.i to ptr
  %words.p = getelementptr i64, ptr %at.span, i64 1
  %words.i = load i64, ptr %words.p
  %words = inttoptr i64 %words.i to ptr
  %start.p = getelementptr i64, ptr %at.span, i64 2
  %start = load i64, ptr %start.p
  %stop.p = getelementptr i64, ptr %at.span, i64 3
  %stop = load i64, ptr %stop.p
  %is.alone = icmp eq i64 %j, %from
  %is.direct = or i1 %is.alone, %are.added
  %goal = select i1 %is.direct, i64 %r, i64 %more
  %word.start = getelementptr i64, ptr %words, i64 {START}
  store i64 %start, ptr %word.start
  %word.stop = getelementptr i64, ptr %words, i64 {STOP}
  store i64 %stop, ptr %word.stop
  %word.w = getelementptr i64, ptr %words, i64 {PARAMETERS}
  store i64 %w, ptr %word.w
  %word.scale = getelementptr i64, ptr %words, i64 {SCALE}
  store i64 %scale, ptr %word.scale
  %word.goal = getelementptr i64, ptr %words, i64 {SUMS}
  store i64 %goal, ptr %word.goal
  call void %call(ptr %words)
  br i1 %is.direct, label %spanned, label %add
add:
  %a = phi i64 [ 0, %span ], [ %a.next, %add ]
  %total.p = getelementptr {{number}}, ptr %at.r, i64 %a
  %part.p = getelementptr {{number}}, ptr %at.more, i64 %a
  %total = load {{vector}}, ptr %total.p, align {{bytes}}
  %part = load {{vector}}, ptr %part.p, align {{bytes}}
  %both = fadd {{vector}} %total, %part
  store {{vector}} %both, ptr %total.p, align {{bytes}}
  %a.next = add i64 %a, {SUMS_AT_A_TIME}
  %a.more = icmp slt i64 %a.next, %count
  br i1 %a.more, label %add, label %spanned
spanned:
  %j.next = add i64 %j, 1
  %j.more = icmp slt i64 %j.next, %to
  br i1 %j.more, label %span, label %summed
summed:
  br i1 %are.added, label %scaling, label %costed
scaling:
  %scale.f = bitcast i64 %scale to double
  %factor.n = {{narrowed}}
  %factor.1 = insertelement {{vector}} poison, {{number}} %factor.n, i32 0
  %factor = shufflevector {{vector}} %factor.1, {{vector}} poison,
      <{SUMS_AT_A_TIME} x i32> zeroinitializer
  br label %each.sum
each.sum:
  %b = phi i64 [ 0, %scaling ], [ %b.next, %each.sum ]
  %sum.p = getelementptr {{number}}, ptr %at.r, i64 %b
  %sum = load {{vector}}, ptr %sum.p, align {{bytes}}
  %scaled = fmul {{vector}} %sum, %factor
  store {{vector}} %scaled, ptr %sum.p, align {{bytes}}
  %b.next = add i64 %b, {SUMS_AT_A_TIME}
  %b.more = icmp slt i64 %b.next, %count
  br i1 %b.more, label %each.sum, label %costed
costed:
  %cost = load {{number}}, ptr %at.r
  %cost.p = getelementptr {{number}}, ptr %at.costs, i64 %i
  store {{number}} %cost, ptr %cost.p
  %nothing = fsub {{number}} %cost, %cost
  %is.finite = fcmp oeq {{number}} %nothing, 0.0
  br i1 %is.finite, label %clipping, label %failed
failed:
  ret i64 1
clipping:
  switch i64 %clip, label %move [ i64 {BY_NUMBER}, label %each i64 {BY_NORM}, label %square ]
squared:
  %norm = call double @llvm.sqrt.f64(double %square.new)
  %is.large = fcmp ogt double %norm, {DOUBLE.written(SMALLEST)}
  %is.small = fcmp olt double %norm, {DOUBLE.written(LARGEST_NORM)}
  %is.certain = and i1 %is.large, %is.small
  br i1 %is.certain, label %normed, label %doubtful
doubtful:
  ret i64 2
normed:
  %is.over = fcmp ogt double %norm, %bound.f
  br label %shrink
"""

END = f"""\
move:
  %at.slope = phi ptr [ %at.g, %clipping ], [ %at.slopes, %each ], [ %at.slopes, %shrink ]
  %slope = ptrtoint ptr %at.slope to i64
  %setting = mul i64 %row, %settings_count
  %at.setting = getelementptr {{number}}, ptr %at.settings, i64 %setting
  call void @llvm.memcpy.p0.p0.i64(
      ptr %at.settings_at, ptr %at.setting, i64 %settings.size, i1 false)
  %odd = and i64 %i, 1
  %is.odd = icmp eq i64 %odd, 1
  %own.i = select i1 %is.odd, i64 %words1, i64 %words0
  %own = inttoptr i64 %own.i to ptr
  %own.w = getelementptr i64, ptr %own, i64 {ARRAYS}
  store i64 %w, ptr %own.w
  %own.g = getelementptr i64, ptr %own, i64 {ARRAYS + 1}
  store i64 %slope, ptr %own.g
  %own.next = getelementptr i64, ptr %own, i64 %next
  store i64 %w.next, ptr %own.next
  call void %at.update(ptr %own)
  store i64 %i.next, ptr %frame
  br label %steps
}}}}
declare double @llvm.sqrt.f64(double)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
"""

CLIPPED = """\
  %each.low = fcmp olt double %each.g, %bound.n
  %each.not.low = select i1 %each.low, double %bound.n, double %each.g
  %each.high = fcmp ogt double %each.not.low, %bound.f
  %each.new = select i1 %each.high, double %bound.f, double %each.not.low"""

SQUARED = """\
  %square.sum = phi double [ 0.0, %clipping ], [ %square.new, %square ]
  %square.of = fmul double %square.g, %square.g
  %square.new = fadd double %square.sum, %square.of"""

SHRUNK = """\
  %shrink.unit = fdiv double %shrink.g, %norm
  %shrink.short = fmul double %shrink.unit, %bound.f
  %shrink.new = select i1 %is.over, double %shrink.short, double %shrink.g"""


def steps_of(real: Real) -> str:
    """Return the function ``steps`` of a frame, with numbers of some kind; it returns an answer."""
    vector = f"<{SUMS_AT_A_TIME} x {real.name}>"
    way = "bitcast" if real is DOUBLE else "fptrunc"
    narrowed = f"{way} double %scale.f to {real.name}"
    names = {"number": real.name, "vector": vector, "bytes": real.size, "narrowed": narrowed}
    lines = ["define i64 @steps(ptr %frame) {", "entry:"]
    for name in FRAME[1:]:
        lines.append(f"  %{name}.p = getelementptr i64, ptr %frame, i64 {WORD[name]}")
        lines.append(f"  %{name} = load i64, ptr %{name}.p")
    pointers = (
        "costs",
        "more",
        "ends",
        "spans",
        "scales",
        "settings",
        "settings_at",
        "update",
        "slopes",
    )
    lines += [
        *(f"  %at.{name} = inttoptr i64 %{name} to ptr" for name in pointers),
        BEGIN.format(**names),
        _over_slopes(real, "each", "clipping", CLIPPED, "move", is_kept=True),
        _over_slopes(real, "square", "clipping", SQUARED, "squared", is_kept=False),
        _over_slopes(real, "shrink", "normed", SHRUNK, "move", is_kept=True),
        END.format(**names),
    ]
    return "\n".join(lines)


def _over_slopes(
    real: Real, label: str, before: str, body: str, after: str, *, is_kept: bool
) -> str:
    """Return a loop over the slopes, ``g``, each in double precision.

    Args:
        is_kept: whether what is ``new`` is a clipped slope.
    """
    is_double = real is DOUBLE
    first, *others = body.splitlines()
    phis, rest = ([first], others) if " phi " in first else ([], [first, *others])
    read = f"%{label}.g" if is_double else f"%{label}.read"
    lines = [
        f"{label}:",
        f"  %{label}.k = phi i64 [ 0, %{before} ], [ %{label}.next, %{label} ]",
        *phis,
        f"  %{label}.p = getelementptr {real.name}, ptr %at.g, i64 %{label}.k",
        f"  {read} = load {real.name}, ptr %{label}.p",
        *([] if is_double else [f"  %{label}.g = fpext {real.name} {read} to double"]),
        *rest,
    ]
    if is_kept:
        kept = f"%{label}.new" if is_double else f"%{label}.kept"
        if not is_double:
            lines.append(f"  {kept} = fptrunc double %{label}.new to {real.name}")
        lines.append(f"  %{label}.to = getelementptr {real.name}, ptr %at.slopes, i64 %{label}.k")
        lines.append(f"  store {real.name} {kept}, ptr %{label}.to")
    lines += [
        f"  %{label}.next = add i64 %{label}.k, 1",
        f"  %{label}.more = icmp slt i64 %{label}.next, %size",
        f"  br i1 %{label}.more, label %{label}, label %{after}",
    ]
    return "\n".join(lines)
