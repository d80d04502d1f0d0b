// Hovering and clicking in one pane marks the others

let linked = [],
  linkedNode = null;
function link(node) {
  if (node === linkedNode) return;
  linkedNode = node;
  linked.forEach((e) => e.classList.remove("linked"));
  linked = [];
  layers.over.replaceChildren();
  if (node === null) return;
  linked = [
    cards.get(itemOf(node))?.group,
    shownRows.get(rowOf.get(node)),
    ...document.querySelectorAll(`.ref[data-node="${node}"]`),
  ].filter(Boolean);
  linked.forEach((e) => e.classList.add("linked"));
  layers.over.replaceChildren();
  if (moving) return;
  // The wires of what is hovered: its own, or those of its box.
  const item = itemOf(node),
    touching = scene.wires.filter(({ arg, node: user, bundle }) => !bundle && (arg === item || user === item));
  for (const wire of touching.slice(0, 200))
    layers.over.append(shape("path", { class: "edge linked", role: "presentation", d: curve(route(scene, wire)) }));
}
const nodeAt = (target) => {
  const found = target.closest?.("[data-node]");
  return found ? Number(found.dataset.node) : null;
};
document.addEventListener("pointerover", (event) => link(nodeAt(event.target)));
document.addEventListener("click", (event) => {
  if (dragged) return;
  const frame = event.target.closest?.("[data-frame]");
  if (frame && !event.target.matches(".area")) return closeBox(Number(frame.dataset.frame));
  const box = event.target.closest?.("[data-box]");
  if (box) return openBox(Number(box.dataset.box));
  const node = nodeAt(event.target);
  if (node === null) return;
  const row = event.target.closest(".line"),
    nodes = row ? rows[row.id.slice(1)].nodes : [];
  if (nodes.includes(state.chosen)) return choose(nodes[(nodes.indexOf(state.chosen) + 1) % nodes.length]);
  choose(node);
});

// Dragging, the wheel, two fingers
const fingers = new Map();
let dragged = false;
const canvas = $("canvas");
const local = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
canvas.addEventListener("pointerdown", (event) => {
  fingers.set(event.pointerId, local(event));
  dragged = false;
});
canvas.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const now = local(event);
  const moved = Math.hypot(now[0] - before[0], now[1] - before[1]);
  if (!dragged && moved < 4) return;
  if (!dragged) {
    dragged = true;
    canvas.classList.add("dragging");
    canvas.setPointerCapture(event.pointerId);
  }
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  if (other)
    zoom(
      Math.hypot(now[0] - other[0], now[1] - other[1]) /
        (Math.hypot(before[0] - other[0], before[1] - other[1]) || 1),
      ...other,
    );
  else {
    view.x += now[0] - before[0];
    view.y += now[1] - before[1];
    place();
  }
  fingers.set(event.pointerId, now);
});
for (const end of ["pointerup", "pointercancel"])
  canvas.addEventListener(end, (event) => {
    fingers.delete(event.pointerId);
    canvas.classList.remove("dragging");
    setTimeout(() => {
      dragged = false;
    });
  });
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0015), ...local(event));
  },
  { passive: false },
);

// Controls

const onClick = (id, action) => $(id).addEventListener("click", action);
onClick("first", () => moveTo(0));
onClick("back", back);
onClick("play", () => play());
onClick("next", next);
onClick("last", () => moveTo(events.length));
onClick("break-next", () => runOn(1));
onClick("break-back", () => runOn(-1));
onClick("zoom-in", () => zoom(1.25));
onClick("zoom-out", () => zoom(0.8));
onClick("zoom-fit", fit);
onClick("reset", () => {
  state.edits.clear();
  recompute();
  paint();
  $("detail").focus();
});
onClick("predict", () => {
  play(false);
  state.predict = !state.predict;
  paint();
});
onClick("help-open", () => $("help").showModal());
onClick("breaks-open", () => {
  paintBreaks();
  $("breaks").showModal();
});
onClick("tab-source", () => {
  listing = false;
  buildSource();
  paintSource();
});
onClick("tab-listing", () => {
  listing = true;
  buildSource();
  paintSource();
});
$("scrub").addEventListener("input", () => {
  play(false);
  // Among boxes, a place in the run is the pass that it lies in.
  moveTo(strideEnd(Number($("scrub").value)));
});
$("way").addEventListener("change", () => {
  play(false);
  state.way = $("way").value;
  state.position = count;
  recompute();
  moveTo(parting?.wrong ? parting.wrong.index + 1 : state.position);
});

