// Primitives that JavaScript lacks, or has with other special cases

export const power = (x, y) =>
  x === 1 || y === 0 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
export const heaviside = (x) => (Number.isNaN(x) ? x : Number(x > 0));
export const sign = (x) => Math.sign(x) + 0;
export const maximum = (x, y) => (x >= y || Number.isNaN(x) ? x : y);
export const minimum = (x, y) => (x <= y || Number.isNaN(x) ? x : y);
export const mulNoNan = (x, y) => (x === 0 ? 0 : x * y);

// Abramowitz & Stegun 7.1.6: every term is positive, so nothing cancels.
const erfSeries = (x) => {
  let term = x,
    sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++)
    sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
};
// Abramowitz & Stegun 7.1.14, a continued fraction, for x >= 2.
const erfcFraction = (x) => {
  let f = x;
  for (let k = 60; k > 0; k--) f = x + k / 2 / f;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / f;
};
export const erfc = (x) =>
  x >= 2 ? erfcFraction(x) : x <= -2 ? 2 - erfcFraction(-x) : 1 - erfSeries(x);
export const erf = (x) =>
  x >= 2 ? 1 - erfcFraction(x) : x <= -2 ? erfcFraction(-x) - 1 : erfSeries(x);
