"""A film as an animated GIF, drawn by Pillow."""

from __future__ import annotations

from io import BytesIO

from autograd.drawing.film import (
    CAPTION,
    FACTOR_HEIGHT,
    FRAME_MARGIN,
    Card,
    Film,
    Frame,
    label_place,
    point_on,
)
from autograd.drawing.layout import HEIGHT, WIDTH, Point
from autograd.drawing.palette import ACCENT, BORDER, GREY, INK, WIRE
from autograd.drawing.picture import ink_on
from autograd.extras import missing_extra

try:
    from PIL import Image, ImageDraw, ImageFont
except ImportError as error:
    missing_extra("Pillow", "gif", error)

WIDEST_SLIDE = 1920
"""Pixels of a slide; a smaller graph is drawn at twice its size."""

FACE = "DejaVuSans.ttf"
"""A font with Greek and subscripts, where it is installed; else Pillow's own."""

SMOOTH = 3
"""How many times larger wires are drawn that are then made smooth."""


def gif_of(film: Film, seconds: float) -> bytes:
    """Return a film as a GIF, all frames of one size, that plays without end.

    Args:
        seconds: how long a frame lasts; the last stays three times as long.

    Cost: 20 ms a frame of a neuron.
    """
    scale = min(2.0, WIDEST_SLIDE / film.size[0])
    canvas = _Canvas(film, scale)
    still = canvas.still()
    images = [canvas.draw(still.copy(), frame) for frame in film.frames]
    # Two moments have all colours between them.
    width, height = still.size
    both = Image.new("RGB", (width, 2 * height), "white")
    both.paste(images[len(images) // 2])
    both.paste(images[-1], (0, height))
    colours = both.quantize(128, method=Image.Quantize.MAXCOVERAGE)
    # The ground, which the corner is of, is as white as the slide.
    ground, shades = 3 * colours.tobytes()[0], colours.getpalette() or []
    shades[ground : ground + 3] = [255, 255, 255]
    colours.putpalette(shades)
    frames = [image.quantize(palette=colours, dither=Image.Dither.NONE) for image in images]
    file = BytesIO()
    lasting = [round(1000 * seconds)] * (len(frames) - 1) + [round(3000 * seconds)]
    frames[0].save(
        file, "GIF", save_all=True, append_images=frames[1:], duration=lasting, loop=0, disposal=1
    )
    return file.getvalue()


class _Canvas:
    """Draws frames at a scale."""

    def __init__(self, film: Film, scale: float) -> None:
        self.film = film
        self.scale = scale
        self.large, self.small, self.tiny = (_font(size * scale) for size in (15, 12, 10))

    def still(self) -> Image.Image:
        """Return what is the same in every frame."""
        size = [SMOOTH * round(length * self.scale) for length in self.film.size]
        image = Image.new("RGB", (size[0], size[1]), "white")
        pen = ImageDraw.Draw(image)
        for route in self.film.routes:
            curve = [(SMOOTH * x, SMOOTH * y) for x, y in self._curve(route)]
            pen.line(curve, fill=WIRE, width=round(SMOOTH * 1.4 * self.scale))
        return image.reduce(SMOOTH)

    def draw(self, image: Image.Image, frame: Frame) -> Image.Image:
        """Return the image with a frame drawn on it."""
        pen = ImageDraw.Draw(image)
        if frame.edge is not None:
            route = self.film.routes[frame.edge]
            pen.line(self._curve(route), fill=ACCENT, width=round(3 * self.scale))
        for corner, title, card in zip(
            self.film.corners, self.film.titles, frame.cards, strict=True
        ):
            self._card(pen, corner, title, card)
        if frame.edge is not None:
            self._label(pen, frame)
        below = self.film.size[1] - CAPTION // 2
        pen.text(self._at(FRAME_MARGIN, below), frame.caption, INK, self.large, anchor="lm")
        return image

    def _card(
        self, pen: ImageDraw.ImageDraw, corner: Point, title: tuple[str, str, str], card: Card
    ) -> None:
        x, y = corner
        name, op, value = title
        box = (*self._at(x, y), *self._at(x + WIDTH, y + HEIGHT))
        radius = 8 * self.scale
        marked = bool(card.outline)
        pen.rounded_rectangle(box, radius, "white")
        if card.fill:
            strip = (*self._at(x, y + HEIGHT - 20), *self._at(x + WIDTH, y + HEIGHT))
            pen.rounded_rectangle(strip, radius, card.fill, corners=(False, False, True, True))
        width = round((2.6 if marked else 1.2) * self.scale)
        pen.rounded_rectangle(box, radius, None, ACCENT if marked else BORDER, width)
        ink = ink_on(card.fill, GREY if card.gradient == "?" else INK)
        for words, ink_of, font, place, anchor in (
            (name, INK, self.small, (x + 9, y + 12), "lm"),
            (op, GREY, self.small, (x + WIDTH - 9, y + 12), "rm"),
            ("value", GREY, self.tiny, (x + 9, y + 29), "lm"),
            (value, INK, self.small, (x + WIDTH - 9, y + 29), "rm"),
            ("grad", ink_on(card.fill, GREY), self.tiny, (x + 9, y + HEIGHT - 10), "lm"),
            (card.gradient, ink, self.small, (x + WIDTH - 9, y + HEIGHT - 10), "rm"),
        ):
            pen.text(self._at(*place), words, ink_of, font, anchor=anchor)

    def _label(self, pen: ImageDraw.ImageDraw, frame: Frame) -> None:
        left, top, width = label_place(self.film, frame)
        x, y = self._at(left, top)
        half, tall = width * self.scale / 2, FACTOR_HEIGHT * self.scale / 2
        pen.rounded_rectangle((x - half, y - tall, x + half, y + tall), tall, ACCENT)
        pen.text((x, y), frame.local, "white", self.small, anchor="mm")

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale, y * self.scale

    def _curve(self, route: tuple[Point, ...]) -> list[tuple[float, float]]:
        """Return a chain of cubic curves as a line of short pieces."""
        line = [self._at(*route[0])]
        for k in range(0, len(route) - 1, 3):
            line += [self._at(*point_on(route[k : k + 4], i / 16)) for i in range(1, 17)]
        return line


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype(FACE, size)
    except OSError:
        return ImageFont.load_default(size)
