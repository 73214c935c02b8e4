import assert from "node:assert/strict";
import test from "node:test";
import { SvgPen } from "../src/draw/glyphs";
import { inView, type Layer, paletteOf, quieted, Raster } from "../src/draw/points";
import { drawNames, drawOutline, type Spot } from "../src/draw/pointsMarks";
import type { Theme } from "../src/draw/theme";
import { alphaOf, type Camera, densityOf, FULL, Grid, kept, middles, MISSING, nearer, placeOf, scaled, sequenceOf, sizeOf, WHOLE } from "../src/state/points";
import { eachBit } from "../src/state/spaceBits";
import { numbers } from "./random";

const THEME = { dark: false, ink: "#1c1c1e", ground: "#ffffff" } as Theme;

/** Half of the points anywhere, corners of the box among them, the others in one heap. */
function cloud(n: number, seed: number): Uint16Array {
  const next = numbers(seed);
  return Uint16Array.from({ length: 2 * n }, (_, k) => (k < 8 ? (k + (k >> 2)) % 2 * FULL : k % 4 < 2 ? FULL * next() : 30_000 + 300 * next()));
}
const rows = (bits: Uint8Array): number[] => {
  const found: number[] = [];
  eachBit(bits, (i) => found.push(i));
  return found;
};
const all = (n: number, test: (i: number) => boolean): number[] => Array.from({ length: n }, (_, i) => i).filter(test);

/** Inside by another way: how often a ray straight up crosses the outline. */
function above(outline: number[], x: number, y: number): boolean {
  let count = 0;
  for (let k = 0; k < outline.length; k += 2) {
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((d) => outline[(k + d) % outline.length]), t = (x - x1) / (x2 - x1);
    if (t >= 0 && t < 1 && y1 + t * (y2 - y1) > y) count++;
  }
  return count % 2 === 1;
}

test("a grid holds each point once, in the order of drawing within a cell", () => {
  for (const n of [0, 1, 2, 7, 500, 40_000]) {
    const xy = cloud(n, n), grid = new Grid(xy, n), cell = (i: number): number => Math.floor((xy[2 * i + 1] * grid.side) / 65536) * grid.side + Math.floor((xy[2 * i] * grid.side) / 65536);
    assert.deepEqual(Array.from(grid.order).sort((a, b) => a - b), all(n, () => true));
    assert.equal(grid.at[grid.side ** 2], n);
    for (let c = 0; c < grid.side ** 2; c++) for (let k = grid.at[c]; k < grid.at[c + 1]; k++) {
      assert.equal(cell(grid.order[k]), c);
      assert.ok(k === grid.at[c] || grid.order[k] > grid.order[k - 1]);
    }
    grid.order.forEach((i, k) => assert.deepEqual([grid.sorted[2 * k], grid.sorted[2 * k + 1]], [xy[2 * i], xy[2 * i + 1]]));
  }
  const heap = new Grid(Uint16Array.from({ length: 60 }, () => 700), 30); // all in one of 4 x 4 cells
  assert.deepEqual([heap.side, heap.crowd], [4, 30 / 16384 ** 2]);
  const turned = new Grid(new Uint16Array(8), 4, Uint32Array.of(2, 0, 3, 1));
  assert.deepEqual([...turned.order], [2, 0, 3, 1]);
});

test("an outline holds what a ray says, of any shape", () => {
  const next = numbers(5);
  for (let round = 0; round < 60; round++) {
    const n = [1, 30, 3000][round % 3], xy = cloud(n, round), grid = new Grid(xy, n), corners = 3 + Math.floor(next() * 40);
    const about = 60_000 * next(), wide = [100, 4000, 90_000][round % 3 ? round % 2 : 2]; // some within a cell, some over themselves, some beyond the box
    const outline = Array.from({ length: 2 * corners }, () => (round % 5 ? about : 30_150) + wide * (next() - 0.5));
    assert.deepEqual(rows(grid.inside(outline)), all(n, (i) => above(outline, xy[2 * i], xy[2 * i + 1])), `round ${round}`);
  }
});

