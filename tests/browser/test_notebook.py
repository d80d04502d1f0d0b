"""The page in notebooks: live in JupyterLab and marimo, a picture where nothing may run."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograd import Stepper, Value, draw_dot, mean
from autograd.page import build
from autograd.page.notebook import framing, standing_in, widget_module
from nn import MLP
from tests.browser.conftest import missing
from tests.browser.reading import TEXT, come_to_rest, read, read_all, rectangle, until

pytestmark = pytest.mark.browser

CELLS = (
    "from autograd import Stepper, Value, tanh\n"
    "x, w = Value(2.0, 'x'), Value(-3.0, 'w')\n"
    "stepper = Stepper(tanh(x * w + 7))\n"
    "stepper",
    "widget = stepper.widget()\nwidget",
    "print('here:', stepper.position, widget.position, widget.node, widget.level)",
    "widget.position = 3\nwidget.node = w",
)


def needs(*modules: str) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:
            missing(f"{module} (pip install 'chainrule[browser]')")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def notebook(path: Path, sources: tuple[str, ...] = CELLS) -> None:
    import nbformat

    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
    )
    nbformat.write(made, path)


class Server:
    """A program that serves until the test ends."""

    def __init__(self, command: list[str], address: str, folder: Path, **settings: str) -> None:
        self.log = (folder / "server.log").open("w")
        self.process = subprocess.Popen(
            command, cwd=folder, env=os.environ | settings, stdout=self.log, stderr=self.log
        )
        self.address = address
        for _ in range(3000):
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(address, timeout=9).close()
                return
            except OSError:
                self._wait(0.1)
        self.stop()
        pytest.fail(f"no answer from {address}: {(folder / 'server.log').read_text()[-2000:]}")

    def _wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab with nobody's settings, over a folder with notebooks."""
    needs("jupyterlab", "ipykernel", "anywidget", "nbconvert")
    folder = tmp_path_factory.mktemp("lab")
    notebook(folder / "live.ipynb")
    port = free_port()
    own = {
        f"JUPYTER{name}_DIR": str(folder / name)
        for name in ("_CONFIG", "_DATA", "_RUNTIME", "LAB_SETTINGS", "LAB_WORKSPACES")
    }
    # As nbconvert saves it, with the widget's state, and as JupyterLab does, without.
    for name, kept in (("kept", True), ("saved", False)):
        subprocess.run(
            [*NBCONVERT, "--to", "notebook", "--execute", "live.ipynb", "--output", f"{name}.ipynb",
             f"--ExecutePreprocessor.store_widget_state={kept}"],
            cwd=folder, env=os.environ | own, check=True, capture_output=True,
        )  # fmt: skip
    server = Server(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
            "--IdentityProvider.token=t", "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=", f"--ServerApp.root_dir={folder}",
        ],
        f"http://127.0.0.1:{port}/api?token=t", folder, **own,
    )  # fmt: skip
    server.address = f"http://127.0.0.1:{port}/lab/tree"
    server.folder = folder  # type: ignore[attr-defined]
    yield server
    server.stop()


NBCONVERT = (sys.executable, "-m", "nbconvert")


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    contexts: list[Any] = []

    def open_(address: str, **settings: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(90_000)
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()


def inside(page: Any, n: int) -> Any:
    return page.frame_locator("iframe[title='Chainrule debugger']").nth(n)


def says(page: Any, n: int, position: str) -> None:
    """Wait until the page in a frame stands somewhere."""
    inside(page, n).locator("#position", has_text=re.compile(f"^{position} ")).wait_for()


def test_in_jupyterlab_the_page_and_the_widget_are_live(
    lab: Server, visit: Any, screenshot: Any
) -> None:
    page = visit(f"{lab.address}/live.ipynb?token=t")
    cell = page.locator(".jp-CodeCell")
    cell.nth(3).wait_for()
    # What is run before there is a kernel isn't run.
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )
    for n in range(2):
        cell.nth(n).click()
        page.keyboard.press("Control+Enter")
        inside(page, n).locator("#next").wait_for()
    inside(page, 0).locator("#next").click()

    says(page, 1, "0")
    for _ in range(2):
        inside(page, 1).locator("#next").click()
    says(page, 1, "2")
    cell.nth(2).click()
    page.keyboard.press("Control+Enter")
    cell.nth(2).get_by_text("here: 2 2 w op").wait_for()

    cell.nth(3).click()
    page.keyboard.press("Control+Enter")
    says(page, 1, "3")
    inside(page, 1).locator("#node-title", has_text=re.compile("^w$")).wait_for()

    # Dark as the notebook is, whatever the system is.
    background = "(body) => getComputedStyle(body).backgroundColor"
    for theme, colour in (("Dark", "rgb(15, 18, 22)"), ("Light", "rgb(246, 247, 249)")):
        page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        for n in range(2):
            body = inside(page, n).locator("body")
            for _ in range(100):
                if read(body, background) == colour:
                    break
                page.wait_for_timeout(50)
            assert read(body, background) == colour
        screenshot(page, f"9-lab-{theme.lower()}")


