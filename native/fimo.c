/* FIMO: where motifs are, by the words that leave them a chance.
 *
 * In: rows of scores (a motif on a strand each) and codes of sequence (A C G T are 0 to 3, an unknown base is 4).  Out: the
 * windows without unknown bases that score above their row's threshold, scored as nbinterp/motif/scan.py does, in double
 * precision from left to right.
 *
 * A row's most informative columns are a word.  A dictionary has, for every word, the rows that may be hits where it stands,
 * and what each may still lose in its other columns; a small table tells what four of those lose at least, then four more.
 * What is left, of JASPAR's motifs at p < 1e-4 one window in three thousand, is scored in full.
 */
#include <math.h>

#include "portable.h"

#define LETTERS 5
#define QUAD 4     /* columns to a block */
#define UNITS 250  /* of what a row may lose at all */
#define SLACK 1e-6 /* sums in another order differ by less */
#define AHEAD 16   /* places between what is fetched from memory and what is looked at */

/* nbinterp/motif/scan_compiled.py has the fields of both. */
typedef struct {
    int64_t width;
    int64_t first;    /* of its columns */
    double threshold; /* a hit scores more */
    int64_t offset;   /* of the word among its columns */
    double best;      /* what all columns can add */
    double unit;      /* in which losses are counted */
} Row;

/* Of two blocks of a row's columns beside the word. */
typedef struct {
    int32_t at[2];        /* where they begin, from the word on */
    uint8_t lost[2][256]; /* what each word of theirs loses at least */
} Filter;

static double highest(const double *column) {
    double best = column[0];
    for (int letter = 1; letter < 4; letter++) best = column[letter] > best ? column[letter] : best;
    return best;
}

/* Finds the `length` columns in a row that tell most, none of them used; gives where they begin, or -1. */
static int64_t informative(const double *columns, const uint8_t *used, int64_t width, int64_t length) {
    int64_t found = -1;
    double most = -1;
    for (int64_t begin = 0; begin + length <= width; begin++) {
        double gain = 0;
        int taken = 0;
        for (int64_t i = begin; i < begin + length; i++) {
            const double *one = columns + i * LETTERS;
            gain += highest(one) - (one[0] + one[1] + one[2] + one[3]) / 4;
            taken |= used[i];
        }
        if (taken || gain <= most) continue;
        most = gain;
        found = begin;
    }
    return found;
}

/* What the letters of a block lose against the best ones. */
static void fill_losses(const double *columns, int64_t length, double unit, uint8_t *losses) {
    for (int word = 0; word < 256; word++) {
        double loss = 0;
        for (int64_t i = 0; i < length; i++)
            loss += highest(columns + i * LETTERS) - columns[i * LETTERS + (word >> 2 * (QUAD - 1 - i) & 3)];
        const double units = floor((loss - SLACK) / unit);
        losses[word] = units < 0 ? 0 : units > 255 ? 255 : (uint8_t)units;
    }
}

/* Lays out rows, of which width, first and threshold are given, for words of `length` letters.  `used` is as long as the widest. */
EXPORT void nbinterp_fimo_rows(Row *rows, int64_t n_rows, const double *columns, int64_t length, Filter *filters, uint8_t *used) {
    for (int64_t i = 0; i < n_rows; i++) {
        Row *const row = rows + i;
        const double *const own = columns + row->first * LETTERS;
        const int64_t own_length = row->width < length ? row->width : length;
        row->best = 0;
        for (int64_t j = 0; j < row->width; j++) row->best += highest(own + j * LETTERS);
        row->unit = row->best > row->threshold ? (row->best - row->threshold) / UNITS : 1;
        memset(used, 0, row->width);
        row->offset = informative(own, used, row->width, own_length);
        memset(used + row->offset, 1, own_length);
        for (int block = 0; block < 2; block++) {
            int64_t n = QUAD, begin = -1;
            while (n && (begin = informative(own, used, row->width, n)) < 0) n--;
            begin = n ? begin : row->offset; /* no column is left */
            memset(used + begin, 1, n);
            filters[i].at[block] = (int32_t)(begin - row->offset);
            fill_losses(own + begin * LETTERS, n, row->unit, filters[i].lost[block]);
        }
    }
}

typedef struct {
    const double *columns; /* of the word */
    double after[16];      /* what columns from each one on can add at best */
    double least;          /* what the word must score */
    double unit;
    int64_t length, free; /* letters, and bits of letters that may be any: a narrow motif is at every word that begins like it */
    uint32_t row;
    uint32_t *next;    /* for every word, how many rows it has, or where its next one goes */
    uint32_t *entries; /* NULL: they are counted */
} Listing;

