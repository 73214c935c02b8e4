/* Recursive seqlets: attributions in bins, the null of the sum of neighbours, and which spans are called. */
#include "portable.h"

#define BLOCK 64   /* sums found together */
#define STEP 8     /* shares so far apart are worked on together, as they ask for the same numbers */
#define CHUNK 1024 /* values that stay in the cache from one loop to the next */

/* The bins of values, clamped to the ends. */
#define BINS(NAME, TYPE)                                                                           \
    INLINE void NAME(const TYPE *restrict values, int64_t n, double low, double width, double top, \
                     int32_t *restrict out) {                                                      \
        for (int64_t i = 0; i < n; i++) {                                                          \
            double bin = (double)(values[i] - (TYPE)low) / width;                                  \
            bin = bin > 0 ? bin : 0;                                                               \
            out[i] = (int32_t)(bin < top ? bin : top);                                             \
        }                                                                                          \
    }
BINS(bins_of_doubles, double)
BINS(bins_of_floats, float)

/* Fills `sums` (rows, length + 1) with the sums of the bins left of each boundary, and counts the bins. */
EXPORT FOR_EACH_PROCESSOR int64_t nbinterp_sum_bins(const void *values, int64_t doubles, int64_t rows, int64_t length, double low,
                                                double width, int64_t n_bins, int32_t *restrict sums,
                                                int64_t *restrict counts) {
    int32_t bins[CHUNK];
    for (int64_t row = 0; row < rows; row++) {
        uint32_t sum = 0; /* may wrap around, and differences come out right */
        *sums++ = 0;
        for (int64_t start = 0; start < length; start += CHUNK) {
            const int64_t n = length - start < CHUNK ? length - start : CHUNK, at = row * length + start;
            if (doubles)
                bins_of_doubles((const double *)values + at, n, low, width, (double)(n_bins - 1), bins);
            else
                bins_of_floats((const float *)values + at, n, low, width, (double)(n_bins - 1), bins);
            for (int64_t i = 0; i < n; i++) {
                counts[bins[i]]++;
                sum += (uint32_t)bins[i];
                *sums++ = (int32_t)sum;
            }
        }
    }
    return 0;
}

/* The sum of `n` bins. */
INLINE int32_t sum_at(const int32_t *sums, int64_t start, int64_t n) {
    return (int32_t)((uint32_t)sums[start + n] - (uint32_t)sums[start]);
}

/* Fills `at` with where in a row the spans of `n` bins start that add up to `least`, and `ahead` more.  Gives how many. */
INLINE int64_t starts_of(const int32_t *restrict sums, int64_t length, int64_t n, int32_t least, int64_t ahead,
                         int64_t *restrict at) {
    int64_t found = 0;
    for (int64_t begin = 0; begin <= length - n; begin += BLOCK) {
        const int64_t end = begin + BLOCK < length - n + 1 ? begin + BLOCK : length - n + 1;
        int any = 0;
        for (int64_t i = begin; i < end; i++) any |= sum_at(sums, i, n) >= least;
        if (!any) continue;
        for (int64_t i = begin; i < end; i++)
            if (sum_at(sums, i, n) >= least) at[found++] = ahead + i;
    }
    return found;
}

/* Fills `at` with the starts (flat over rows) of the spans of `span` bins that add up to `least`, `n` of them. */
EXPORT FOR_EACH_PROCESSOR int64_t nbinterp_starts(const int32_t *sums, int64_t rows, int64_t length, int64_t span, int64_t least,
                                              int64_t *restrict at, int64_t *n) {
    *n = 0;
    for (int64_t row = 0; row < rows; row++)
        *n += starts_of(sums + row * (length + 1), length, span, least, row * length, at + *n);
    return 0;
}

/* A span all of whose parts are significant: where it starts, the largest p of those that start there, and of all. */
typedef struct {
    int64_t start;
    double p, worst;
} Span;

static int by_p(const void *one, const void *other) {
    const Span *a = one, *b = other;
    return a->p != b->p ? (a->p < b->p ? -1 : 1) : (a->start > b->start) - (a->start < b->start);
}

/* Fills `next` with the spans of n bins, given those of n - 1: they are made of two that are neighbours.  Gives how many. */
INLINE int64_t longer(const int32_t *sums, int64_t n, const double *const *tails, double threshold, const Span *spans,
                      int64_t n_spans, Span *next) {
    int64_t found = 0;
    for (const Span *span = spans; span + 1 < spans + n_spans; span++) {
        if (span[1].start != span->start + 1) continue;
        double p = tails[n][sum_at(sums, span->start, n)];
        p = p > span->p ? p : span->p;
        const double worst = p > span[1].worst ? p : span[1].worst;
        if (worst < threshold) next[found++] = (Span){span->start, p, worst};
    }
    return found;
}