test("a box about all holds all, and one beside them none", () => {
  const n = 5000, grid = new Grid(cloud(n, 1), n);
  assert.equal(rows(grid.inside([-1, -1, FULL + 1, -1, FULL + 1, FULL + 1, -1, FULL + 1])).length, n);
  assert.deepEqual(rows(grid.inside([-1, -9, -1, 9, -30, 9])), []);
  assert.deepEqual(rows(grid.inside([FULL + 1, -9, FULL + 1, 1e9, 1e9, 9])), []);
  assert.deepEqual(rows(grid.inside([5, 5, 9, 9])), []);
});

test("the nearest point is found, no farther than said", () => {
  const n = 4000, xy = cloud(n, 3), grid = new Grid(xy, n), next = numbers(4);
  for (let round = 0; round < 300; round++) {
    const x = 70_000 * next() - 2000, y = round % 2 ? 30_000 + 400 * next() : FULL * next(), rx = 20 + 900 * next(), ry = 20 + 900 * next();
    const far = (i: number): number => ((xy[2 * i] - x) / rx) ** 2 + ((xy[2 * i + 1] - y) / ry) ** 2, best = Math.min(...all(n, () => true).map(far)), found = grid.nearest(x, y, rx, ry);
    if (best > 1) assert.equal(found, -1);
    else assert.equal(far(found), best);
  }
  assert.equal(new Grid(new Uint16Array(4), 2).nearest(0, 0, 1, 1), 1); // the one that lies on top
  assert.equal(new Grid(new Uint16Array(), 0).nearest(0, 0, 9, 9), -1);
});

test("the order of drawing puts what is high, or low, on top, and what has no value under all", () => {
  const colour = Uint8Array.of(9, MISSING, 0, 9, 3, MISSING);
  assert.equal(sequenceOf(colour, 6, "given"), null);
  assert.deepEqual([...sequenceOf(colour, 6, "ascending")!], [1, 5, 2, 4, 0, 3]);
  assert.deepEqual([...sequenceOf(colour, 6, "descending")!], [1, 5, 0, 3, 4, 2]);
});

test("a name stands on a point of its colour, near their middle", () => {
  const xy = Uint16Array.of(0, 0, 10, 10, 40, 40, 500, 9), { counts, points } = middles(xy, Uint8Array.of(1, 1, 1, 0), 4);
  assert.deepEqual([counts[0], counts[1], points[0], points[1], points[2]], [1, 3, 3, 1, -1]);
  assert.deepEqual([...middles(Uint16Array.of(0, 0, 9, 9, 0, 0, 9, 9), Uint8Array.of(0, 0, 1, 1), 4).points.slice(0, 2)], [-1, -1]); // all over the place
});

test("a view fills its frame, or keeps the shape of the data, and zooms about a place", () => {
  const corners = (camera: Camera, aspect: number): number[] => {
    const { ax, bx, ay, by } = placeOf(camera, 1032, 432, aspect);
    return [bx, by, FULL * ax + bx, FULL * ay + by].map(Math.round);
  };
  assert.deepEqual(corners(WHOLE, 0), [16, 416, 1016, 16]); // y upwards
  assert.deepEqual(corners(WHOLE, 1), [316, 416, 716, 16]);
  assert.deepEqual(corners(WHOLE, 10), [16, 266, 1016, 166]);
  const from = { x: 0.4, y: 0.6, k: 2 }, u = 20_000, v = 50_000, to = nearer(from, u, v, 3), pixel = (camera: Camera): number[] => {
    const { ax, bx, ay, by } = placeOf(camera, 700, 400, 0);
    return [u * ax + bx, v * ay + by];
  };
  pixel(to).forEach((p, k) => assert.ok(Math.abs(p - pixel(from)[k]) < 1e-6));
  assert.equal(to.k, 6);
  assert.equal(nearer(from, u, v, 1e-9).k, 1);
  assert.equal(nearer(from, u, v, 1e9).k, 4096);
  assert.deepEqual(kept({ x: -3, y: 7, k: 2 }), { x: 0, y: 1, k: 2 });
  assert.deepEqual(scaled({ ax: 1, bx: 2, ay: 3, by: 4 }, 2), { ax: 2, bx: 4, ay: 6, by: 8 });
});

