// Elements of the document, made and found

export const $ = (id) => document.getElementById(id);

export const element = (tag, settings = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

const SVG = "http://www.w3.org/2000/svg";
export const put = (made, attributes) => {
  for (const name in attributes) made.setAttribute(name, attributes[name]);
};
export const shape = (tag, attributes, text) => {
  const made = document.createElementNS(SVG, tag);
  put(made, attributes);
  if (text !== undefined) made.textContent = text;
  return made;
};

/** A table of rows, each an element, under its heads. */
export const table = (heads, rows, foot = null) =>
  element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head))),
      ),
      element("tbody", {}, ...rows),
      foot && element("tfoot", {}, foot),
    ),
  );
export const row = (cells, settings = {}) =>
  element("tr", settings, ...cells.map((cell) => element("td", {}, cell)));
export const note = (text, kind = "") => element("p", { class: `note ${kind}`.trim() }, text);

/** Tell those who listen. */
export const say = (text) => {
  $("said").textContent = text;
};
/** Do something to what stands in the document; what has the focus there keeps it. */
export function replaceTools(place, ...tools) {
  const focused = [...place.children].indexOf(document.activeElement);
  place.replaceChildren(...tools);
  if (focused >= 0) tools[focused].focus();
}