for (let i = 0; i < Math.min(count, 1000); i++) $("found").append(element("option", { value: names[i] }));
/** The nodes that a text finds: one of that name, else all whose name, op or module has it in it. */
function search(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const exact = names.findIndex((name) => name.toLowerCase() === wanted);
  if (exact >= 0) return [exact];
  const found = [];
  for (let i = 0; i < count; i++)
    if (`${names[i]} ${column.labels[i]} ${formOf[i]?.op ?? ""} ${scopeOf(i)}`.toLowerCase().includes(wanted)) found.push(i);
  return found;
}
let hits = { text: null, nodes: [], at: -1 };
$("find-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("find").value;
  if (hits.text !== text) hits = { text, nodes: search(text), at: -1 };
  const { nodes } = hits;
  if (!nodes.length) {
    say(`nothing found: no node is called ${text}`);
    $("find").setCustomValidity(`nothing found: no node, op or module is called ${text}`);
    $("find").reportValidity();
    return $("find").setAttribute("aria-invalid", "true");
  }
  // The same again leads to the next.
  hits.at = (hits.at + 1) % nodes.length;
  uncover(nodes[hits.at]);
  choose(nodes[hits.at]);
  if (nodes.length === 1) canvas.focus();
  $("hits").textContent = nodes.length > 1 ? `${hits.at + 1} of ${nodes.length.toLocaleString("en")}` : "";
  say(`${names[nodes[hits.at]]}${nodes.length > 1 ? `, ${hits.at + 1} of ${nodes.length}` : ""}`);
});
$("find").addEventListener("input", () => {
  $("find").setCustomValidity("");
  $("find").setAttribute("aria-invalid", "false");
  $("hits").textContent = "";
});
$("sample").addEventListener("change", () => pickSample(Number($("sample").value)));

function paintBreaks() {
  const flip = (name) =>
    element("input", {
      type: "checkbox",
      checked: state.stops[name],
      onchange: (e) => {
        state.stops[name] = e.target.checked;
        paint();
      },
    });
  const text = (name, label) =>
    element("input", {
      type: "text",
      "aria-label": label,
      value: state.stops[name],
      oninput: (e) => {
        const value = e.target.value.trim();
        if (name !== "above" || value === "" || Number(value) >= 0) {
          state.stops[name] = value;
          paint();
        }
      },
    });
  const joined = element(
    "select",
    {
      "aria-label": "How the conditions are joined",
      onchange: (e) => {
        state.stops.all = e.target.value === "all";
        paint();
      },
    },
    element("option", { value: "any", selected: !state.stops.all }, "any of these (or)"),
    element("option", { value: "all", selected: state.stops.all }, "all of these (and)"),
  );
  $("breaks-body").replaceChildren(
    element("p", {}, "Playing stops at an event that does ", joined),
    ...[...state.breaks]
      .sort((a, b) => a - b)
      .map((node) =>
        element(
          "label",
          {},
          element("input", { type: "checkbox", checked: true, onchange: () => toggleBreak(node) }),
          isGroup(node) ? `has passed through ${boxName(node - count)}` : `sets a number of ${names[node]}`,
        ),
      ),
    ...(state.breaks.size
      ? []
      : [element("p", { class: "note" }, "Choose a node or a box and press b to stop at it.")]),
    element("label", {}, flip("nan"), "sets a number that is infinite or NaN"),
    element("label", {}, flip("sign"), "turns the sign of a gradient"),
    element("label", {}, "makes a gradient larger than", text("above", "Largest size of a gradient")),
    element("label", {}, "computes or passes through the op", text("op", "Name of an op")),
    element("label", {}, "belongs to the module", text("module", "Path of a module, or a part of it")),
  );
}

