/* TOMTOM's scores: a query column against every target column.
 *
 * A pair scores its negative Euclidean distance, less the median over all target columns, in whole bins.  The arithmetic, in
 * its order, is memelite's: the boundary of a bin is decided by the last bit.
 */
#pragma once

#include "tomtom.h"

INLINE void distances(const Motifs *targets, const double *column, double norm, double *restrict out) {
    const int64_t n = targets->n_columns;
    const double *restrict norms = targets->norms;
    if (targets->n_letters == 4) {
        const double *restrict a = targets->columns, *restrict c = a + n, *restrict g = c + n, *restrict t = g + n;
        const double twice_a = 2 * column[0], twice_c = 2 * column[1], twice_g = 2 * column[2], twice_t = 2 * column[3];
        for (int64_t i = 0; i < n; i++) {
            double squared = norm + norms[i];
            squared -= twice_a * a[i];
            squared -= twice_c * c[i];
            squared -= twice_g * g[i];
            squared -= twice_t * t[i];
            out[i] = -sqrt(squared > 0 ? squared : 0);
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) out[i] = norm + norms[i];
    for (int64_t letter = 0; letter < targets->n_letters; letter++) {
        const double *restrict row = targets->columns + letter * n;
        const double twice = 2 * column[letter];
        for (int64_t i = 0; i < n; i++) out[i] -= twice * row[i];
    }
    for (int64_t i = 0; i < n; i++) out[i] = -sqrt(out[i] > 0 ? out[i] : 0);
}

/* The weighted median, taken as the mean of the bin that holds it. */
INLINE double median(const Work *work, const double *restrict distance, double low, double high) {
    const int64_t n = work->targets->n_columns;
    const int32_t *restrict counts = work->targets->counts;
    int32_t *restrict places = work->places, *restrict histogram = work->histogram;
    const double range = high - low, last = (double)(work->n_median_bins - 1);
    if (range == 0) return low;
    for (int64_t i = 0; i < n; i++) places[i] = (int32_t)((distance[i] - low) / range * last);
    memset(histogram, 0, work->n_median_bins * sizeof *histogram);
    for (int64_t i = 0; i < n; i++) histogram[places[i]] += counts[i];
    int32_t middle = 0;
    for (double seen = histogram[0]; seen < work->total / 2; seen += histogram[middle]) middle++;
    double sum = 0;
    for (int64_t start = 0; start < n; start += 64) { /* most have none */
        const int64_t end = start + 64 < n ? start + 64 : n;
        int any = 0;
        for (int64_t i = start; i < end; i++) any |= places[i] == middle;
        for (int64_t i = start; any && i < end; i++)
            if (places[i] == middle) sum += distance[i] * counts[i];
    }
    return sum / histogram[middle];
}

INLINE void compare(const Work *work, const double *values, double norm, Column *column) {
    const int64_t n = work->targets->n_columns;
    distances(work->targets, values, norm, column->distances);
    const double *restrict distance = column->distances;
    double low = distance[0], high = distance[0];
    SIMD(reduction(min : low) reduction(max : high))
    for (int64_t i = 0; i < n; i++) {
        low = distance[i] < low ? distance[i] : low;
        high = distance[i] > high ? distance[i] : high;
    }
    column->low = low;
    column->high = high;
    column->median = median(work, distance, low, high);
    column->compared = 1;
    column->scored = 0;
}

INLINE void score(const Work *work, double floor, double scale, Column *column) {
    if (column->scored && column->floor == floor && column->scale == scale) return;
    const int64_t n = work->targets->n_columns, n_bins = work->n_score_bins + 1;
    const int32_t *restrict counts = work->targets->counts;
    const double *restrict distance = column->distances;
    const double start = column->median + floor, most = (double)work->n_score_bins;
    int16_t *restrict bins = column->bins;
    for (int64_t i = 0; i < n; i++) {
        double bin = (distance[i] - start) * scale + 0.5;
        bin = bin > 0 ? bin : 0; /* so far from all targets that nothing of a difference is left */
        bins[i] = (int16_t)(int32_t)(bin < most ? bin : most);
    }
    /* Neighbours often share a bin: in one histogram each would wait for the one before it. */
    int32_t *restrict parts = work->histogram;
    memset(parts, 0, 4 * n_bins * sizeof *parts);
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int part = 0; part < 4; part++) parts[part * n_bins + bins[i + part]] += counts[i + part];
    for (; i < n; i++) parts[bins[i]] += counts[i];
    for (int64_t bin = 0; bin < n_bins; bin++)
        column->counts[bin] = parts[bin] + parts[n_bins + bin] + parts[2 * n_bins + bin] + parts[3 * n_bins + bin];
    column->floor = floor;
    column->scale = scale;
    column->scored = 1;
}
