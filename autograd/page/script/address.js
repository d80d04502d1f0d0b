// The address holds the state, where there is an address

const hasAddress = location.protocol !== "about:";
let remembering = 0;
let opening = firstLevel(); // what is open where the address doesn't say
function fragment() {
  const { nan, sign: turns, above, op, module, all } = state.stops,
    parts = [`event=${state.position}`, `node=${state.chosen}`];
  const level = levelOf(state.open);
  if (level < 0) parts.push(`open=${[...state.open].sort((a, b) => a - b).join(".")}`);
  else if (level !== opening) parts.push(`level=${encodeURIComponent(levels[level].name)}`);
  if (state.sample >= 0) parts.push(`sample=${state.sample}`);
  if (state.isMean) parts.push("sample=mean");
  if (state.breaks.size) parts.push(`break=${[...state.breaks].sort((a, b) => a - b).join(".")}`);
  const stops = [
    nan && "nan",
    turns && "sign",
    above !== "" && `above:${above}`,
    op && `op:${encodeURIComponent(op)}`,
    module && `in:${encodeURIComponent(module)}`,
    all && "all",
  ].filter(Boolean);
  if (stops.length) parts.push(`stop=${stops.join(",")}`);
  if (state.edits.size)
    parts.push(`set=${[...state.edits].map(([leaf, value]) => `${leaf}:${value}`).join(",")}`);
  if (state.way) parts.push(`way=${encodeURIComponent(state.way)}`);
  if (state.predict) parts.push("predict=1");
  return `#${parts.join("&")}`;
}
function remember() {
  if (!hasAddress || remembering) return;
  remembering = setTimeout(() => {
    remembering = 0;
    try {
      history.replaceState(null, "", fragment());
    } catch {
      /* a frame that may not: the state lives in the page */
    }
  }, 120);
}
function recall(hash) {
  const read = new Map(
    hasAddress
      ? hash
          .slice(1)
          .split("&")
          .map((part) => {
            const [key, ...value] = part.split("=");
            return [key, value.join("=")];
          })
      : [],
  );
  const index = (text, below) => (/^\d+$/.test(text ?? "") && Number(text) < below ? Number(text) : null);
  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return "";
    }
  };
  state.breaks = new Set(
    (read.get("break") ?? "")
      .split(".")
      .map((t) => index(t, count + groups.length))
      .filter((n) => n !== null),
  );
  state.stops = { nan: false, sign: false, above: "", op: "", module: "", all: false };
  for (const stop of (read.get("stop") ?? "").split(",")) {
    const [kind, value = ""] = stop.split(":");
    if (kind === "nan" || kind === "sign" || kind === "all") state.stops[kind] = true;
    else if (kind === "above" && value !== "" && Number(value) >= 0) state.stops.above = value;
    else if (kind === "op") state.stops.op = decoded(value);
    else if (kind === "in") state.stops.module = decoded(value);
  }
  state.edits = new Map();
  for (const set of (read.get("set") ?? "").split(",")) {
    const [leaf, value] = set.split(":"),
      node = index(leaf, count);
    if (node !== null && !formOf[node] && blocker[node] < 0 && value && Number.isFinite(Number(value)))
      state.edits.set(node, Number(value));
  }
  const way = decoded(read.get("way") ?? "");
  state.way = Object.hasOwn(data.ways, way) ? way : "";
  state.predict = read.get("predict") === "1";
  const level = levels.findIndex(({ name }) => name === decoded(read.get("level") ?? ""));
  state.open = new Set(levels[level < 0 ? opening : level].open);
  if (read.has("open")) {
    const open = read.get("open").split(".").map((t) => index(t, groups.length));
    state.open = new Set(open.filter((g) => g !== null).flatMap((g) => [g, ...around(count + g)]));
  }
  state.sample = index(read.get("sample"), data.samples.length) ?? -1;
  state.isMean = read.get("sample") === "mean" && data.samples.length > 0;
  state.position = data.position;
  recompute();
  state.position = Math.min(index(read.get("event"), Infinity) ?? state.position, events.length);
  state.chosen =
    index(read.get("node"), count) ?? (state.position ? events.at(state.position - 1).subject : root);
  enter();
}
