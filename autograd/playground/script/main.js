// The playground: the editor, what Python says, and the debugger beside them

import { fragmentOf, programIn } from "./address.js";
import { makeEditor } from "./editor.js";
import { Output } from "./output.js";
import { Python } from "./python.js";

const byId = (id) => document.getElementById(id);
const examples = JSON.parse(byId("examples").textContent);
const nonce = document.currentScript.nonce;

const editor = makeEditor(byId("editor"), "", { run, changed: remember });
const output = new Output(byId("output"), (line) => editor.go(line));
const python = new Python(hear);
let isReady = false;
let isRunning = false;
let isWanted = false; // to run as soon as Python is there
let isShown = false; // the debugger of what runs now

// ---- Running

function run() {
  if (isRunning) return;
  isWanted = !isReady;
  if (!isReady) return show();
  isRunning = true;
  isShown = false;
  output.clear();
  editor.mark(null);
  show();
  python.run(editor.program);
}

function stop() {
  isRunning = isReady = false;
  output.note("Stopped. Python starts afresh.");
  python.stop();
  show();
}

function hear({ stage, ready, written, picture, page, failed, done, broken }) {
  if (stage) {
    byId("stage").textContent = stage;
    byId("progress").value++;
  }
  if (ready) {
    isReady = true;
    show();
    if (isWanted) run();
  }
  if (written) output.write(written);
  if (picture) output.picture(picture);
  if (page) showPage(page);
  if (failed) {
    output.fail(failed);
    editor.mark(failed.line);
    say(failed.line ? `Failed at line ${failed.line}` : "Failed");
  }
  if (done !== undefined) {
    isRunning = false;
    output.flush();
    byId("time").textContent = `${done.toFixed(done < 10 ? 2 : 0)} s`;
    if (!byId("output").children.length) output.note("The program printed nothing.");
    if (!isShown) hidePage();
    show();
  }
  if (broken) {
    isRunning = isReady = false;
    output.note(
      `Python can't run in this browser (${broken}). A recent Firefox, Chrome, Edge or Safari can.`,
    );
    byId("loading").hidden = true;
    show();
  }
}

/** Bring the controls in line with what goes on. */
function show() {
  byId("run").hidden = isRunning;
  byId("stop").hidden = !isRunning;
  byId("run").classList.toggle("waiting", isWanted && !isReady);
  byId("loading").hidden = isReady;
  if (isReady) byId("progress").value = 0;
  if (isRunning) byId("time").textContent = "running";
}

function say(text) {
  byId("said").textContent = text;
}

/** Show the debugger. It is a page of its own, with a policy of its own; this one must allow its script, too. */
function showPage({ html, name }) {
  const frame = document.createElement("iframe");
  frame.title = `The debugger of ${name}`;
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = html.replace(/<script(?= type="module"|>)/g, `<script nonce="${nonce}"`);
  byId("debugger").replaceChildren(frame);
  byId("empty").hidden = isShown = true;
  say(`The debugger shows ${name}`);
}

function hidePage() {
  byId("debugger").replaceChildren();
  byId("empty").hidden = false;
}

// ---- The program and its address

let remembering = 0;
let remembered = ""; // the fragment that was written last
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(async () => {
    remembered = await fragmentOf(editor.program);
    history.replaceState(null, "", remembered);
    byId("example").value = examples.find(({ program }) => program === editor.program)?.title ?? "";
  }, 300);
}

async function recall() {
  if (location.hash === remembered && remembered) return;
  let program = null;
  try {
    program = await programIn(location.hash);
  } catch {
    output.note("The program in this address is damaged: copy the whole link again.");
    editor.program = "";
    return;
  }
  open(program ?? examples[0].program);
}

function open(program) {
  editor.program = program;
  if (isRunning) stop();
  run();
}

async function share() {
  const link = location.href.split("#")[0] + (await fragmentOf(editor.program));
  try {
    await navigator.clipboard.writeText(link);
    byId("share").textContent = "Copied";
  } catch {
    history.replaceState(null, "", link);
    byId("share").textContent = "It is in the address";
  }
  setTimeout(() => {
    byId("share").textContent = "Copy link";
  }, 2000);
}

// ---- Controls

for (const { title } of examples) byId("example").append(new Option(title, title));
byId("example").addEventListener("change", ({ target }) => {
  const found = examples.find(({ title }) => title === target.value);
  if (found) open(found.program);
});
byId("run").addEventListener("click", run);
byId("stop").addEventListener("click", stop);
byId("share").addEventListener("click", share);
byId("about-open").addEventListener("click", () => byId("about").showModal());
addEventListener("hashchange", recall);
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
    event.preventDefault();
    run();
  }
});

recall();
python.load().catch((error) => hear({ broken: String(error) }));
