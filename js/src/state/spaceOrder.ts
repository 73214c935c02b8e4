/** Rows in an order in which those that are alike stand together: the leaves of a Ward tree, as SciPy has them. Pure. */

interface Merge {
  a: number;
  b: number;
  height: number;
}

/** By chains of nearest neighbours, which need no more than the distances of all pairs. */
export function likeOrder(rows: readonly ArrayLike<number>[]): number[] {
  const n = rows.length, size = new Float64Array(n).fill(1), far = rows.map((a) => Float64Array.from(rows, (b) => square(a, b)));
  const there = new Set(rows.keys()), merges: Merge[] = [], chain: number[] = [];
  while (there.size > 1) {
    if (!chain.length) chain.push(there.values().next().value!);
    const tip = chain[chain.length - 1];
    let near = chain[chain.length - 2] ?? -1;
    for (const k of there) if (k !== tip && (near < 0 || far[tip][k] < far[tip][near])) near = k;
    if (near !== chain[chain.length - 2]) { chain.push(near); continue; }
    chain.length -= 2;
    const [a, b] = tip < near ? [tip, near] : [near, tip], d = far[a][b];
    merges.push({ a, b, height: d });
    for (const k of there) if (k !== a && k !== b) far[b][k] = far[k][b] = ((size[a] + size[k]) * far[a][k] + (size[b] + size[k]) * far[b][k] - size[k] * d) / (size[a] + size[b] + size[k]);
    size[b] += size[a];
    there.delete(a);
  }
  return leavesOf(n, merges.sort((x, y) => x.height - y.height));
}

/** The lower number stands left; of merges, numbers follow their heights. */
function leavesOf(n: number, merges: readonly Merge[]): number[] {
  const own = Array.from({ length: n }, (_, i) => i), root = own.slice(), leaves = own.map((i) => [i]), number = own.slice();
  const find = (i: number): number => { while (root[i] !== i) i = root[i]; return i; };
  merges.forEach(({ a, b }, i) => {
    const [x, y] = [find(a), find(b)], [left, right] = number[x] < number[y] ? [x, y] : [y, x];
    leaves[y] = [...leaves[left], ...leaves[right]];
    root[x] = y;
    number[y] = n + i;
  });
  return n ? leaves[find(0)] : [];
}

function square(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}
