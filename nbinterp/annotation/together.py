"""Which annotations stand together in more, or in fewer, examples than chance.

In: annotations.  Out: a table of pairs with observed and expected numbers of examples, p- and q-values.

Two kinds that have nothing to do with each other, one in ``a`` and the other in ``b`` of ``N`` examples, share a number of
examples that is hypergeometric, ``a b / N`` in the mean: Fisher's exact test.  Instances of one kind that have nothing to do
with each other fall into examples at random; how many examples then hold two or more is taken to be binomial, whose spread
is no smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import problem
from ..motif.fdr import q_values
from .count import side_of
from .table import Annotations, read_annotations

__all__ = ["pair_enrichment"]


def pair_enrichment(
    X: Any,
    n_examples: int | None = None,
    *,
    names: Sequence[str] | None = None,
    self_pairs: bool = True,
) -> pd.DataFrame:
    """Test for every pair of annotations whether they occur in the same examples more or less often than by chance.

    Parameters
    ----------
    X : DataFrame, tensor (n, 2), or two vectors
        As in `count_annotations`.
    n_examples : int, optional
        Examples that were annotated, those without any annotation too; by default up to the largest index.
    names : sequence of str, optional
        All names, in order.
    self_pairs : bool
        Test each annotation with itself too: whether it comes twice or more in an example.

    Returns
    -------
    DataFrame
        One row for each unordered pair, also where none was observed: row, column, observed (examples with both; with two or
        more for a pair with itself), expected, log2_ratio, p-value and q-value (Benjamini-Hochberg over all pairs); by
        p-value.  The ratio has half an example added to both of its sides, so that it is finite and small where little is
        known.  The p-value is twice the tail on that side of the expectation where the observed number lies, at most 1.

    Raises
    ------
    NbinterpError
        For an example beyond `n_examples`, or as `count_annotations`.

    Notes
    -----
    The choice of `n_examples` is the choice of a background: with many examples that hold nothing at all every pair looks
    enriched.

    Examples
    --------
    >>> example = np.concatenate([np.arange(10), np.arange(10), np.arange(5, 15)])
    >>> kind = np.repeat(["a", "b", "c"], 10)
    >>> table = pd.DataFrame({"example_idx": example, "start": 0, "end": 5, "name": kind})
    >>> found = pair_enrichment(table, 20, self_pairs=False)
    >>> found[["row", "column", "observed", "expected"]].values.tolist()
    [['a', 'b', 10, 5.0], ['a', 'c', 5, 5.0], ['b', 'c', 5, 5.0]]
    >>> float(found["p-value"].iloc[0].round(6))
    1.1e-05
    """
    where = "pair_enrichment"
    found = read_annotations(where, X, spans=False, names=names)
    n = side_of(where, found.example, None) if n_examples is None else n_examples
    if len(found.example) and found.example.max() >= n:
        raise problem(where, "n_examples", got=f"{n}, and an annotation of example {found.example.max()}",
                      need="all examples", do="pass their number")  # fmt: skip
    side = side_of(where, found.kind, None, found.names)
    both, twice, instances = _shared(found, side)
    alone = both.diagonal()
    row, column = np.triu_indices(side, 1)
    observed, expected = both[row, column], alone[row] * alone[column] / max(n, 1)
    p = _hypergeometric(observed, n, alone[row], alone[column])
    if self_pairs:
        chance = _twice(n, instances)
        row, column = (np.concatenate([one, np.arange(side)]) for one in (row, column))
        observed, expected = np.concatenate([observed, twice]), np.concatenate([expected, n * chance])
        p = np.concatenate([p, _binomial(twice, n, chance)])
    label = np.asarray(found.names, dtype=object) if found.names else np.arange(side)
    ratio = np.log2((observed + 0.5) / (expected + 0.5))
    table = pd.DataFrame(
        {"row": label[row], "column": label[column], "observed": observed, "expected": expected, "log2_ratio": ratio,
         "p-value": p, "q-value": q_values(p)}
    )  # fmt: skip
    return table.iloc[np.lexsort((column, row, p))].reset_index(drop=True)


def _shared(found: Annotations, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """In how many examples are both, (side, side); in how many each is twice; and how many instances there are of each."""
    import scipy.sparse

    cell, count = np.unique(found.example * max(side, 1) + found.kind, return_counts=True)
    example, kind = np.divmod(cell, max(side, 1))
    _, example = np.unique(example, return_inverse=True)
    shape = int(example.max()) + 1 if len(example) else 0, side
    there = scipy.sparse.csr_matrix((np.ones(len(cell), np.int64), (example, kind)), shape=shape)
    both: np.ndarray = (there.T @ there).toarray()
    twice = np.bincount(kind[count > 1], minlength=side)
    return both, twice, np.bincount(found.kind, minlength=side)


def _hypergeometric(k: np.ndarray, n: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Twice the tail from `k` away from the mean; terms are added until they change nothing."""
    from scipy.special import gammaln

    def choose(top: Any, of: Any) -> Any:
        return gammaln(top + 1.0) - gammaln(of + 1.0) - gammaln(top - of + 1.0)

    with np.errstate(invalid="ignore"):
        term = np.exp(choose(a, k) + choose(n - a, b - k) - choose(n, b))
    total, at, upward = term.copy(), np.arange(len(k)), k >= a * b / max(n, 1)
    step = 0
    while len(at):
        here = k[at] + np.where(upward[at], step, -step)
        a1, b1 = a[at], b[at]
        rise = (a1 - here) * (b1 - here) / ((here + 1.0) * np.maximum(n - a1 - b1 + here + 1.0, 1))
        fall = here * (n - a1 - b1 + here) / ((a1 - here + 1.0) * (b1 - here + 1.0))
        term = term * np.where(upward[at], rise, fall)
        total[at] += term
        left = term > 1e-17 * total[at]
        at, term = at[left], term[left]
        step += 1
    out: np.ndarray = np.minimum(2 * total, 1)
    return out


def _twice(n: int, instances: np.ndarray) -> np.ndarray:
    """The chance that an example holds two or more of the instances, each in an example of its own choice."""
    rest = 1 - 1 / max(n, 1)
    none, one = rest**instances, instances / max(n, 1) * rest ** np.maximum(instances - 1, 0)
    out: np.ndarray = np.clip(1 - none - one, 0, 1)
    return out


def _binomial(k: np.ndarray, n: int, chance: np.ndarray) -> np.ndarray:
    from scipy.special import betainc

    # P(X >= k) = I_chance(k, n - k + 1), P(X <= k) = 1 - P(X >= k + 1)
    upper = np.where(k > 0, betainc(np.maximum(k, 1), np.maximum(n - k + 1, 1), chance), 1.0)
    lower = np.where(k < n, betainc(np.maximum(n - k, 1), k + 1, 1 - chance), 1.0)
    out: np.ndarray = np.minimum(2 * np.where(k >= n * chance, upper, lower), 1)
    return out
