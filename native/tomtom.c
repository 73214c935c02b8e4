/* TOMTOM: the best alignment of each query motif with each target, and its p-value.
 *
 * To the bit what nbinterp/motif/tomtom.py finds with NumPy, p-values to rounding; the method is told there.  A call works
 * in the calling thread, in memory of its own.
 *
 * Source: Gupta et al., Genome Biology 2007; Tanaka et al., Bioinformatics 2011 (complete scores); Schreiber, memelite.
 */
#include "tomtom_alignments.h"
#include "tomtom_pvalues.h"
#include "tomtom_scores.h"

#define SHARED ((int64_t)1 << 22) /* distances that are kept of query columns which occur more than once */

INLINE int64_t widest(const Motifs *motifs) { return motifs->widths[motifs->order[motifs->n_motifs - 1]]; }

INLINE int make_column(Column *column, const Work *work) {
    const int64_t n = work->targets->n_columns;
    column->distances = malloc(n * sizeof *column->distances);
    column->bins = malloc(n * sizeof *column->bins);
    column->counts = malloc((work->n_score_bins + 1) * sizeof *column->counts);
    return column->distances && column->bins && column->counts;
}

INLINE void free_columns(Column *columns, int64_t n) {
    for (int64_t i = 0; columns && i < n; i++) {
        free(columns[i].distances);
        free(columns[i].bins);
        free(columns[i].counts);
    }
    free(columns);
}

/* Columns for the places of a query, and for those distinct columns that occur more than once, as those of one-hot queries do. */
INLINE int make_columns(const Work *work, const Motifs *queries, Column *places, Column *distinct) {
    int64_t room = SHARED;
    const int32_t *which = queries->which;
    for (int64_t query = 0; query < queries->n_motifs; which += queries->widths[query++])
        for (int64_t place = 0; place < queries->widths[query]; place++) {
            Column *column = distinct + which[place];
            if (!column->compared++ || column->distances || room < work->targets->n_columns) continue;
            room -= work->targets->n_columns;
            if (!make_column(column, work)) return 0;
        }
    for (int64_t i = 0; i < queries->n_columns; i++) distinct[i].compared = 0;
    for (int64_t place = 0; place < widest(queries); place++)
        if (!make_column(places + place, work)) return 0;
    return 1;
}

/* The better of each target's two strands, and the chance of the better of two tries. */
INLINE void write_planes(const Work *work, int64_t width, int64_t zero, int both, int64_t stride, double *out) {
    const int64_t n = work->targets->n_motifs / (both ? 2 : 1);
    const Best *best = &work->best;
    for (int64_t i = 0; i < n; i++) {
        const int minus = both && best->score[i] <= best->score[n + i];
        const int64_t from = minus ? n + i : i, offset = best->offset[from], length = work->targets->widths[i];
        const double least = both && best->p[n + i] < best->p[i] ? best->p[n + i] : best->p[i];
        out[i] = both ? least * (2 - least) : least;
        out[stride + i] = (double)(best->score[from] + width * zero);
        out[2 * stride + i] = (double)offset;
        out[3 * stride + i] = (double)((offset + width < length ? offset + width : length) - (offset > 0 ? offset : 0));
        out[4 * stride + i] = minus;
    }
}

INLINE int compare_all(Work *work, const Motifs *queries, Column *places, Column *distinct, int both, double *out) {
    const int64_t n_out = work->targets->n_motifs / (both ? 2 : 1);
    const int32_t *which = queries->which;
    for (int64_t query = 0; query < queries->n_motifs; query++) {
        const int64_t width = queries->widths[query];
        double least = INFINITY, most = -INFINITY;
        for (int64_t place = 0; place < width; place++) {
            Column *column = distinct + which[place];
            if (!column->distances) {
                column = places + place;
                column->compared = 0;
            }
            if (!column->compared)
                compare(work, queries->columns + which[place] * queries->n_letters, queries->norms[which[place]], column);
            least = column->low - column->median < least ? column->low - column->median : least;
            most = column->high - column->median > most ? column->high - column->median : most;
            work->query[place] = column;
        }
        const double start = floor(least), spread = most - start;
        const double scale = floor((double)work->n_score_bins / (spread > 1 ? spread : 1));
        const int64_t zero = (int64_t)(-start * scale);
        for (int64_t place = 0; place < width; place++) score(work, start, scale, work->query[place]);
        const int64_t lowest = best_alignments(work, width, zero);
        if (!p_values(work, width, zero, lowest)) return 0;
        write_planes(work, width, zero, both, queries->n_motifs * n_out, out + query * n_out);
        which += width;
    }
    return 1;
}

/* Fills `out` (5, queries, targets): p-value, score, offset, overlap, strand.  With `both`, the second half of the targets
 * are the reverse complements of the first, and are merged with them.  Gives 0, or 1 where memory is missing. */
EXPORT FOR_EACH_PROCESSOR int64_t nbinterp_tomtom(const Motifs *queries, const Motifs *targets, int64_t n_score_bins,
                                              int64_t n_median_bins, int64_t both, double *out) {
    const int64_t n = targets->n_columns, n_bins = n_score_bins + 1, wide = widest(queries), long_ = widest(targets);
    const int64_t n_histogram = n_median_bins > 4 * n_bins ? n_median_bins : 4 * n_bins;
    Work work = {.targets = targets, .n_score_bins = n_score_bins, .n_median_bins = n_median_bins};
    for (int64_t i = 0; i < n; i++) work.total += targets->counts[i];
    Column *places = calloc(wide, sizeof *places), *distinct = calloc(queries->n_columns, sizeof *distinct);
    work.query = malloc(wide * sizeof *work.query);
    work.places = malloc(n * sizeof *work.places);
    work.histogram = malloc(n_histogram * sizeof *work.histogram);
    work.rows = malloc((wide + LANES) * n * sizeof *work.rows);
    work.totals = malloc((long_ + wide + 3 * LANES) * sizeof *work.totals);
    work.more = malloc((long_ + LANES) * sizeof *work.more);
    work.shares = malloc(wide * n_bins * sizeof *work.shares);
    work.best.score = malloc(targets->n_motifs * sizeof *work.best.score);
    work.best.offset = malloc(targets->n_motifs * sizeof *work.best.offset);
    work.best.p = malloc(targets->n_motifs * sizeof *work.best.p);
    int done = places && distinct && work.query && work.places && work.histogram && work.rows && work.totals && work.more &&
               work.shares && work.best.score && work.best.offset && work.best.p;
    done = done && make_columns(&work, queries, places, distinct) &&
           compare_all(&work, queries, places, distinct, both != 0, out);
    free_columns(places, wide);
    free_columns(distinct, queries->n_columns);
    free(work.query);
    free(work.places);
    free(work.histogram);
    free(work.rows);
    free(work.totals);
    free(work.more);
    free(work.shares);
    free(work.chances);
    free(work.best.score);
    free(work.best.offset);
    free(work.best.p);
    return !done;
}
