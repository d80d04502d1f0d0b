// Where boxes stand: in columns by their distance to what uses them, each beside its neighbours

export const GAP = { x: 32, y: 18 };
const TALL = 14; // boxes in one column before it is folded into several
const ASPECT = 1.15; // the width of the pane, as a multiple of its height

/** The places nearest to those wished for, in order and without overlap: pooled adjacent violators. */
export function spread(wishes, sizes, gap) {
  const offsets = [0];
  for (let i = 1; i < sizes.length; i++)
    offsets.push(offsets[i - 1] + (sizes[i - 1] + sizes[i]) / 2 + gap);
  const pools = [];
  wishes.forEach((wish, i) => {
    let pool = { sum: wish - offsets[i], n: 1 };
    while (
      pools.length &&
      pools[pools.length - 1].sum / pools[pools.length - 1].n >= pool.sum / pool.n
    ) {
      const before = pools.pop();
      pool = { sum: before.sum + pool.sum, n: before.n + pool.n };
    }
    pools.push(pool);
  });
  return pools
    .flatMap(({ sum, n }) => Array(n).fill(sum / n))
    .map((place, i) => place + offsets[i]);
}

const sumOf = (list) => list.reduce((a, b) => a + b, 0);
export const mostOf = (list) => list.reduce((a, b) => Math.max(a, b), 0);

/** Boxes in a block of `across` columns, row by row; their centres from its upper left corner. */
function block(items, sizes, across) {
  const w = Array(across).fill(0),
    h = [];
  items.forEach((item, k) => {
    const column = k % across,
      row = Math.floor(k / across);
    w[column] = Math.max(w[column], sizes[item][0]);
    h[row] = Math.max(h[row] ?? 0, sizes[item][1]);
  });
  const gap = across > 1 ? GAP.y : 0;
  const x = w.map((_, c) => sumOf(w.slice(0, c)) + c * gap + w[c] / 2);
  const y = [];
  let below = 0;
  for (const height of h) {
    y.push(below + height / 2);
    below += height + GAP.y;
  }
  return {
    width: sumOf(w) + (across - 1) * gap,
    height: below - GAP.y,
    centres: items.map((_, k) => [x[k % across], y[Math.floor(k / across)]]),
  };
}

/**
 * The centres of boxes, and the size of all, for a pane of some size. The boxes are in topological order as far as there is
 * one; an edge [a, b] that runs backwards is of a loop, and doesn't count.
 */
export function arrange(sizes, edges, pane) {
  const n = sizes.length,
    after = sizes.map(() => []),
    before = sizes.map(() => []);
  for (const [a, b] of edges)
    if (a < b) {
      after[a].push(b);
      before[b].push(a);
    }
  const rank = Array(n).fill(0);
  for (let i = n - 1; i >= 0; i--)
    for (const user of after[i]) rank[i] = Math.max(rank[i], rank[user] + 1);
  const columns = Array.from({ length: mostOf(rank) + 1 }, () => []);
  for (let i = 0; i < n; i++) columns[rank[i]].push(i); // from the last back
  if (columns.length === 1) {
    const [w, h] = [mostOf(sizes.map((s) => s[0])), mostOf(sizes.map((s) => s[1]))];
    const across =
      n <= 3 ? 1 : Math.max(1, Math.round(Math.sqrt((n * ASPECT * (h + GAP.y)) / (w + GAP.y))));
    return block(columns[0], sizes, across);
  }

  // The order in a column: by the mean place of the neighbours.
  const place = Array(n).fill(0);
  const sort = (column, near) => {
    const wish = new Map(
      column.map((i) => [
        i,
        near[i].length ? sumOf(near[i].map((j) => place[j])) / near[i].length : place[i],
      ]),
    );
    column.sort((a, b) => wish.get(a) - wish.get(b) || a - b);
    column.forEach((i, k) => {
      place[i] = k - (column.length - 1) / 2;
    });
  };
  for (const column of columns) sort(column, after);
  for (const column of columns.toReversed()) sort(column, before);
  for (const column of columns) sort(column, after);

  const blocks = columns.map((column) => block(column, sizes, Math.ceil(column.length / TALL)));
  const rows = rowsOf(blocks, pane);
  return rows.length > 1
    ? inRows(columns, blocks, rows, sizes)
    : inColumns(columns, blocks, sizes, after, before);
}

