/* TOMTOM's null: the chance that the best of all alignments with a target scores as high.
 *
 * Scores of the columns of a span add up, so the tails of a span follow from those of the span without its last column; the
 * alignments with a target are taken to be independent.  Every number is a sum or product of positive ones, so that small
 * chances keep their relative precision.
 */
#pragma once

#include "tomtom.h"

#define BLOCK 32 /* tails found together */

/* P(score + that of one column more >= s) for `n` scores s, given P(score >= s) from `tails` on, and about them. */
INLINE void add_column(const double *restrict tails, const double *restrict shares, int64_t least, int64_t most,
                       int64_t n, double *restrict out) {
    for (int64_t start = 0; start < n; start += BLOCK) {
        double sums[BLOCK] = {0};
        for (int64_t score = least; score <= most; score++) {
            const double share = shares[score];
            const double *restrict source = tails + start - score;
            for (int i = 0; i < BLOCK; i++) sums[i] += share * source[i];
        }
        memcpy(out + start, sums, sizeof sums);
    }
}

/* P(one or the other), the two independent. */
INLINE void either(double *restrict one, const double *restrict other, int64_t n) {
    for (int64_t i = 0; i < n; i++) one[i] += other[i] * (1 - one[i]);
}

INLINE double *chances(Work *work, int64_t n) {
    if (work->n_chances < n) {
        free(work->chances);
        work->chances = malloc(n * sizeof *work->chances);
        work->n_chances = work->chances ? n : 0;
    }
    return work->chances;
}

/* Fills the p-values of `best`, whose lowest score is `lowest`; 0 where memory is missing. */
INLINE int p_values(Work *work, int64_t width, int64_t zero, int64_t lowest) {
    const Motifs *targets = work->targets;
    const int64_t n_bins = work->n_score_bins + 1, pad = n_bins + BLOCK;
    const int64_t narrowest = targets->widths[targets->order[0]], shortest = narrowest < width ? narrowest : width;
    int64_t top = 0, bottom = 0, least[width], most[width]; /* the reach of each column; 0 lies between */
    for (int64_t place = 0; place < width; place++) {
        const int32_t *counts = work->query[place]->counts;
        double *shares = work->shares + place * n_bins;
        least[place] = most[place] = 0;
        for (int64_t bin = 0; bin < n_bins; bin++) {
            shares[bin] = counts[bin] / work->total;
            if (!counts[bin]) continue;
            least[place] = bin - zero < least[place] ? bin - zero : least[place];
            most[place] = bin - zero > most[place] ? bin - zero : most[place];
        }
        top += most[place];
        bottom += least[place];
    }
    /* Scores below `origin` are never asked for: what is yet to be added could not raise them to the lowest. */
    int64_t origin = lowest - top > bottom ? lowest - top : bottom;
    origin = origin < lowest ? origin : lowest;
    const int64_t depth = top - lowest + 1, size = top - origin + 1 + 2 * pad;
    double *const all = chances(work, 2 * size + (2 * width + 2) * depth);
    if (!all) return 0;
    /* P(some alignment scores lowest + d or more): of those inside the query by length, of the k columns at its edges, of it whole */
    double *const inside = all + 2 * size, *const edges = inside + (width + 1) * depth, *const whole = edges + width * depth;
    memset(inside, 0, (2 * width + 2) * depth * sizeof *inside);
    for (int64_t first = 0; first < width; first++) {
        double *tails = all + pad - origin, *next = tails + size; /* by score */
        memset(all, 0, 2 * size * sizeof *all);
        for (int64_t score = origin - pad; score <= 0; score++) tails[score] = 1; /* of no column */
        int64_t low = 0, high = 0, later = 0;
        for (int64_t place = first; place < width; place++) later += most[place];
        for (int64_t last = first; last < width; last++) {
            const int64_t length = last - first + 1;
            low += least[last];
            high += most[last];
            later -= most[last];
            const int64_t needed = lowest - later > origin ? lowest - later : origin, begin = low > needed ? low : needed;
            for (int64_t score = origin - pad; score < begin; score++) next[score] = 1;
            add_column(tails + begin, work->shares + last * n_bins + zero, least[last], most[last], high - begin + 1, next + begin);
            double *const found = next;
            next = tails;
            tails = found;
            const int64_t n = high - lowest + 1;
            if (n <= 0) continue;
            if (length >= shortest) either(inside + length * depth, tails + lowest, n);
            if (length == width)
                memcpy(whole, tails + lowest, n * sizeof *whole);
            else if (first == 0 || last == width - 1)
                either(edges + length * depth, tails + lowest, n);
        }
    }
    for (int64_t length = 1; length < width; length++) { /* a target that long has all shorter edges too */
        either(edges + length * depth, edges + (length - 1) * depth, depth);
        either(inside + (length + 1) * depth, edges + length * depth, depth);
    }
    double *const longer = inside + width * depth;
    for (int64_t i = 0, length = width; i < targets->n_motifs; i++) {
        const int64_t target = targets->order[i], its = targets->widths[target], score = work->best.score[target];
        for (; length < its; length++) either(longer, whole, depth); /* one whole alignment more with each column more */
        const double chance = (its < width ? inside + its * depth : longer)[score - lowest];
        work->best.p[target] = score + width * zero > 0 && chance < 1 ? chance : 1;
    }
    return 1;
}
