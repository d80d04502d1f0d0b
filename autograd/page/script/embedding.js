// In a frame: what is around the page tells it how dark it is and where to stand, and is told

const host = window.parent === window ? null : window.parent;
let told = "";
/** Tell the surroundings where the page stands, if that has changed. */
function tell() {
  if (!host) return;
  const level = levels[levelOf(state.open)]?.name ?? "",
    now = { position: state.position, node: names[state.chosen], level },
    text = JSON.stringify(now);
  if (text === told) return;
  told = text;
  host.postMessage({ chainrule: now }, "*");
}
window.addEventListener("message", (message) => {
  const said = message.source === host && message.data?.chainrule;
  if (!said) return;
  const { theme, level, position, node } = said;
  if (theme) document.documentElement.dataset.theme = theme;
  // What can't be done is answered, too, by how it is.
  if (level !== undefined || position !== undefined || node !== undefined) told = "";
  const wanted = levels.findIndex(({ name }) => name === level);
  if (wanted >= 0) setLevel(wanted);
  if (Number.isInteger(position) && position !== state.position) {
    play(false);
    moveTo(position);
  }
  const found = names.indexOf(node);
  if (found >= 0 && found !== state.chosen) {
    uncover(found);
    choose(found);
  }
  tell();
});
