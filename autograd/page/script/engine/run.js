// A run, as the page's data holds it: the graph, the tree of its boxes, the pass as it was recorded

import { makePass } from "./events.js";
import { makeGraph } from "./graph.js";
import { makeTree } from "./tree.js";

/** All that is known of a run and never changes. */
export function openRun(data, rows) {
  const graph = makeGraph(data, rows),
    recordedPass = makePass(graph, graph.recorded, "");
  return {
    ...graph,
    ...makeTree(data, graph.count),
    recordedPass,
    recordedGradients: recordedPass.adjoint,
    start: data.position,
    samples: data.samples,
    ways: data.ways,
    steps: data.steps,
    files: data.files,
    card: data.card,
    at: data.at,
    routes: data.routes,
  };
}