def two_pictures(page: Any) -> None:
    """Wait until two pictures are shown, and no more."""
    pictures = page.locator(".jp-OutputArea-output img")
    pictures.nth(1).wait_for()
    until(
        page,
        "[...document.querySelectorAll('.jp-OutputArea-output img')]"
        ".every((e) => e.complete && e.naturalWidth > 300)",
    )
    assert pictures.count() == 2


def test_a_notebook_that_is_not_trusted_shows_the_picture(lab: Server, visit: Any) -> None:
    page = visit(f"{lab.address}/saved.ipynb?token=t")
    two_pictures(page)
    assert page.locator("iframe[title='Chainrule debugger']").count() == 0


@pytest.mark.parametrize("flags", [[], ["--sanitize-html"]])
@pytest.mark.parametrize("saved", ["saved", "kept"])
def test_a_converted_notebook_shows_the_picture(
    lab: Server, visit: Any, flags: list[str], saved: str, tmp_path: Path
) -> None:
    folder = lab.folder  # type: ignore[attr-defined]
    html = tmp_path / "saved.html"
    subprocess.run(
        [*NBCONVERT, "--to", "html", f"{saved}.ipynb", f"--output={html}", *flags],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    page = visit(html.as_uri(), offline=True)
    two_pictures(page)
    # Nothing of it is text, but what stands for a widget where there is none.
    said = read_all(page.locator(".jp-OutputArea-output"), TEXT)
    assert [text for text in said[:3] if text.strip()] in ([], ["<Stepper at 0 of 14>"])


MARIMO = """
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    from autograd import Stepper, Value, tanh
    stepper = Stepper(tanh(Value(2.0, "x") * Value(-3.0, "w") + 7))
    stepper
    return mo, stepper

@app.cell
def _(mo, stepper):
    widget = mo.ui.anywidget(stepper.widget())
    widget
    return (widget,)

@app.cell
def _(mo, widget):
    mo.md(f"here: {widget.value['position']} {widget.value['node']}")

@app.cell
def _(mo):
    button = mo.ui.run_button(label="to three")
    button
    return (button,)

@app.cell
def _(button, widget):
    if button.value:
        widget.position = 3

if __name__ == "__main__":
    app.run()
"""


@pytest.fixture(scope="module")
def marimo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    needs("marimo", "anywidget")
    folder = tmp_path_factory.mktemp("marimo")
    (folder / "app.py").write_text(MARIMO)
    port = free_port()
    server = Server(
        [
            sys.executable, "-m", "marimo", "-q", "run", "app.py", "--headless", "--no-token",
            "--host=127.0.0.1", f"--port={port}",
        ],
        f"http://127.0.0.1:{port}", folder, XDG_CONFIG_HOME=str(folder), HOME=str(folder),
    )  # fmt: skip
    yield server
    server.stop()


def test_in_marimo_the_page_and_the_widget_are_live(
    marimo: Server, visit: Any, screenshot: Any
) -> None:
    page = visit(marimo.address)
    for n in range(2):
        inside(page, n).locator("#next").wait_for()
    says(page, 1, "0")
    inside(page, 1).locator("#next").click()
    inside(page, 1).locator("#next").click()
    page.get_by_text("here: 2 w").wait_for()
    page.get_by_role("button", name="to three").click()
    says(page, 1, "3")
    screenshot(page, "9-marimo")


# The module alone, with a model that only remembers

HOST = """<!doctype html><meta name="color-scheme" content="light dark"><title>Host</title>
<body><div id="place"></div>
<script type="application/json" id="state">STATE</script>
<script type="module">
MODULE
</script></body>"""

FAKE = """
const listeners = {}, saved = [], state = JSON.parse(document.getElementById("state").textContent);
const model = {
  get: (name) => state[name],
  set: (name, value) => {
    if (state[name] === value) return;
    state[name] = value;
    (listeners[`change:${name}`] ?? []).forEach((act) => act());
  },
  on: (event, act) => (listeners[event] ??= []).push(act),
  off: (event, act) => { listeners[event] = listeners[event].filter((other) => other !== act); },
  save_changes: () => saved.push({ ...state, _page: "" }),
};
Object.assign(window, { model, saved, listeners });
window.letGo = widget.render({ model, el: document.getElementById("place") });
"""


def host(run: Any, **state: Any) -> str:
    script = widget_module().replace("export default", "const widget =") + FAKE
    defaults = {
        "_page": build(run),
        "position": 0,
        "node": "",
        "level": "",
        "_key": "",
        "height": 700,
    }
    text = json.dumps(defaults | state).replace("<", r"\u003c")
    return HOST.replace("MODULE", script).replace("STATE", text)


def moons() -> Stepper:
    model = MLP(2, [6, 4, 1], seed=1)
    loss = mean([(model([0.1 * i, 1.0]) - 1) ** 2 for i in range(8)])
    loss.label = "loss"
    return Stepper(loss)


def test_the_module_syncs_position_node_and_level(open_page: Any) -> None:
    stepper = moons()
    page = open_page(host(stepper.recording, position=20, level="layers"))
    says(page, 0, "20")
    inside(page, 0).locator("#levels [aria-pressed=true]", has_text="Layers").wait_for()
    until(page, "window.model.get('node') !== ''")
    inside(page, 0).get_by_role("button", name="Neurons").click()
    until(page, "window.model.get('level') === 'neurons'")
    inside(page, 0).locator("#next").click()
    until(page, "window.model.get('position') > 20")
    here = page.evaluate("window.model.get('position')")
    subject = stepper.events[here - 1].subject
    assert page.evaluate("window.model.get('node')") == stepper.name(subject)
    assert page.evaluate("window.saved.at(-1).position") == here

    page.evaluate("window.model.set('position', 5)")
    says(page, 0, "5")
    page.evaluate("window.model.set('level', 'op')")
    inside(page, 0).locator("#levels [aria-pressed=true]", has_text="Nodes").wait_for()
    page.evaluate("window.model.set('node', 'layers.0.neurons.3.w.1')")
    title = inside(page, 0).locator("#node-title", has_text="layers.0.neurons.3.w.1")
    title.wait_for()
    # What the page can't do, it answers by how it is.
    page.evaluate("window.model.set('node', 'nowhere')")
    until(page, "window.model.get('node') === 'layers.0.neurons.3.w.1'")
    inside(page, 0).locator(".box, .node").first.wait_for()
    page.evaluate("window.model.set('height', 500)")
    assert rectangle(page.locator("iframe"))["height"] == 500
    page.evaluate("window.letGo()")
    assert page.evaluate("Object.values(window.listeners).flat().length") == 0


def test_a_picture_stands_in_until_the_widget_is_drawn(open_page: Any) -> None:
    png = base64.b64encode(draw_dot(Value(1.0), "png").pipe()).decode()
    before = f"<div><script>{standing_in('k', png)}</script></div>"
    alone = open_page(f"<!doctype html><title>Host</title><body>{before}</body>")
    alone.locator("img[alt]").wait_for()
    page = open_page(host(moons().recording, _key="k").replace("<body>", f"<body>{before}"))
    inside(page, 0).locator("#next").wait_for()
    assert page.locator("img").count() == 0
    page.evaluate(f"() => {{ const element = document.body; {standing_in('k', png)} }}")
    assert page.locator("img").count() == 0, "nor does it come after the widget"


def test_an_answer_that_is_overtaken_does_not_come_back(open_page: Any) -> None:
    stepper = moons()
    page = open_page(host(stepper.recording, position=20))
    until(page, "window.model.get('node') !== ''")
    # Two wishes, the second before the page has answered the first, as a busy kernel has them.
    wish = "window.model.set('node', 'layers.0.neurons.3.w.1')"
    page.evaluate(
        f"""() => {{ window.saved.length = 0; window.model.set('position', 3);
            return new Promise((done) => setTimeout(done, 0)).then(() => {wish}); }}"""
    )
    title = inside(page, 0).locator("#node-title", has_text="layers.0.neurons.3.w.1")
    title.wait_for()
    assert page.evaluate("window.model.get('node')") == "layers.0.neurons.3.w.1"
    nodes = page.evaluate("window.saved.map((state) => state.node)")
    assert set(nodes) <= {"layers.0.neurons.3.w.1"}, "nothing older is sent to the kernel"
    # Nor where the page has answered before the kernel, which knows what a step is about, says so.
    page.evaluate("window.model.set('position', 5)")
    says(page, 0, "5")
    inside(page, 0).locator("#node-title", has_text="layers.0.neurons.3.w.1").wait_for(
        state="detached"
    )
    assert page.evaluate("window.saved.map((state) => state.node)") == nodes
    name = stepper.name(stepper.events[4].subject)
    page.evaluate(f"() => {{ window.model.set('node', '{name}'); }}")
    page.evaluate(wish)
    title.wait_for()
    assert page.evaluate("window.model.get('position')") == 5


def test_a_frame_that_is_moved_opens_where_the_model_stands(open_page: Any) -> None:
    page = open_page(host(moons().recording, position=20, level="layers"))
    says(page, 0, "20")
    inside(page, 0).locator("#next").click()
    until(page, "window.model.get('position') > 20")
    here = page.evaluate("window.model.get('position')")
    page.evaluate("document.getElementById('place').append(document.querySelector('iframe'))")
    says(page, 0, str(here))
    inside(page, 0).locator("#levels [aria-pressed=true]", has_text="Layers").wait_for()
    assert page.evaluate("window.model.get('position')") == here


def test_an_open_box_is_no_level(open_page: Any) -> None:
    page = open_page(host(moons().recording, position=20, level="layers"))
    box = inside(page, 0).locator("#nodes .box", has_text="layers.0")
    box.click()
    until(page, "window.model.get('level') === ''")


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_page_is_as_dark_as_the_text_around_it_is_light(open_page: Any, system: str) -> None:
    page = open_page(host(moons().recording), color_scheme=system)
    theme = inside(page, 0).locator("html")
    for colour, expected in (("oklch(0.98 0 0)", "dark"), ("#123", "light"), ("white", "dark")):
        page.evaluate("(colour) => { document.body.style.color = colour; }", colour)
        for _ in range(100):
            if theme.get_attribute("data-theme") == expected:
                break
            page.wait_for_timeout(20)
        assert theme.get_attribute("data-theme") == expected


@pytest.mark.parametrize("system", ["light", "dark"])
def test_on_paper_it_is_light_and_colours_are_kept(open_page: Any, system: str) -> None:
    page = open_page(build(moons().recording, 9999), color_scheme=system)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print", color_scheme=system)
    style = "(e) => [getComputedStyle(e).fill, getComputedStyle(e).printColorAdjust]"
    fill, adjust = read(page.locator("#nodes .card").first, style)
    assert (fill, adjust) == ("rgb(255, 255, 255)", "exact")


def test_what_is_printed_while_it_moves_is_where_it_comes_to_rest(open_page: Any) -> None:
    page = open_page(build(moons().recording), "#level=layers", reduced_motion="no-preference")
    places = """[...document.querySelectorAll("#view, #wires, #wires path, #nodes .node")].map(
        (e) => ["id", "transform", "class", "d"].map((name) => e.getAttribute(name)))"""
    printed = page.evaluate(
        f"""() => {{
            const box = document.querySelector("#nodes .box");
            box.dispatchEvent(new MouseEvent("click", {{ bubbles: true }}));
            dispatchEvent(new Event("beforeprint"));
            const now = {places};
            dispatchEvent(new Event("afterprint"));
            return now;
        }}"""
    )
    come_to_rest(page)
    assert page.evaluate(places) == printed


@pytest.mark.parametrize("fragment", ["#level=layers&event=99999", "#level=op&event=99999&node=0"])
def test_on_paper_is_one_page(open_page: Any, fragment: str) -> None:
    page = open_page(build(moons().recording), fragment)
    for _ in range(2):
        paper = page.pdf(format="A4")
        assert len(re.findall(rb"/Type ?/Page\b", paper)) == 1
    assert page.locator("#canvas").get_attribute("viewBox") is None


def test_what_a_notebook_runs_may_stand_in_any_html(open_page: Any) -> None:
    x = Value(2.0, "</script><!--")
    text = framing(build(Stepper(x * x).recording))
    assert "</script" not in text
    assert "<!--" not in text
    page = open_page(
        f"<!doctype html><title>t</title><body><div><script>{text}</script></div></body>"
    )
    inside(page, 0).locator("#next").click()
    says(page, 0, "4")