test("of many points each is small and faint, from near less so", () => {
  const place = placeOf(WHOLE, 1000, 400, 0), sizes = [1, 100, 20_000, 1e6].map((n) => sizeOf(n, 1));
  assert.ok(sizes.every((size, k) => !k || size < sizes[k - 1]) && sizes[3] >= 1.5 && sizeOf(1e6, 50) > 3);
  assert.ok(alphaOf(0, place, 3) === 0.85 && alphaOf(1, place, 3) === 0.06);
  assert.ok(alphaOf(1e-4, placeOf({ ...WHOLE, k: 8 }, 1000, 400, 0), 3) > alphaOf(1e-4, place, 3));
});

const picture = (width: number, height: number): ImageData => ({ width, height, data: new Uint8ClampedArray(4 * width * height) }) as ImageData;
const PLAIN = { ax: 1, bx: 0, ay: -1, by: 8 };

test("discs lie over one another in order, and none wraps about an edge", () => {
  const palette = new Uint8Array(1024).map((_, i) => (i % 4 === 3 ? 255 : i < 4 ? 200 : 100)), raster = new Raster(10, 9), seen = picture(10, 9);
  const discs = (xy: Uint16Array, order: Uint32Array | null, layer: Omit<Layer, "selected" | "palette">): number[][] => {
    raster.clear();
    raster.discs(xy, Uint8Array.of(0, 1), order, 0, 2, PLAIN, palette, layer.size, layer.alpha);
    seen.data.fill(0);
    raster.write(seen);
    return Array.from({ length: 90 }, (_, p) => [...seen.data.subarray(4 * p, 4 * p + 4)]);
  };
  const two = discs(Uint16Array.of(3, 4, 3, 4), null, { size: 1, alpha: 0.5 });
  assert.deepEqual(two[43], [133, 133, 133, 191]); // (200 / 4 + 100 / 2) / (3 / 4)
  assert.equal(two.filter((p) => p[3]).length, 1);
  assert.deepEqual(discs(Uint16Array.of(3, 4, 3, 4), Uint32Array.of(1, 0), { size: 1, alpha: 0.5 })[43].slice(0, 3), [167, 167, 167]);
  const edge = discs(Uint16Array.of(9, 8, 9, 8), null, { size: 3, alpha: 1 }).flatMap((p, at) => (p[3] ? [at] : []));
  assert.deepEqual(edge, [8, 9, 18, 19]);
  assert.ok(discs(Uint16Array.of(60, 8, 9, 900), null, { size: 3, alpha: 1 }).every((p) => !p[3]));
});

test("what covers a frame are all points in it", () => {
  const n = 3000, xy = cloud(n, 8), grid = new Grid(xy, n);
  for (const camera of [WHOLE, { x: 0.46, y: 0.46, k: 40 }, { x: 0, y: 1, k: 9 }]) {
    const place = placeOf(camera, 60, 40, 0), covered = new Set<number>(), seen = (i: number): boolean => {
      const x = xy[2 * i] * place.ax + place.bx, y = xy[2 * i + 1] * place.ay + place.by;
      return x >= -3 && y >= -3 && x < 63 && y < 43;
    };
    inView(grid, place, 60, 40, 3, (from, to) => { for (let k = from; k < to; k++) covered.add(grid.order[k]); });
    assert.deepEqual(all(n, seen).filter((i) => !covered.has(i)), []);
    assert.ok(camera === WHOLE ? covered.size === n : covered.size < n);
  }
});

