// A picture in the place of a widget, where nothing draws one: a notebook without its kernel

const SOON = 1500; // milliseconds in which a notebook that can, has drawn its widget
const drawn = () => {
  globalThis.chainruleDrawn ??= new Set();
  return globalThis.chainruleDrawn;
};
const picturesOf = (key) =>
  [...document.querySelectorAll("img[data-chainrule]")].filter((e) => e.dataset.chainrule === key);

/** Show a picture, unless the widget of this key is drawn in this document, now or later. */
export function standIn(place, key, png) {
  if (drawn().has(key)) return;
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  picture.alt = "One moment of a backward pass";
  picture.style.maxWidth = "100%";
  picture.dataset.chainrule = key;
  // What a converter has written is at its end; in a notebook, the widget may be on its way.
  const isWritten = document.querySelector('script[type^="application/vnd.jupyter.widget-view"]');
  picture.hidden = !isWritten;
  place.append(picture);
  if (!isWritten)
    setTimeout(() => {
      picture.hidden = false;
    }, SOON);
}
/** The widget of a key is drawn: no picture stands in for it any more. */
export function withdraw(key) {
  drawn().add(key);
  for (const picture of picturesOf(key)) picture.remove();
}