/** The columns from left to right, each box level with its neighbours as far as there is room. */
function inColumns(columns, blocks, sizes, after, before) {
  const y = Array(sizes.length).fill(0);
  const wishOf = (i, near) =>
    near[i].length ? sumOf(near[i].map((j) => y[j])) / near[i].length : y[i];
  const settle = (c, near) => {
    const column = columns[c];
    if (column.length <= TALL) {
      const found = spread(
        column.map((i) => wishOf(i, near)),
        column.map((i) => sizes[i][1]),
        GAP.y,
      );
      column.forEach((i, k) => {
        y[i] = found[k];
      });
    } else {
      const middle = sumOf(column.map((i) => wishOf(i, near))) / column.length;
      column.forEach((i, k) => {
        y[i] = middle + blocks[c].centres[k][1] - blocks[c].height / 2;
      });
    }
  };
  const all = [...columns.keys()];
  for (const c of all) settle(c, after);
  for (const c of all.toReversed()) settle(c, before);
  for (const c of all) settle(c, after);
  for (const c of all.toReversed()) settle(c, before);
  const centres = [];
  let x = 0;
  for (const c of all.toReversed()) {
    columns[c].forEach((i, k) => {
      centres[i] = [x + blocks[c].centres[k][0], y[i]];
    });
    x += blocks[c].width + GAP.x;
  }
  const top = y.reduce((least, _, i) => Math.min(least, y[i] - sizes[i][1] / 2), Infinity),
    bottom = y.reduce((most, _, i) => Math.max(most, y[i] + sizes[i][1] / 2), -Infinity);
  for (const centre of centres) centre[1] -= top;
  return { width: x - GAP.x, height: bottom - top, centres };
}

const READABLE = 0.72; // the scale from which on one row reads best
/** How a chain is folded into rows, so that it is as large as can be in the pane: the columns of each row, in order. */
function rowsOf(blocks, pane) {
  const order = [...blocks.keys()].reverse(),
    widthOf = (c) => blocks[c].width + GAP.x;
  const fill = (limit) => {
    const rows = [];
    let used = Infinity;
    for (const c of order) {
      if (used + widthOf(c) > limit) {
        rows.push([]);
        used = 0;
      }
      rows[rows.length - 1].push(c);
      used += widthOf(c);
    }
    return rows;
  };
  const scaleOf = (rows) => {
    const width = mostOf(rows.map((row) => sumOf(row.map(widthOf)))),
      height = sumOf(rows.map((row) => mostOf(row.map((c) => blocks[c].height)) + 2 * GAP.y));
    return Math.min(1, (pane.width - 32) / width, (pane.height - 48) / height);
  };
  let best = [order],
    most = scaleOf(best);
  if (most >= READABLE) return best;
  const total = sumOf(order.map(widthOf)),
    about = Math.sqrt(
      (total * pane.height) / (pane.width * mostOf(blocks.map((b) => b.height + 2 * GAP.y))),
    );
  for (let n = 2; n <= Math.min(order.length, Math.max(3, 3 * about + 3)); n++) {
    // A little more than a share, as columns don't part evenly.
    for (const slack of [1, 1.15]) {
      const rows = fill((slack * total) / n + 1),
        scale = scaleOf(rows);
      // More rows must be worth it.
      if (scale > most * (rows.length > best.length ? 1.1 : 1)) [best, most] = [rows, scale];
    }
  }
  return best;
}

const PLAIN = 80; // what is higher is an open box
/**
 * The rows one below the other, every second one from right to left, unless it holds an open box:
 * what is inside of one runs to the right.
 */
function inRows(columns, blocks, rows, sizes) {
  const centres = Array(sizes.length);
  let x = 0, // where a row begins: below the end of the one before
    y = 0,
    least = 0,
    most = 0,
    back = true;
  rows.forEach((row) => {
    const height = mostOf(row.map((c) => blocks[c].height)),
      isPlain = row.every((c) => columns[c].every((i) => sizes[i][1] <= PLAIN));
    if (!back && !isPlain) x = 0;
    back = !back && isPlain;
    row.forEach((c, k) => {
      const { width } = blocks[c],
        left = back ? x - width : x;
      columns[c].forEach((i, j) => {
        const [cx, cy] = blocks[c].centres[j];
        centres[i] = [left + cx, y + (height - blocks[c].height) / 2 + cy];
      });
      least = Math.min(least, left);
      most = Math.max(most, left + width);
      if (k < row.length - 1) x = back ? left - GAP.x : left + width + GAP.x;
      else x = back ? left : left + width;
    });
    y += height + 2 * GAP.y;
  });
  for (const centre of centres) centre[0] -= least;
  return { width: most - least, height: y - 2 * GAP.y, centres };
}
