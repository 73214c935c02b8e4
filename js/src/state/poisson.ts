/** Numbers that chance gives. Pure. */
import { round } from "../core/numbers";

const MANY = 500; // from which a Poisson number is as good as normal

/** The least number that a Poisson number of a mean stays at or under with a probability of 5 or of 95 %. */
export function poissonQuantile(mean: number, probability: 0.05 | 0.95): number {
  if (!(mean > 0)) return 0;
  if (mean > MANY) return round(mean + Math.sqrt(mean) * (probability === 0.05 ? -1.645 : 1.645));
  let k = 0, term = Math.exp(-mean), sum = term;
  while (sum < probability && k < 3 * MANY) {
    k++;
    term *= mean / k;
    sum += term;
  }
  return k;
}

/** The 5-95 % band of a Poisson number. */
export const band = (mean: number): [number, number] => [poissonQuantile(mean, 0.05), poissonQuantile(mean, 0.95)];
