// Around the page: the frame it is shown in, which is told how dark it is here

/** Whether text is lighter than what it stands on: whatever notebook this is, then its theme is dark. */
function isDark(place) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = getComputedStyle(place).color; // in any notation
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128;
}

/** A frame around a page, what tells the page something, and what lets go of it; `hear` is told by the page. */
export function framed(page, height, hear = () => {}) {
  const frame = document.createElement("iframe");
  frame.title = "Chainrule debugger";
  frame.setAttribute("sandbox", "allow-scripts");
  frame.style.cssText = `width: 100%; height: ${height}px; border: 0; display: block`;
  frame.srcdoc = page;
  const tell = (message) => frame.contentWindow?.postMessage({ chainrule: message }, "*");
  const tellTheme = () =>
    frame.parentElement && tell({ theme: isDark(frame.parentElement) ? "dark" : "light" });
  // A theme's colours may follow its name a little later.
  const changed = () => {
    for (const wait of [0, 150, 600]) setTimeout(tellTheme, wait);
  };
  const listen = ({ source, data }) => {
    if (source !== frame.contentWindow || !data?.chainrule) return;
    tellTheme();
    hear(data.chainrule);
  };
  window.addEventListener("message", listen);
  const watch = new MutationObserver(changed);
  for (const root of [document.documentElement, document.body])
    watch.observe(root, { attributes: true });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  const letGo = () => {
    window.removeEventListener("message", listen);
    system.removeEventListener("change", changed);
    watch.disconnect();
  };
  return { frame, tell, letGo };
}
