"""The debugger's page as a widget of Jupyter and marimo, which moves with a stepper."""

from __future__ import annotations

from typing import Any

from autograd.drawing import Cursor
from autograd.drawing.structure import Structure
from autograd.engine import Value
from autograd.errors import quoted
from autograd.extras import missing_extra
from autograd.page.content import page_names
from autograd.page.document import build
from autograd.page.levels import levels_of, shown_levels
from autograd.page.notebook import picture, standing_in, widget_module

try:
    import anywidget
    import traitlets
except ImportError as error:
    missing_extra("anywidget", "widget", error)


class StepperWidget(anywidget.AnyWidget):
    """The page of a stepper, in a notebook whose kernel it talks to.

    Args:
        stepper: what it shows, and moves with.
        height: in pixels.

    Attributes:
        position: how many events have been applied; the stepper's, too.
        node: the name of the chosen node. A node of the run can be assigned.
        level: the level that is open, such as "layers"; "" while single boxes are.
        height: in pixels.

    Raises:
        traitlets.TraitError: a position, node or level is set that the run does not have.
    """

    _esm = widget_module()
    _page = traitlets.Unicode().tag(sync=True)
    position = traitlets.Int().tag(sync=True)
    node = traitlets.Union([traitlets.Unicode(), traitlets.Instance(Value)]).tag(sync=True)
    level = traitlets.Unicode().tag(sync=True)
    _key = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int().tag(sync=True)

    def __init__(self, stepper: Cursor, height: int = 720) -> None:
        self._stepper = stepper
        self._hearing = True
        run = stepper.recording
        self._nodes = set(page_names(run))
        self._levels = shown_levels(levels_of(Structure(list(run.nodes))), len(run.nodes))
        super().__init__(
            _page=build(run, stepper.position), position=stepper.position, height=height
        )
        self._key = self.model_id
        self._hearing = False

    def follow(self, position: int) -> None:
        """Move to where the stepper stands."""
        self.position = position

    @traitlets.validate("position")
    def _known_position(self, proposal: Any) -> int:
        position, end = proposal["value"], self._stepper.recording.length
        if not 0 <= position <= end:
            raise traitlets.TraitError(f"position {position} is outside 0 to {end}")
        return int(position)

    @traitlets.validate("node")
    def _known_node(self, proposal: Any) -> str:
        node = proposal["value"]
        if isinstance(node, Value):
            run = self._stepper.recording
            return page_names(run)[run.position[run.known(node)]]
        if node and node not in self._nodes:
            raise traitlets.TraitError(f"no node of the run is called {quoted(node)}")
        return str(node)

    @traitlets.validate("level")
    def _known_level(self, proposal: Any) -> str:
        level = proposal["value"]
        if level and level not in self._levels:
            raise traitlets.TraitError(
                f"no level is called {quoted(level)}; there are {', '.join(self._levels)}"
            )
        return str(level)

    @traitlets.observe("position")
    def _moved(self, change: Any) -> None:
        self._stepper.position = change["new"]
        # The page chooses what a step was about, and will say so; until then it is known here.
        if change["new"] and not self._hearing:
            self.node = self._stepper.recording.event(change["new"] - 1).subject

    def set_state(self, sync_data: Any) -> None:
        """Take over what the page says."""
        self._hearing = True
        try:
            super().set_state(sync_data)
        finally:
            self._hearing = False

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the widget, and for a notebook without its kernel a picture of where it stands."""
        shown = super()._repr_mimebundle_(**kwargs)
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        data = {**data, "text/plain": repr(self._stepper), **picture(self._stepper)}
        return data, metadata

    def _ipython_display_(self) -> None:
        """Show the widget, and after it what stands in for it where no widget can be.

        A notebook that is executed and converted at once keeps the widget's state, so that its
        converter prefers the widget to any picture beside it, and then has nothing that draws it
        but the network: the picture is an output of its own.
        """
        from IPython import display

        show: Any = display.display
        data, metadata = self._repr_mimebundle_()
        found = {mime: content for mime, content in data.items() if mime != "image/png"}
        show(found, metadata=metadata, raw=True)
        if "image/png" in data:
            png = data["image/png"]
            shown = {"text/javascript": standing_in(self._key, png), "image/png": png}
            show(shown | {"text/plain": ""}, raw=True)
