// Listings: the source's lines, or the run's, as rows with the nodes that they made

/** The rows to show, and which of them is each node's. */
export function rowsOf({ files, fileOf, lineOf, count }, isListing) {
  const rows = [],
    rowOf = new Map();
  const add = (row) => {
    for (const node of row.nodes ?? []) rowOf.set(node, rows.length);
    rows.push(row);
  };
  if (isListing) {
    for (let node = 0; node < count; node++) add({ number: node + 1, nodes: [node] });
    return { rows, rowOf };
  }
  const made = new Map(); // "file:line" -> nodes
  lineOf.forEach((line, node) => {
    if (line < 0) return;
    const place = `${fileOf[node]}:${line}`;
    if (!made.has(place)) made.set(place, []);
    made.get(place).push(node);
  });
  files.forEach((file, f) => {
    add({ note: file.path });
    file.excerpts.forEach(([from, lines], n) => {
      if (n || from > 1) add({ note: "⋯" });
      lines.forEach((text, k) => {
        add({ number: from + k, text, nodes: made.get(`${f}:${from + k}`) ?? [] });
      });
    });
  });
  return { rows, rowOf };
}

const WORDS =
  /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(#.*)|\b(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|False|try|while|with|yield)\b/g;
/** A line of Python in parts, each with its kind: a string, a comment, a word of the language, or "". */
export function parsed(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(WORDS)) {
    const kind = match[1] ? "string" : match[2] ? "comment" : "word";
    parts.push(["", text.slice(end, match.index)], [kind, match[0]]);
    end = match.index + match[0].length;
  }
  parts.push(["", text.slice(end)]);
  return parts.filter(([, part]) => part);
}
