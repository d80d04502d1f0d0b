// Guesses: a number, or a sum to be worked out, as people type them: 1-0.76^2, 0,5 * 2

/** The value of an expression of numbers, + - * / ^ ** and brackets; NaN where it is none. */
export function guessed(text) {
  const tokens = text
    .replaceAll("−", "-")
    .replaceAll("×", "*")
    .replace(/(\d),(\d)/g, "$1.$2")
    .match(/\s*(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|\*\*|[-+*/^()]|\S)/gi);
  if (!tokens) return NaN;
  const words = tokens.map((token) => token.trim());
  let at = 0;
  const take = (...wanted) => (wanted.includes(words[at]) ? words[at++] : null);
  const sum = () => {
    let found = term();
    for (let sign = take("+", "-"); sign; sign = take("+", "-"))
      found += sign === "+" ? term() : -term();
    return found;
  };
  const term = () => {
    let found = signed();
    for (let op = take("*", "/"); op; op = take("*", "/"))
      found = op === "*" ? found * signed() : found / signed();
    return found;
  };
  const signed = () => (take("-") ? -signed() : take("+") ? signed() : raised());
  const raised = () => {
    const base = atom();
    return take("^", "**") ? base ** signed() : base;
  };
  const atom = () => {
    if (take("(")) {
      const found = sum();
      return take(")") ? found : NaN;
    }
    return /^[.\d]/.test(words[at] ?? "") ? Number(words[at++]) : NaN;
  };
  const found = sum();
  return at === words.length ? found : NaN;
}

/** Whether a guess is right: to a thousandth, as the terminal's quiz has it. */
export const isClose = (guess, right) =>
  guess === right ||
  Math.abs(guess - right) <= Math.max(1e-3 * Math.max(Math.abs(guess), Math.abs(right)), 1e-6);

const ALIKE = 0.05; // a share by which two norms are about the same
/** What may become of a gradient in a box. */
export const FATES = [
  ["nothing", (_came, went) => went === 0],
  ["less", (came, went) => went > 0 && went < (1 - ALIKE) * came],
  ["about as much", (came, went) => went > 0 && Math.abs(went - came) <= ALIKE * came],
  ["more", (came, went) => went > (1 + ALIKE) * came],
];
export const fateOf = (came, went) =>
  FATES.find(([, holds]) => holds(came, went))?.[0] ?? "what is no number";
