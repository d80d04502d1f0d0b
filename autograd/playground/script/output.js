// What a program printed, its pictures and its end

const MOST = 200_000; // characters that are kept; of more, the last

export class Output {
  constructor(place, go) {
    this.place = place;
    this.go = go; // shows a line of the program
    this.waiting = []; // until the next frame
    this.length = 0;
    this.cut = null;
  }

  clear() {
    this.waiting = [];
    this.length = 0;
    this.cut = null;
    this.place.replaceChildren();
  }

  write({ kind, text }) {
    if (!this.waiting.length) requestAnimationFrame(() => this.flush());
    const last = this.waiting.at(-1);
    if (last?.kind === kind) last.text += text;
    else this.waiting.push({ kind, text });
  }

  flush() {
    const isAtEnd = this.place.scrollHeight - this.place.scrollTop - this.place.clientHeight < 40;
    for (const { kind, text } of this.waiting)
      this.append(kind, text.slice(-MOST), text.length > MOST);
    this.waiting = [];
    if (isAtEnd) this.place.scrollTop = this.place.scrollHeight;
  }

  append(kind, text, isCut) {
    const last = this.place.lastElementChild;
    if (last?.className === kind && last.textContent.length < 10_000)
      last.firstChild.appendData(text);
    else this.add(kind, text);
    this.length += text.length;
    while (this.length > MOST && this.place.children.length > 1) {
      const first = this.place.children[this.cut ? 1 : 0];
      if (first === this.place.lastElementChild) break;
      this.length -= first.textContent.length;
      first.remove();
      isCut = true;
    }
    if (isCut && !this.cut) {
      this.cut = Object.assign(document.createElement("div"), { className: "note" });
      this.cut.textContent = "What came before is left out.";
      this.place.prepend(this.cut);
    }
  }

  add(kind, text) {
    const element = document.createElement("div");
    element.className = kind;
    element.append(text);
    this.place.append(element);
    return element;
  }

  note(text) {
    this.flush();
    this.add("note", text);
    this.place.scrollTop = this.place.scrollHeight;
  }

  picture({ svg, description }) {
    this.flush();
    const image = document.createElement("img");
    image.alt = description;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    this.place.append(image);
  }

  /** A traceback; each line of the program that it names leads there. */
  fail({ text }) {
    this.flush();
    const element = this.add("failure", "");
    for (const part of text.split(/(line \d+)/)) {
      const line = /^line (\d+)$/.exec(part)?.[1];
      if (!line) {
        element.append(part);
        continue;
      }
      const button = Object.assign(document.createElement("button"), {
        className: "line",
        textContent: part,
      });
      button.addEventListener("click", () => this.go(Number(line)));
      element.append(button);
    }
    this.place.scrollTop = this.place.scrollHeight;
  }
}
