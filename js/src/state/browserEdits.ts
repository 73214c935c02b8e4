/** Motifs after the edits of a person; the same as nbinterp/widget/browser_edits.py, which a shared fixture holds it to. Pure. */
import { max, min } from "../core/numbers";
import { type Matrix, reverseComplement } from "../draw/motif";

export type Strand = "+" | "-";

/** Motifs are numbered: those that were given, then those that were merged, in order. */
export type Edit =
  | [kind: "rename", number: number, name: string]
  | [kind: "tag" | "untag", numbers: number[], tag: string]
  | [kind: "merge", members: [number: number, start: number, strand: Strand][], name: string];

export interface Motif {
  number: number;
  name: string;
  pwm: Matrix;
  cwm: Matrix | null;
  /** What it counts in a mean. */
  weight: number;
  tags: string[];
  /** The motifs that were given which it holds: itself, or those that were merged. */
  members: number[];
}

/** Motifs after the edits; what was merged stands in the place of its first member. */
export function replay(motifs: readonly Motif[], edits: readonly Edit[], background: readonly number[]): Motif[] {
  const now = new Map(motifs.map((motif) => [motif.number, motif]));
  let order = motifs.map((motif) => motif.number), number = motifs.length;
  for (const edit of edits) {
    if (edit[0] === "rename") now.set(edit[1], { ...now.get(edit[1])!, name: edit[2] });
    else if (edit[0] === "merge") {
      const members = edit[1].map(([one]) => now.get(one)!);
      edit[1].forEach(([one]) => now.delete(one));
      order[min(...members.map((one) => order.indexOf(one.number)))] = number;
      order = order.filter((one) => one === number || now.has(one));
      now.set(number, merged(number, edit[2], members, edit[1], background));
      number++;
    } else {
      for (const one of edit[1]) {
        const tags = [...new Set([...now.get(one)!.tags, edit[2]])];
        now.set(one, { ...now.get(one)!, tags: tags.filter((tag) => edit[0] === "tag" || tag !== edit[2]) });
      }
    }
  }
  return order.map((one) => now.get(one)!);
}

/** The weighted mean of aligned motifs; where one has no column it counts as background, and as no contribution. */
function merged(number: number, name: string, members: Motif[], places: [number, number, Strand][], background: readonly number[]): Motif {
  const total = members.reduce((sum, one) => sum + one.weight, 0), weight = (one: Motif): number => (total > 0 ? one.weight / total : 1 / members.length);
  const width = max(...members.map((one, i) => places[i][1] + one.pwm.width));
  const mean = (of: (one: Motif) => Matrix, beyond: readonly number[]): Matrix => {
    const values = new Float64Array(4 * width);
    members.forEach((one, i) => {
      const matrix = turned(of(one), places[i][2]), start = places[i][1];
      for (let base = 0; base < 4; base++)
        for (let at = 0; at < width; at++) {
          const k = at - start, inside = k >= 0 && k < matrix.width;
          values[base * width + at] += weight(one) * (inside ? matrix.values[base * matrix.width + k] : beyond[base]);
        }
    });
    return { values, width };
  };
  return {
    number, name, weight: total,
    pwm: mean((one) => one.pwm, background),
    cwm: members.every((one) => one.cwm) ? mean((one) => one.cwm!, [0, 0, 0, 0]) : null,
    tags: [...new Set(members.flatMap((one) => one.tags))],
    members: members.flatMap((one) => one.members),
  };
}

export const turned = (matrix: Matrix, strand: Strand): Matrix => (strand === "-" ? reverseComplement(matrix) : matrix);

/** Columns of motifs that are merged, aligned to the one that counts most; of equals, the first. */
export function alignedTo(motifs: Motif[]): [number, number, Strand][] {
  const seed = motifs.reduce((best, one) => (one.weight > best.weight ? one : best));
  const places = motifs.map((one): [number, number, Strand] => {
    if (one === seed) return [one.number, 0, "+"];
    const { offset, strand } = align(seed.pwm, one.pwm);
    return [one.number, -offset, strand];
  });
  const first = min(...places.map(([, start]) => start));
  return places.map(([number, start, strand]) => [number, start - first, strand]);
}