test("density is how many share a cell", () => {
  const xy = cloud(3000, 9), { colour, most } = densityOf(new Grid(xy, 3000)), cell = (i: number): string => `${xy[2 * i] >> 11} ${xy[2 * i + 1] >> 11}`, counts = new Map<string, number>();
  for (let i = 0; i < 3000; i++) counts.set(cell(i), (counts.get(cell(i)) ?? 0) + 1);
  assert.equal(most, Math.max(...counts.values()));
  colour.forEach((c, i) => assert.equal(c, Math.floor((Math.log(counts.get(cell(i))!) / Math.log(most + 1)) * 255)));
  assert.ok(Math.max(...colour) < MISSING && Math.min(...colour) === 0);
});

test("colours are names, a ramp, or a fall and a rise", () => {
  const colour = (palette: Uint8Array, c: number): number[] => [...palette.subarray(4 * c, 4 * c + 3)], light = ([r, g, b]: number[]): number => 0.3 * r + 0.6 * g + 0.1 * b;
  const names = paletteOf({ title: "", names: ["a", "b"], colours: ["#102030", "#ffffff"] }, THEME);
  assert.deepEqual([colour(names, 0), colour(names, 1), colour(names, 2)], [[16, 32, 48], [255, 255, 255], [16, 32, 48]]);
  for (const dark of [false, true]) {
    const ramp = paletteOf({ title: "" }, { ...THEME, dark }), all = Array.from({ length: 255 }, (_, c) => light(colour(ramp, c)));
    assert.ok(all.every((v, c) => !c || (dark ? v >= all[c - 1] - 1 : v <= all[c - 1] + 1))); // one way, so that it is read without colour
    const [fall, middle, rise] = [0, 127, 254].map((c) => colour(paletteOf({ title: "", diverging: true }, { ...THEME, dark }), c));
    assert.ok(fall[0] > fall[2] && rise[2] > rise[0] && Math.max(...middle) - Math.min(...middle) < 3);
    assert.deepEqual(colour(ramp, MISSING), middle);
    assert.ok(Math.abs(light(colour(quieted(ramp, { ...THEME, dark }), 254)) - (dark ? 90 : 190)) < 40);
  }
});

test("names stand where there is room, of the most points first; none beside the star, nor of too many", () => {
  const found = { counts: [5, 9, 7, 1], points: [0, 1, 2, -1] }, spots: Spot[] = [[50, 50], [52, 51], [200, 50]], theme = { ...THEME, font: "sans-serif" };
  const named = (names: string[], taken: number[][], more = found): string[] => {
    const pen = new SvgPen();
    drawNames(pen, names, more, (i) => spots[i % 3], taken, theme);
    return [...new Set(pen.svg(300, 100, "#fff").match(/>[^<>]+<\/text>/g)?.map((one) => one.slice(1, -7)))];
  };
  assert.deepEqual(named(["a", "b", "c", "d"], []), ["b", "c"]);
  assert.deepEqual(named(["a", "b", "c", "d"], [[205, 45, 10]]), ["b"]);
  const many = Array.from({ length: 41 }, (_, k) => `n${k}`);
  assert.deepEqual(named(many, [], { counts: many.map(() => 1), points: many.map((_, k) => k) }), []);
});

test("an outline of clicked corners ends at the pointer", () => {
  const drawn = (clicked: boolean): string => {
    const pen = new SvgPen();
    drawOutline(pen, [[0, 0], [50, 0], [50, 50]], clicked, [9, 77], { ...THEME, accent: "#2563b8" });
    return pen.svg(90, 90, "#fff");
  };
  assert.equal(drawn(true).match(/<path/g)!.length, 3);
  assert.equal(drawn(false).match(/<path/g)!.length, 2);
  assert.ok(/ 7[67]\.\d/.test(drawn(true)) && !/ 7[67]\.\d/.test(drawn(false)));
});
