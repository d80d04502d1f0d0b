// The flow of the chosen box: how the numbers that leave it are spread

const BINS = 12;
/** Least and largest of some numbers, how many are 0, and how many lie in each part between. */
function spreadOf(xs) {
  const finite = xs.filter(Number.isFinite),
    low = finite.reduce((a, b) => Math.min(a, b), Infinity),
    high = finite.reduce((a, b) => Math.max(a, b), -Infinity),
    bars = Array(BINS).fill(0);
  if (high > low) for (const x of finite) bars[Math.min(BINS - 1, Math.floor(((x - low) / (high - low)) * BINS))]++;
  return { low, high, bars, zeros: xs.filter((x) => x === 0).length, odd: xs.length - finite.length, of: xs.length };
}

function paintFlow() {
  const item = itemOf(state.chosen),
    isBox = isGroup(item);
  $("flow").hidden = !isBox;
  if (!isBox) return;
  const { known, status, gradient } = moment,
    values = [],
    grads = [];
  for (let node = 0; node < count; node++)
    if (scene.of[node] === item && scene.leaving[node]) {
      if (known[node]) values.push(numbers.values[node]);
      if (status[node]) grads.push(gradient[node]);
    }
  const g = item - count;
  $("flow-title").textContent = [groups[g].title, timesOf(g)].filter(Boolean).join(" ");
  const line = (name, xs) => {
    const spread = spreadOf(xs);
    if (!xs.length) return [element("span", {}, name), element("span", { class: "range" }, "?")];
    const most = mostOf(spread.bars),
      bars = shape("svg", { viewBox: `0 0 ${BINS * 6} 20`, class: "bars-of-flow", "aria-hidden": "true" });
    spread.bars.forEach((n, k) => {
      const height = n ? 2 + (18 * n) / most : 0;
      bars.append(shape("rect", { x: 6 * k, y: 20 - height, width: 5, height }));
    });
    const notes = [
      spread.zeros && `${spread.zeros.toLocaleString("en")} of ${spread.of.toLocaleString("en")} are 0`,
      spread.odd && `${spread.odd} infinite or NaN`,
    ].filter(Boolean);
    return [
      element("span", {}, name),
      element(
        "span",
        { class: "range" },
        tight(spread.low, 7),
        spread.high > spread.low ? bars : null,
        spread.high > spread.low ? tight(spread.high, 7) : null,
      ),
      ...(notes.length ? [element("span", { class: "zeros" }, notes.join(", "))] : []),
    ];
  };
  $("flow-body").replaceChildren(...line("values", values), ...line("gradients", grads));
}
