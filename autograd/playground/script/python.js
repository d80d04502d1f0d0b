// Python seen from the page: it is started, given programs, and stopped

import { unpacked } from "./parts.js";

export class Python {
  /** `hear` is told what the worker says: each message has one of its keys. */
  constructor(hear) {
    this.hear = hear;
    this.worker = null;
    this.parts = null;
  }

  /** Unpack what the page carries, and start. */
  async load() {
    this.hear({ stage: "Unpacking Python" });
    const code = await unpacked("worker");
    this.address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    this.parts = {
      wasm: await unpacked("wasm"),
      stdlib: await unpacked("stdlib"),
      chainrule: await unpacked("chainrule"),
    };
    this.start();
  }

  start() {
    this.hear({ stage: "Starting Python" });
    const worker = new Worker(this.address);
    worker.addEventListener("message", ({ data }) => this.worker === worker && this.hear(data));
    worker.addEventListener("error", (event) =>
      this.hear({ broken: event.message || "the worker did not start" }),
    );
    worker.postMessage({ parts: this.parts });
    this.worker = worker;
  }

  run(program) {
    this.worker.postMessage({ program });
  }

  /** End what runs, however busy it is, and start afresh. */
  stop() {
    this.worker.terminate();
    this.start();
  }
}
