// Moving

function moveTo(position) {
  state.position = Math.max(0, Math.min(events.length, position));
  const event = state.position ? events.at(state.position - 1) : null;
  if (event) state.chosen = event.subject;
  moved = true;
  paint();
  if (event && !moving) {
    if (event.kind === "edge") reveal([event.node, event.arg]);
    reveal([event.subject]);
  }
  if (!state.playing) $("said").textContent = sentence(event);
}
function choose(node) {
  state.chosen = node;
  moved = false;
  paint();
  if (!moving) reveal([node]);
}
function goTo(node) {
  const index = events.lastOf(node);
  moveTo(index + 1);
}
const edit = (node, value) => editAll([[node, value]]);
/** Change many leaves at once. */
function editAll(changes) {
  for (const [node, value] of changes)
    if (Object.is(value, recorded[node])) state.edits.delete(node);
    else state.edits.set(node, value);
  recompute();
  paint();
}
/** Whether an event is the last of a pass through a box, forward or backward, open or not. */
function endsPass(event, item) {
  if (!around(event.node).includes(item - count)) return false;
  const next = event.index + 1 < events.length ? events.at(event.index + 1) : null;
  return !next || (next.kind === "forward") !== (event.kind === "forward") || !around(next.node).includes(item - count);
}
/** Whether an event meets the breakpoints: any of them, or all. */
function stopsAt(event) {
  const { nan, sign: turns, above, op, module, all } = state.stops,
    isGradient = event.kind !== "forward";
  const met = [];
  if (state.breaks.size)
    met.push([...state.breaks].some((item) => (isGroup(item) ? endsPass(event, item) : item === event.subject)));
  if (nan) met.push(!Number.isFinite(event.total));
  if (op) met.push([formOf[event.node]?.op, formOf[event.node]?.symbol].includes(op));
  if (module) met.push(`.${scopeOf(event.node)}.`.includes(`.${module}.`));
  if (above !== "") met.push(isGradient && Math.abs(event.total) > Number(above));
  if (turns) met.push(event.kind === "edge" && Math.sign(event.before) * Math.sign(event.total) < 0);
  return all ? met.length > 0 && met.every(Boolean) : met.includes(true);
}
function runOn(direction) {
  let i = state.position + direction;
  while (i > 0 && i < events.length && !stopsAt(events.at(i - 1))) i += direction;
  moveTo(Math.max(0, Math.min(events.length, i)));
}
function next() {
  if (asked()) return focusGuess();
  moveTo(stride(1));
  if (asked()) focusGuess();
}
function back() {
  if (state.position) moveTo(stride(-1));
}
function play(on = !state.playing) {
  clearTimeout(state.playing);
  state.playing = 0;
  if (on) {
    if (state.position === events.length) state.position = 0;
    const tick = () => {
      if (asked()) return play(false);
      const end = stride(1);
      let stop = state.position + 1;
      while (stop < end && !stopsAt(events.at(stop - 1))) stop++;
      moveTo(stop);
      const event = events.at(state.position - 1);
      if (state.position === events.length || stopsAt(event)) {
        play(false);
        $("said").textContent = sentence(event);
      } else state.playing = setTimeout(tick, 900 / Number($("speed").value));
    };
    state.playing = -1;
    tick();
  }
  $("play").classList.toggle("playing", Boolean(state.playing));
  $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
}
function toggleBreak(item) {
  if (!state.breaks.delete(item)) state.breaks.add(item);
  paint();
}

// Painting

let marked = "";
function paintTransport() {
  const { position } = state,
    backward = events.length - count;
  $("scrub").max = events.length;
  $("scrub").value = position;
  $("scrub").setAttribute("aria-valuetext", `${position} of ${events.length}: ${sentence(moment.event)}`);
  $("position").textContent = `${position} / ${events.length}`;
  const [forwards, backwards] = $("phases").children;
  forwards.style.flex = `${count} 1 0`;
  backwards.style.flex = `${backward} 1 0`;
  forwards.classList.toggle("now", position > 0 && position <= count);
  backwards.classList.toggle("now", position > count);
  for (const id of ["first", "back", "break-back"])
    $(id).setAttribute("aria-disabled", String(position === 0));
  for (const id of ["next", "last", "break-next"])
    $(id).setAttribute("aria-disabled", String(position === events.length));
  const { all, ...stops } = state.stops,
    conditions = state.breaks.size + Object.values(stops).filter(Boolean).length;
  const key = conditions ? JSON.stringify([[...state.breaks], state.stops, [...state.edits], state.way]) : "";
  if (marked !== key) {
    marked = key;
    const ticks = [];
    for (let i = 0; i < events.length && conditions && ticks.length < 300; i++)
      if (stopsAt(events.at(i))) {
        ticks.push(element("i"));
        ticks[ticks.length - 1].style.left = `${(100 * (i + 1)) / events.length}%`;
      }
    $("marks").replaceChildren(...ticks);
  }
  $("breaks-count").textContent = conditions ? String(conditions) : "";
  $("way").value = state.way;
  $("predict").setAttribute("aria-pressed", String(state.predict));
}

function paintNotice() {
  const lines = [];
  const dead = [...new Set(formOf.filter((form) => form && !form.live).map((form) => form.op))];
  if (dead.length)
    lines.push(
      `${dead.join(", ")} run${dead.length > 1 ? "" : "s"} in Python only: shown as recorded, and what feeds ${dead.length > 1 ? "them" : "it"} is not live.`,
    );
  if (state.way)
    lines.push(
      `A wrong way: ${data.ways[state.way]}. ${parting ? "" : "On this graph it makes no difference."}`,
    );
  $("notice").textContent = lines.join(" ");
  $("notice").hidden = !lines.length;
}

function paint() {
  moment = at(state.position);
  paintNotice();
  paintLevels();
  paintGraph();
  paintSource();
  paintStep();
  paintChange();
  paintFlow();
  paintNode();
  paintTransport();
  remember();
  tell();
}
