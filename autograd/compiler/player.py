"""The function that plays tapes, as LLVM's text: made once for the operations that it knows.

It goes through the samples a vector at a time, and for each of these through the tape. What all
samples share is the same number in every place of a vector.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd import ops
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.calls import Calls
from autograd.compiler.kernel import Body
from autograd.compiler.llvm import ARRAYS, PARAMETERS, SCALE, START, STOP, SUMS, WORKSPACE
from autograd.compiler.machine import OFTEN, Machine
from autograd.compiler.reals import DOUBLE
from autograd.compiler.tape import BIASED
from autograd.operation import TABLE

HEAD = "inputs parameters constants outputs sums places shared_code shared_places".split()
"""What a player is told of a tape, in words of eight bytes: how many there are of all these; how
much of the code, and how many places, are of what all samples share. Behind them the places of the
sums, and for each input and each output of a sample, the words of a `WAY`."""

WAY = "array size column place".split()
"""Which array a number is in, how many numbers that has for a sample, which one, and its place."""


def player_of(names: Sequence[str], machine: Machine, block: SampleBlock) -> str:
    """Return the function ``play`` of a call's words, and a tape: its head, code, constants.

    Args:
        names: the operations, as of a `Tape`.
        block: of one vector.
    """
    return _Player(names, machine, block).text()


class _Through(Body):
    """The function that does what a part of a tape says."""

    def __init__(self, calls: Calls, block: SampleBlock) -> None:
        super().__init__(calls.name, block, masked=False)
        self.align = block.real.size * block.width

    def text(self, names: Sequence[str]) -> str:
        lasts = [
            self._added(k, name)
            if name in (ops.sum.name, ops.dot.name, BIASED)
            else self._repeated(k, name)
            for k, name in enumerate(names)
        ]
        cases = " ".join(f"i32 {k}, label %op{k}" for k in range(len(names)))
        codes = ", ".join(f"[ %code{k}, %{last} ]" for k, last in enumerate(lasts))
        goals = ", ".join(f"[ %goal{k}, %{last} ]" for k, last in enumerate(lasts))
        body = "\n".join(self.lines)
        return f"""\
