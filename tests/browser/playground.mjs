// Drive the playground in a browser: node playground.mjs PAGE chrome|firefox PROGRAM [SCREENSHOTS]
//
// The network is off: whatever asks for it fails, and so does this test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { deflateRawSync } from "node:zlib";
import puppeteer from "puppeteer-core";

const [file, name, program, pictures] = process.argv.slice(2);
const address = pathToFileURL(file).href;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const PATIENCE = 60_000;

const nowhere = Object.fromEntries(
  ["http", "ssl"].flatMap((kind) => [
    [`network.proxy.${kind}`, "127.0.0.1"],
    [`network.proxy.${kind}_port`, 9],
  ]),
);
const browser = await puppeteer.launch({
  browser: name,
  executablePath: program,
  args: name === "chrome" ? ["--no-sandbox", "--disable-gpu", "--proxy-server=127.0.0.1:9"] : [],
  extraPrefsFirefox: { "network.proxy.type": 1, ...nowhere },
  protocolTimeout: 2 * PATIENCE,
});
const page = await browser.newPage();
page.setDefaultTimeout(PATIENCE);
const trouble = [];
page.on("console", (said) => ["error", "warn"].includes(said.type()) && trouble.push(said.text()));
page.on("pageerror", (error) => trouble.push(String(error)));
page.on(
  "request",
  (request) => /^(file|data|blob|about):/.test(request.url()) || trouble.push(request.url()),
);

const text = (selector) => page.$eval(selector, (element) => element.textContent);
const output = () => text("#output");
const fragment = (source) => `#code=${deflateRawSync(source).toString("base64url")}`;
const finished = () =>
  page.waitForFunction(
    () =>
      document.querySelector("#stop").hidden &&
      document.querySelector("#time").textContent.endsWith(" s"),
  );
/** Open a program as a link does, and wait for what `until` asks for. */
async function open(source, until = finished) {
  await page.evaluate((hash) => {
    document.querySelector("#time").textContent = "";
    location.hash = hash;
  }, fragment(source));
  await until();
}
const printed = (words) =>
  page.waitForFunction(
    (wanted) => document.querySelector("#output").textContent.includes(wanted),
    {},
    words,
  );
const picture = async (title) =>
  pictures && (await page.screenshot({ path: `${pictures}/playground-${name}-${title}.png` }));

const steps = {
  async "runs the first example, and steps through it"() {
    await page.setViewport({ width: 1280, height: 720 });
    await page.goto(address);
    await picture("loading");
    const frame = await (await page.waitForSelector("#debugger iframe")).contentFrame();
    await finished();
    assert.match(await output(), /^out = 0\.7064\n/);
    await frame.waitForSelector("#position");
    const position = () => frame.$eval("#position", (element) => element.textContent);
    assert.equal(await position(), "11 / 29");
    await frame.$eval("#next", (button) => button.click());
    assert.equal(await position(), "12 / 29");
    await picture("neuron");
  },
  async "runs every example, and marks the line that fails"() {
    const titles = await page.$$eval("#example option", (options) =>
      options.map((option) => option.value),
    );
    for (const title of titles.filter(Boolean)) {
      await page.$eval("#time", (element) => (element.textContent = ""));
      await page.select("#example", title);
      await finished();
      const failure = await page.$$eval("#output .failure", (found) =>
        found.map((element) => element.textContent),
      );
      if (title.includes("NaN")) {
        assert.match(failure[0], /exp\(800\.0\) overflows/);
        const line = await page.$eval(
          "#editor",
          (place) => place.shadowRoot.querySelector(".failed").textContent,
        );
        assert.match(line, /^powers = /);
      } else assert.deepEqual(failure, [], title);
      const isShown = (await page.$("#debugger iframe")) !== null;
      assert.equal(isShown, !title.includes("NaN"), title);
      if (title.includes("picture"))
        await page.waitForFunction(() => document.querySelector("#output img").naturalWidth);
      await picture(title.replace(/\W+/g, "-"));
    }
  },
  async "stops an endless loop, and keeps what it printed"() {
    await open("print('before')\nwhile True: pass", () => printed("before"));
    await page.click("#stop");
    assert.match(await output(), /^before\nStopped/);
    await open("print(6 * 7)", () => printed("42"));
  },
  async "says what is missing"() {
    await open("name = input('Who? ')");
    assert.match(await output(), /line 1[\s\S]*nobody can answer input\(\)/);
    await open("import torch");
    assert.match(await output(), /torch is not in the playground/);
    await open("from autograd import Value\ndef f(x):\n    return x / 0\nf(Value(1.0))");
    assert.match(await output(), /line 4[\s\S]*line 3[\s\S]*DivisionByZeroError/);
    assert.doesNotMatch(await output(), /chainrule\/autograd/);
    await open("x = 1");
    assert.match(await output(), /printed nothing/);
  },
  async "keeps up with much output"() {
    await open("for i in range(50_000): print(i)");
    assert.match(await output(), /^What came before is left out[\s\S]*49999\n$/);
    assert.ok((await output()).length < 300_000);
  },
  async "runs by keyboard, and holds the program in the address"() {
    await open("");
    await page.$eval("#editor", (place) => place.shadowRoot.querySelector(".cm-content").focus());
    await page.keyboard.type("print('typed')");
    await page.keyboard.down("Control");
    await page.keyboard.press("Enter");
    await page.keyboard.up("Control");
    await printed("typed");
    await page.waitForFunction((hash) => location.hash !== hash, {}, fragment(""));
    await page.reload();
    await printed("typed");
    await page.evaluate(() => (location.hash = "#code=broken"));
    await printed("damaged");
  },
  async "is accessible, light and dark, large and small"() {
    await page.goto(address);
    await page.waitForSelector("#debugger iframe");
    await page.evaluate(`${axe}; undefined`);
    const sizes = [
      [1280, 720],
      [390, 844],
    ];
    for (const [width, height] of sizes) {
      await page.setViewport({ width, height });
      for (const scheme of name === "chrome" ? ["light", "dark"] : ["light"]) {
        if (name === "chrome")
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        const found = await page.evaluate(
          "axe.run({ iframes: false }).then(({ violations }) => violations)",
        );
        assert.deepEqual(
          found.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]),
          [],
        );
        const isWider = await page.evaluate(
          () => document.documentElement.scrollWidth > innerWidth,
        );
        assert.ok(!isWider, `${width} pixels are not enough`);
        await picture(`${width}-${scheme}`);
      }
    }
  },
};

let failures = 0;
for (const [title, step] of Object.entries(steps)) {
  const began = Date.now();
  try {
    await step();
    assert.deepEqual(trouble.splice(0), []);
    console.log(`${name} ${title}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  } catch (error) {
    failures++;
    console.log(`${name} ${title}: FAILED\n${error.stack}`);
    await picture("failure");
  }
}
await browser.close();
process.exitCode = failures ? 1 : 0;
