// The run that the page holds

import { openRun } from "../engine/run.js";
import { ROWS } from "../rows.js";

/** Its rows are a module that is generated: those of the table that it needs. */
export const run = openRun(JSON.parse(document.getElementById("run").textContent), ROWS);
