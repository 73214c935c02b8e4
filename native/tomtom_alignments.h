/* TOMTOM's alignments: a query slid along every target.
 *
 * LANES columns of the query at a time: running sums move on by one alignment with each target column, as on a conveyor.
 * Alignments are numbered from the one that shares the query's last column alone; scores are counted from no column aligned.
 */
#pragma once

#include "tomtom.h"

/* For each target column a row of the scores that it has at the places of the query, the last place first. */
INLINE void lay_rows(const Work *work, int64_t width, int64_t zero) {
    const int64_t n = work->targets->n_columns, n_places = (width + LANES - 1) / LANES * LANES;
    for (int64_t start = 0; start < n; start += 256) { /* they stay in the cache until all places are in */
        const int64_t end = start + 256 < n ? start + 256 : n;
        for (int64_t place = 0; place < n_places; place++) {
            int16_t *restrict row = work->rows + place / LANES * n * LANES + place % LANES;
            if (place < width) {
                const int16_t *restrict bins = work->query[width - 1 - place]->bins;
                for (int64_t i = start; i < end; i++) row[i * LANES] = (int16_t)(bins[i] - zero);
            } else {
                for (int64_t i = start; i < end; i++) row[i * LANES] = 0;
            }
        }
    }
}

INLINE void slide(const int16_t *restrict rows, const int32_t *restrict which, int64_t length, int16_t *restrict totals) {
    Lane sums = {0};
    for (int64_t i = 0; i < length; i++) {
        sums = FROM(sums, (Lane){0}, 1) + lanes_at(rows + (int64_t)which[i] * LANES);
        memcpy(totals + i, &sums, sizeof sums);
    }
}

/* The offset of the best alignment.  Of equals memelite goes from left to right, and on where the offset of the one it holds
 * is less than the overlap of the next. */
INLINE int64_t choose(const int16_t *totals, int64_t best, int64_t width, int64_t length) {
    int64_t held = -width;
    for (int64_t i = 0; i < length + width - 1; i++) {
        if (totals[i] != best) continue;
        const int64_t offset = i - (width - 1);
        const int64_t overlap = (offset + width < length ? offset + width : length) - (offset > 0 ? offset : 0);
        if (held < overlap) held = offset; /* the first one always */
    }
    return held;
}

/* The best of `totals`, LANES numbers beyond which are written over. */
INLINE void best_of(int16_t *totals, int64_t width, int64_t length, int64_t *score, int64_t *offset) {
    const int64_t n = length + width - 1;
    const Lane none = all_lanes(INT16_MIN);
    memcpy(totals + n, &none, sizeof none);
    Lane best = none;
    for (int64_t i = 0; i < n; i += LANES) best = higher_lanes(lanes_at(totals + i), best);
    best = highest_lane(best);
    *score = best[0];
    Lane n_equal = {0}, sum = {0}, number = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int64_t i = 0; i < n && n <= INT16_MAX - LANES; i += LANES) { /* nearly always there is one alone, and this is it */
        const Lane equal = lanes_at(totals + i) == best;
        n_equal -= equal;
        sum += number & equal;
        number += LANES;
    }
    *offset = sum_of_lanes(n_equal) == 1 ? sum_of_lanes(sum) - (width - 1) : choose(totals, *score, width, length);
}

/* Fills `best`, but for the p-values, and gives the lowest of its scores. */
INLINE int64_t best_alignments(const Work *work, int64_t width, int64_t zero) {
    const Motifs *targets = work->targets;
    const int32_t *which = targets->which;
    int16_t *restrict totals = work->totals, *restrict more = work->more;
    int64_t lowest = INT16_MAX;
    lay_rows(work, width, zero);
    for (int64_t target = 0; target < targets->n_motifs; target++) {
        const int64_t length = targets->widths[target];
        slide(work->rows, which, length, totals);
        for (int64_t first = LANES; first < width; first += LANES) {
            memset(totals + first + length - 1, 0, LANES * sizeof *totals);
            slide(work->rows + first * targets->n_columns, which, length, more);
            for (int64_t i = 0; i < length + LANES - 1; i++) totals[first + i] += more[i];
        }
        int64_t *score = work->best.score + target;
        best_of(totals, width, length, score, work->best.offset + target);
        lowest = *score < lowest ? *score : lowest;
        which += length;
    }
    return lowest;
}