/** The node before or after the chosen one; of a box before or after, the last. */
function neighbour(direction) {
  const { items, rank } = scene,
    here = rank.get(itemOf(state.chosen)) ?? 0;
  return lastOf(items[Math.max(0, Math.min(items.length - 1, here + direction))]);
}

// Keys

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const target = event.target,
    typing = target.matches?.("input:not([type=range]), select, textarea");
  if (event.key === "Escape" && target === $("find")) return canvas.focus();
  if (typing) return;
  const sliding = target.matches?.("input[type=range]"),
    pressing = target.matches?.("button");
  const inList = target === canvas || target === $("lines");
  const act = (action) => {
    event.preventDefault();
    action();
  };
  if (sliding && target !== $("scrub") && /^(Arrow|Home|End|Page)/.test(event.key)) return;
  switch (event.key) {
    case "ArrowRight":
      return act(() => {
        play(false);
        if (event.shiftKey) runOn(1);
        else next();
      });
    case "ArrowLeft":
      return act(() => {
        play(false);
        if (event.shiftKey) runOn(-1);
        else back();
      });
    case "Home":
      return act(() => {
        play(false);
        moveTo(0);
      });
    case "End":
      return act(() => {
        play(false);
        moveTo(events.length);
      });
    case " ":
      return pressing ? undefined : act(() => play());
    case "/":
      return act(() => {
        $("find").focus();
        $("find").select();
      });
    case "?":
      return act(() => $("help").showModal());
    case "b":
      return act(() => toggleBreak(chosenBox() >= 0 ? count + chosenBox() : state.chosen));
    case "+":
    case "=":
      return act(() => zoom(1.25));
    case "-":
      return act(() => zoom(0.8));
    case "0":
      return act(fit);
    case "ArrowUp":
      if (inList) act(() => choose(neighbour(-1)));
      return;
    case "ArrowDown":
      if (inList) act(() => choose(neighbour(1)));
      return;
    case "Enter":
      if (inList) act(() => (chosenBox() >= 0 && target === canvas ? openBox(chosenBox()) : goTo(state.chosen)));
      return;
    case "Escape":
    case "Backspace":
      act(levelOut);
  }
});
// The event's own address: by now the page may have written its state over the other.
window.addEventListener("hashchange", ({ newURL }) => {
  const { hash } = new URL(newURL);
  if (hash !== fragment()) {
    play(false);
    recall(hash);
    paint();
  }
});

// Start

measure();
recall(location.hash);
// The finest of the first levels that can be read as a whole, unless the coarser one says nothing.
while (
  levelOf(state.open) === opening &&
  opening > 0 &&
  opening < OP &&
  levels[opening - 1].boxes >= FEW &&
  wholly(scene.bounds).scale < EASY
) {
  opening--;
  recall(location.hash);
}
buildSource();
moment = at(state.position);
lookAtAll();
paint();
// On paper is what is in sight, as large as there is room for.
window.addEventListener("beforeprint", () => canvas.setAttribute("viewBox", `0 0 ${view.width} ${view.height}`));
window.addEventListener("afterprint", () => canvas.removeAttribute("viewBox"));
new ResizeObserver(() => {
  if (canvas.hasAttribute("viewBox")) return;
  const { width, height } = view;
  measure();
  if ((width !== view.width || height !== view.height) && scene.items.length < 60) lookAtAll();
  paint();
}).observe(canvas);