/** Where the first column of one motif falls in another, by the best correlation of centred columns; as motif_similarity finds it. */
export function align(query: Matrix, target: Matrix): { offset: number; strand: Strand } {
  let best = { offset: 0, strand: "+" as Strand, total: -Infinity };
  const q = centred(query);
  for (const strand of ["+", "-"] as const) {
    const t = centred(turned(target, strand));
    for (let offset = 1 - query.width; offset < target.width; offset++) {
      let total = 0;
      for (let i = max(0, -offset); i < min(query.width, target.width - offset); i++)
        for (let base = 0; base < 4; base++) total += q[base * query.width + i] * t[base * target.width + i + offset];
      if (total > best.total + 1e-12) best = { offset, strand, total };
    }
  }
  return best;
}

function centred({ values, width }: Matrix): number[] {
  const column = (i: number): number => (values[i] + values[width + i] + values[2 * width + i] + values[3 * width + i]) / 4;
  return Array.from({ length: 4 * width }, (_, i) => values[i] - column(i % width));
}

const LETTERS = "-ACMGRSVTWYHKDBN"; // by the sum of A 1, C 2, G 4, T 8

/** A consensus of one letter a column: a base of over half that is twice the next one, two of over three quarters, or N (Cavener 1987). */
export function iupac({ values, width }: Matrix): string {
  let out = "";
  for (let i = 0; i < width; i++) {
    const p = [0, 1, 2, 3].map((base) => values[base * width + i]), [a, b] = [0, 1, 2, 3].sort((x, y) => p[y] - p[x]);
    out += LETTERS[p[a] > 0.5 && p[a] > 2 * p[b] ? 1 << a : p[a] + p[b] > 0.75 ? (1 << a) + (1 << b) : 15];
  }
  return out;
}

/** Whether a consensus holds what was typed, on either strand: at some place each of its letters is one that was asked for. */
export function holds(consensus: string, typed: string): boolean {
  const wanted = codes(typed), flipped = codes(typed).reverse().map(complement);
  const found = codes(consensus);
  const at = (pattern: number[], start: number): boolean => pattern.every((want, k) => want > 0 && (found[start + k] & ~want) === 0);
  for (let start = 0; start + wanted.length <= found.length; start++) if (at(wanted, start) || at(flipped, start)) return true;
  return false;
}

const codes = (text: string): number[] => [...text.toUpperCase().replace(/U/g, "T")].map((letter) => max(LETTERS.indexOf(letter), 0));
const complement = (code: number): number => ((code & 1) << 3) | ((code & 2) << 1) | ((code & 4) >> 1) | ((code & 8) >> 3);

/** Bits of a motif against a background. */
export function information({ values, width }: Matrix, background: readonly number[]): number {
  let bits = 0;
  for (let base = 0; base < 4; base++)
    for (let i = 0; i < width; i++) {
      const p = values[base * width + i];
      if (p > 0) bits += p * Math.log2(p / background[base]);
    }
  return max(bits, 0);
}

/** Motifs in the MEME format, as write_meme writes it. */
export function toMeme(motifs: readonly Motif[], background: readonly number[], sites: (motif: Motif) => number): string {
  const frequencies = [..."ACGT"].map((base, i) => `${base} ${Number(background[i].toPrecision(6))}`).join(" ");
  const head = `MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\n${frequencies}\n`;
  const parts = motifs.map((motif) => {
    const { values, width } = motif.pwm;
    const rows = Array.from({ length: width }, (_, i) => [0, 1, 2, 3].map((base) => values[base * width + i].toFixed(6)).join(" "));
    return `MOTIF ${motif.name}\nletter-probability matrix: alength= 4 w= ${width} nsites= ${sites(motif)} E= 0\n${rows.join("\n")}\n`;
  });
  return [head, ...parts].join("\n");
}