define internal void @through(ptr %m, ptr %code, ptr %goal) {OFTEN} {{
entry:
  br label %next
next:
  %at = phi ptr [ %code, %entry ], {codes}
  %to = phi ptr [ %goal, %entry ], {goals}
  %op = load i32, ptr %at
  %times.p = getelementptr i32, ptr %at, i64 1
  %times = load i32, ptr %times.p
  %begin = getelementptr i32, ptr %at, i64 2
  switch i32 %op, label %done [ {cases} ]
done:
  ret void
{body}
}}
"""

    def _repeated(self, k: int, name: str) -> str:
        """Write an operation that is done some times in a row; return its last label."""
        name, _, exponent = name.partition(" ")
        arity, number = TABLE[name].arity or 0, self.types.number
        self.lines.append(f"op{k}:")
        self.emit(f"%i{k} = phi i32 [ %times, %next ], [ %i{k}.next, %op{k} ]")
        self.emit(f"%from{k} = phi ptr [ %begin, %next ], [ %code{k}, %op{k} ]")
        self.emit(f"%to{k} = phi ptr [ %to, %next ], [ %goal{k}, %op{k} ]")
        args = [self._operand(f"%from{k}", slot) for slot in range(arity)]
        if exponent:
            args[1] = self.types.constant(float(exponent))
        result = self._apply(TABLE[name], args)
        self.emit(f"store {number} {result}, ptr %to{k}, align {self.align}")
        self.emit(f"%code{k} = getelementptr i32, ptr %from{k}, i64 {arity}")
        self.emit(f"%goal{k} = getelementptr {number}, ptr %to{k}, i64 1")
        self.emit(f"%i{k}.next = sub i32 %i{k}, 1")
        self.emit(f"%any{k} = icmp ne i32 %i{k}.next, 0")
        self.emit(f"br i1 %any{k}, label %op{k}, label %next")
        return f"op{k}"

    def _added(self, k: int, name: str) -> str:
        """Write a sum of so many terms; return its last label.

        Of products, the right sides stand behind the left ones, and what is added behind both.
        """
        number, sides = self.types.number, 1 if name == ops.sum.name else 2
        self.lines.append(f"op{k}:")
        self.emit(f"%right{k} = getelementptr i32, ptr %begin, i32 %times")
        self.emit(f"%last{k} = getelementptr i32, ptr %right{k}, i32 %times")
        self.emit(f"br label %term{k}")
        self.lines.append(f"term{k}:")
        self.emit(f"%i{k} = phi i32 [ 0, %op{k} ], [ %i{k}.next, %term{k} ]")
        hole = len(self.lines)
        terms = []
        for side in ("%begin", f"%right{k}")[:sides]:
            at = self.new()
            self.emit(f"{at} = getelementptr i32, ptr {side}, i32 %i{k}")
            terms.append(self._operand(at, 0))
        term = terms[0] if sides == 1 else self._apply(ops.mul, terms)
        total = self._apply(ops.add, [f"%sum{k}", term])
        zero = self.types.constant(-0.0)  # -0.0 + x is x for every x
        self.lines[hole:hole] = [
            f"  %sum{k} = phi {number} [ {zero}, %op{k} ], [ {total}, %term{k} ]"
        ]
        self.emit(f"%i{k}.next = add i32 %i{k}, 1")
        self.emit(f"%any{k} = icmp ne i32 %i{k}.next, %times")
        self.emit(f"br i1 %any{k}, label %term{k}, label %end{k}")
        self.lines.append(f"end{k}:")
        if name == BIASED:
            total = self._apply(ops.add, [total, self._operand(f"%last{k}", 0)])
        self.emit(f"store {number} {total}, ptr %to, align {self.align}")
        behind = "%right" if sides == 1 else "%last"
        self.emit(f"%code{k} = getelementptr i32, ptr {behind}{k}, i64 {int(name == BIASED)}")
        self.emit(f"%goal{k} = getelementptr {number}, ptr %to, i64 1")
        self.emit("br label %next")
        return f"end{k}"

    def _operand(self, pointer: str, slot: int) -> str:
        """Write what loads the number whose place the code has."""
        number = self.types.number
        at, place, room, name = (self.new() for _ in range(4))
        self.emit(f"{at} = getelementptr i32, ptr {pointer}, i64 {slot}")
        self.emit(f"{place} = load i32, ptr {at}")
        self.emit(f"{room} = getelementptr {number}, ptr %m, i32 {place}")
        self.emit(f"{name} = load {number}, ptr {room}, align {self.align}")
        return name


class _Player:
    """Writes the text."""

    def __init__(self, names: Sequence[str], machine: Machine, block: SampleBlock) -> None:
        self.names = names
        self.machine = machine
        self.block = block
        self.real = block.real
        self.calls = Calls(machine, block.exact, block.real)
        self.align = block.real.size * block.width

    def text(self) -> str:
        through, run = _Through(self.calls, self.block).text(self.names), self._run()
        number = self._body().types
        declared = [
            f'target triple = "{self.machine.triple}"',
            f'attributes {OFTEN} = {{ nounwind "no-trapping-math"="true" }}',
            "declare i64 @llvm.smin.i64(i64, i64)",
            f"declare {number.number} @llvm.fabs.{number.suffix}({number.number})",
            f"declare {number.number} @llvm.sqrt.{number.suffix}({number.number})",
        ]
        return "\n".join([*declared, *self.calls.declared(), through, run])

    def _body(self) -> Body:
        return Body(self.calls.name, self.block, masked=False)

    # A call

    def _run(self) -> str:
        """Return the function that is called for some samples."""
        code, width, number = self._body(), self.block.width, self._body().types.number
        emit, real = code.emit, self.real
        for name, place, kind in (
            ("parameters", PARAMETERS, "ptr"),
            ("m", WORKSPACE, "ptr"),
            ("start", START, "i64"),
            ("stop", STOP, "i64"),
            ("sums", SUMS, "ptr"),
            ("scale", SCALE, "double"),
        ):
            code.load_word(name, "%args", place, kind)
        for place, name in enumerate(HEAD):
            code.load_word(f"n.{name}", "%head", place)
        emit(f"%arrays = getelementptr i64, ptr %args, i64 {ARRAYS}")
        emit(f"%summed = getelementptr i64, ptr %head, i64 {len(HEAD)}")
        emit("%inputs = getelementptr i64, ptr %summed, i64 %n.sums")
        emit(f"%outputs = getelementptr [{len(WAY)} x i64], ptr %inputs, i64 %n.inputs")
        for name, begin, count in (
            ("parameter.at", "%m", "%n.inputs"),
            ("constant.at", "%parameter.at", "%n.parameters"),
            ("result.at", "%constant.at", "%n.constants"),
            ("sum.at", "%m", "%n.places"),
        ):
            emit(f"%{name} = getelementptr {number}, ptr {begin}, i64 {count}")
        for count, source, goal, kind in (
            ("%n.parameters", "%parameters", "%parameter.at", real.name),
            ("%n.constants", "%constants", "%constant.at", "double"),
        ):
            with code.counted("0", count) as i:
                at, x = code.new(), code.new()
                emit(f"{at} = getelementptr {kind}, ptr {source}, i64 {i}")
                emit(f"{x} = load {kind}, ptr {at}")
                if kind != real.name:
                    wide, x = x, code.new()
                    emit(f"{x} = fptrunc double {wide} to {real.name}")
                self._put(code, code.broadcast(x), goal, i)
        with code.counted("0", "%n.sums") as i:
            self._put(code, code.types.constant(0.0), "%sum.at", i)
        emit("call void @through(ptr %m, ptr %code, ptr %result.at)")
        emit("%rest.code = getelementptr i32, ptr %code, i64 %n.shared_code")
        emit(f"%rest.at = getelementptr {number}, ptr %result.at, i64 %n.shared_places")
        with code.counted("%start", "%stop", width) as b:
            self._enter(code, b)
            emit("call void @through(ptr %m, ptr %rest.code, ptr %rest.at)")
            self._add_up(code, b)
            self._leave(code, b)
        self._finish(code)
        body = "\n".join(code.lines)
        return (
            f"define void @play(ptr %args, ptr %head, ptr %code, ptr %constants) {OFTEN} {{\n"
            f"entry:\n{body}\n  ret void\n}}\n"
        )

    def _put(self, code: Body, value: str, base: str, index: str) -> None:
        number, at = code.types.number, code.new()
        code.emit(f"{at} = getelementptr {number}, ptr {base}, i64 {index}")
        code.emit(f"store {number} {value}, ptr {at}, align {self.align}")

    def _got(self, code: Body, base: str, index: str) -> str:
        number, at, name = code.types.number, code.new(), code.new()
        code.emit(f"{at} = getelementptr {number}, ptr {base}, i64 {index}")
        code.emit(f"{name} = load {number}, ptr {at}, align {self.align}")
        return name

    def _word(self, code: Body, base: str, index: str, kind: str = "i64") -> str:
        at, name = code.new(), code.new()
        code.emit(f"{at} = getelementptr i64, ptr {base}, i64 {index}")
        code.emit(f"{name} = load {kind}, ptr {at}")
        return name

    def _enter(self, code: Body, b: str) -> None:
        """Write what lays out the inputs; beyond the last sample, it is repeated."""
        last = code.new()
        code.emit(f"{last} = sub i64 %stop, 1")
        with code.counted("0", str(self.block.width)) as lane:
            row, wanted = code.new(), self._plus(code, b, lane)
            code.emit(f"{row} = call i64 @llvm.smin.i64(i64 {wanted}, i64 {last})")
            self._move(code, "%inputs", "%n.inputs", row, lane, is_input=True)

    def _leave(self, code: Body, b: str) -> None:
        """Write what puts the outputs of samples where they belong."""
        with code.counted("0", self._live(code, b)) as lane:
            row = self._plus(code, b, lane)
            self._move(code, "%outputs", "%n.outputs", row, lane, is_input=False)

    def _move(
        self, code: Body, ways: str, count: str, row: str, lane: str, *, is_input: bool
    ) -> None:
        """Write what copies one sample's numbers from arrays to places, or back."""
        number, kind = code.types.number, self.real.name
        with code.counted("0", count) as i:
            way, begin, base, place = (code.new() for _ in range(4))
            code.emit(f"{way} = getelementptr [{len(WAY)} x i64], ptr {ways}, i64 {i}")
            array, size, column, at = (self._word(code, way, str(word)) for word in range(len(WAY)))
            code.emit(f"{begin} = mul i64 {row}, {size}")
            begin = self._plus(code, begin, column)
            code.emit(f"{base} = getelementptr {number}, ptr %m, i64 {at}")
            code.emit(f"{place} = getelementptr {kind}, ptr {base}, i64 {lane}")
            pointer = code.at(self._word(code, "%arrays", array, "ptr"), begin, 1)
            source, goal = (pointer, place) if is_input else (place, pointer)
            code.write(code.read(source, kind), goal, kind)

    def _add_up(self, code: Body, b: str) -> None:
        """Write what adds a vector's samples to the sums."""
        types, width = code.types, self.block.width
        masks = []
        if width > 1:
            live = self._live(code, b)
            for lane in range(width):
                masks.append(code.new())
                code.emit(f"{masks[-1]} = icmp sgt i64 {live}, {lane}")
        mask = "poison"
        for lane, truth in enumerate(masks):
            name = code.new()
            code.emit(f"{name} = insertelement {types.truth} {mask}, i1 {truth}, i32 {lane}")
            mask = name
        with code.counted("0", "%n.sums") as i:
            term = self._got(code, "%m", self._word(code, "%summed", i))
            if masks:
                term = code.chosen(f"{types.truth} {mask}", term, types.constant(0.0))
            self._put(code, code.binary("fadd", self._got(code, "%sum.at", i), term), "%sum.at", i)

    def _finish(self, code: Body) -> None:
        """Write what adds up the places of each sum's vector, and scales it."""
        kind, factor = self.real.name, "%scale"
        if self.real is not DOUBLE:
            factor = code.new()
            code.emit(f"{factor} = fptrunc double %scale to {kind}")
        with code.counted("0", "%n.sums") as i:
            vector = self._got(code, "%sum.at", i)
            total = code.one_of(vector, 0)
            for lane in range(1, self.block.width):
                before, total = total, code.new()
                code.emit(f"{total} = fadd {kind} {before}, {code.one_of(vector, lane)}")
            scaled = code.new()
            code.emit(f"{scaled} = fmul {kind} {total}, {factor}")
            code.write(scaled, code.at("%sums", i, 1), kind)

    def _live(self, code: Body, b: str) -> str:
        """Return how many places of the vector at sample ``b`` are of samples."""
        left, live = code.new(), code.new()
        code.emit(f"{left} = sub i64 %stop, {b}")
        code.emit(f"{live} = call i64 @llvm.smin.i64(i64 {left}, i64 {self.block.width})")
        return live

    def _plus(self, code: Body, x: str, y: str) -> str:
        name = code.new()
        code.emit(f"{name} = add i64 {x}, {y}")
        return name