/* What is called in one row.  `spans` has room for those of all lengths: of[k] .. of[k + 1] are those of shortest + k. */
INLINE int64_t call_row(const int32_t *sums, int64_t length, const double *const *tails, int64_t shortest, int64_t n_lengths,
                        double threshold, const int64_t *starts, int64_t n_starts, Span *spans, Span **of, uint8_t *called,
                        int64_t ahead, int64_t *at, int64_t *sizes) {
    int64_t k = 0, n_called = 0;
    memset(called, 0, length);
    for (int64_t i = 0; i < n_starts; i++) {
        const double p = tails[shortest][sum_at(sums, starts[i], shortest)];
        spans[i] = (Span){starts[i], p, p};
    }
    of[0] = spans;
    of[1] = spans + n_starts;
    for (; k + 1 < n_lengths && of[k + 1] > of[k]; k++)
        of[k + 2] = of[k + 1] + longer(sums, shortest + k + 1, tails, threshold, of[k], of[k + 1] - of[k], of[k + 1]);
    for (; k >= 0; k--) {
        const int64_t size = shortest + k;
        Span *last = of[k];
        /* what overlaps a called span, which is no shorter, has its first or its last base there */
        for (Span *span = of[k]; span < of[k + 1]; span++)
            if (!called[span->start] && !called[span->start + size - 1]) *last++ = *span;
        qsort(of[k], last - of[k], sizeof *last, by_p);
        for (const Span *span = of[k]; span < last; span++) {
            if (called[span->start] || called[span->start + size - 1]) continue;
            memset(called + span->start, 1, size);
            at[n_called] = ahead + span->start;
            sizes[n_called++] = size;
        }
    }
    return n_called;
}

/* Fills `at` (flat over rows) and `sizes` with the spans that are called, `n` of them: row by row, from the longest to the
 * shortest, by p and then by start, where none was called before.  tails[k][i] is P(sum of k bins >= i), which
 * is below the threshold where `shortest` bins add up to `least`.  Gives 0, or 1 where memory is missing. */
EXPORT FOR_EACH_PROCESSOR int64_t nbinterp_call(const int32_t *sums, int64_t rows, int64_t length, const double *const *tails,
                                            int64_t shortest, int64_t longest, int64_t least, double threshold,
                                            int64_t *at, int64_t *sizes, int64_t *n) {
    const int64_t n_lengths = longest - shortest + 1;
    int64_t room = 0, n_called = 0;
    Span *spans = NULL, **const of = malloc((n_lengths + 1) * sizeof *of);
    uint8_t *const called = malloc(length);
    int64_t *const starts = malloc(length * sizeof *starts);
    int done = of && called && starts;
    for (int64_t row = 0; done && row < rows; row++, sums += length + 1) {
        const int64_t n_starts = starts_of(sums, length, shortest, least, 0, starts);
        const int64_t needed = n_starts * (n_starts < n_lengths ? n_starts : n_lengths); /* each length has fewer */
        if (needed > room) {
            free(spans);
            spans = malloc(needed * sizeof *spans);
            room = needed;
            done = spans != NULL;
        }
        if (done && n_starts)
            n_called += call_row(sums, length, tails, shortest, n_lengths, threshold, starts, n_starts, spans, of, called,
                                 row * length, at + n_called, sizes + n_called);
    }
    *n = n_called;
    free(spans);
    free(of);
    free(called);
    free(starts);
    return !done;
}

/* P(sum of n bins >= i) from that of n - 1 bins, for i of `first` .. `last`, about which BLOCK more are written.  `shares` of
 * the bins are followed by zeros up to a multiple of 4 STEP, and as many numbers stand in front of `tails`. */
INLINE void add_bin(const double *restrict tails, const double *restrict shares, int64_t n_bins, int64_t first, int64_t last,
                    double *restrict out) {
    for (int64_t start = first; start <= last; start += BLOCK) {
        double sums[BLOCK] = {0};
        for (int64_t group = 0; group < n_bins; group += 4 * STEP)
            for (int64_t bin = group; bin < group + STEP; bin++) {
                const double a = shares[bin], b = shares[bin + STEP];
                const double c = shares[bin + 2 * STEP], d = shares[bin + 3 * STEP];
                if (a + b + c + d == 0) continue;
                const double *restrict source = tails + start - bin - 3 * STEP;
                for (int i = 0; i < BLOCK; i++) sums[i] += d * source[i];
                for (int i = 0; i < BLOCK; i++) sums[i] += c * source[i + STEP];
                for (int i = 0; i < BLOCK; i++) sums[i] += b * source[i + 2 * STEP];
                for (int i = 0; i < BLOCK; i++) sums[i] += a * source[i + 3 * STEP];
            }
        memcpy(out + start, sums, sizeof sums);
    }
}

/* Fills the rows of `from` .. `to` bins, `stride` apart, given the row before them at `tails`: from lowest[n] on, below which
 * stand ones, up to `highest`, or to what n bins can reach. */
EXPORT FOR_EACH_PROCESSOR int64_t nbinterp_tails(const double *shares, int64_t n_bins, int64_t from, int64_t to,
                                             const int64_t *lowest, int64_t highest, int64_t stride, double *tails) {
    for (int64_t n = from; n <= to; n++) {
        double *const row = tails + (n - from + 1) * stride;
        const int64_t reach = n * (n_bins - 1);
        for (int64_t i = 0; i < lowest[n]; i++) row[i] = 1;
        add_bin(row - stride, shares, n_bins, lowest[n], reach < highest ? reach : highest, row);
    }
    return 0;
}