static void list_words(const Listing *listing, int64_t depth, uint32_t word, double score) {
    if (depth < listing->length) {
        for (uint32_t letter = 0; letter < 4; letter++) {
            const double longer = score + listing->columns[depth * LETTERS + letter];
            if (longer + listing->after[depth + 1] > listing->least) list_words(listing, depth + 1, word << 2 | letter, longer);
        }
        return;
    }
    const double left = ceil((score - listing->least) / listing->unit);
    const uint32_t entry = listing->row << 8 | (left < 255 ? (uint32_t)left : 255);
    uint32_t *const next = listing->next + ((uint64_t)word << listing->free);
    for (int64_t i = 0; i < (int64_t)1 << listing->free; i++) {
        if (listing->entries) listing->entries[next[i]] = entry;
        next[i]++;
    }
}

/* Counts the rows that may be at each word of `length` letters in `next`; or, with `entries`, puts them at `next`, and moves it. */
EXPORT void nbinterp_fimo_words(const Row *rows, int64_t n_rows, const double *columns, int64_t length, uint32_t *next,
                                uint32_t *entries) {
    for (int64_t i = 0; i < n_rows; i++) {
        const int64_t own = rows[i].width < length ? rows[i].width : length;
        Listing listing = {.columns = columns + (rows[i].first + rows[i].offset) * LETTERS, .unit = rows[i].unit, .length = own,
                           .free = 2 * (length - own), .row = (uint32_t)i, .next = next, .entries = entries};
        for (int64_t j = own; j-- > 0;) listing.after[j] = listing.after[j + 1] + highest(listing.columns + j * LETTERS);
        listing.least = rows[i].threshold - (rows[i].best - listing.after[0]) - SLACK;
        list_words(&listing, 0, 0, 0);
    }
}

/* What a scan looks up at each place: how wide a window without unknown bases may be that begins there (0 beyond the `own` first
 * ones of a piece), and the number of the QUAD letters that do.  Unknown bases read as A. */
EXPORT void nbinterp_fimo_places(const uint8_t *codes, const int64_t *bounds, const int64_t *own, int64_t n_pieces, int32_t *clear,
                                 uint8_t *quads) {
    unsigned quad = 0;
    for (int64_t piece = n_pieces; piece-- > 0;) {
        int32_t run = 0;
        for (int64_t i = bounds[piece + 1]; i-- > bounds[piece];) {
            run = codes[i] > 3 ? 0 : run + 1;
            clear[i] = i - bounds[piece] < own[piece] ? run : 0;
            quad = quad >> 2 | (codes[i] & 3u) << 2 * (QUAD - 1);
            quads[i] = (uint8_t)quad;
        }
    }
}

INLINE uint64_t letter_at(const uint8_t *codes, int64_t n, int64_t i) { return i < n ? codes[i] & 3u : 0; }

/* Finds the hits whose word begins in [*begin, end), for as long as there is `room` for them; gives their number, and in
 * *begin where to go on.  `quads` may be read as far before the first place and behind the last as the widest row is. */
EXPORT int64_t nbinterp_fimo_scan(const Row *rows, const Filter *filters, const double *columns, const uint32_t *first,
                                  const uint32_t *entries, int64_t length, const uint8_t *codes, const int32_t *clear,
                                  const uint8_t *quads, int64_t n, int64_t *begin, int64_t end, int64_t room, int64_t *hit_rows,
                                  int64_t *starts, double *scores) {
    const uint64_t mask = ((uint64_t)1 << 2 * length) - 1;
    uint64_t newest = 0, words[AHEAD];
    int64_t n_hits = 0, i = *begin;
    for (int64_t j = i; j < i + length - 1; j++) newest = newest << 2 | letter_at(codes, n, j);
    for (int64_t j = i; j < i + AHEAD; j++)
        words[j % AHEAD] = newest = (newest << 2 | letter_at(codes, n, j + length - 1)) & mask;
    for (; i < end; i++) {
        const uint64_t word = words[i % AHEAD], soon = words[(i + AHEAD / 2) % AHEAD];
        if (n_hits + first[word + 1] - first[word] > room) break;
        words[i % AHEAD] = newest = (newest << 2 | letter_at(codes, n, i + AHEAD + length - 1)) & mask;
        FETCH(first + newest);
        for (uint32_t at = first[soon]; at < first[soon + 1]; at += 16) FETCH(entries + at);
        for (uint32_t at = first[word]; at < first[word + 1]; at++) {
            const uint32_t entry = entries[at], left = entry & 255;
            const Filter *const filter = filters + (entry >> 8);
            const uint32_t lost = filter->lost[0][quads[i + filter->at[0]]];
            if (lost > left || lost + filter->lost[1][quads[i + filter->at[1]]] > left) continue;
            const Row *const row = rows + (entry >> 8);
            const int64_t start = i - row->offset;
            if (start < 0 || clear[start] < row->width) continue;
            const double *column = columns + row->first * LETTERS;
            double score = 0;
            for (int64_t j = 0; j < row->width; j++, column += LETTERS) score += column[codes[start + j]];
            if (!(score > row->threshold)) continue;
            hit_rows[n_hits] = entry >> 8;
            starts[n_hits] = start;
            scores[n_hits++] = score;
        }
    }
    *begin = i;
    return n_hits;
}
