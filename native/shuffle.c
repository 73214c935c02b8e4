/* Dinucleotide shuffles: lists of successors are permuted, and walks read them. */
#include "portable.h"

#define WALKS 8 /* together, since each waits for its memory at every step */

/* A row's lists, end to end in `current`, permuted `n` times as RandomState.shuffle does, all but the last of each, and
 * copied to `out` (n, length).  `words` are what the generator gives: they are masked, and those too high passed over.
 * Fills `reached` with how many of the n there were words for, and how many words these took.  `places` has room for
 * `length`. */
EXPORT int64_t nbinterp_permute(uint8_t *restrict current, int64_t length, const int64_t *counts, int64_t n_letters,
                            const uint32_t *words, int64_t n_words, uint32_t *restrict places, uint8_t *restrict out,
                            int64_t n, int64_t *reached) {
    const uint32_t *next = words, *const end = words + n_words;
    reached[1] = 0;
    for (int64_t i = 0; i < n; i++) {
        reached[0] = i;
        uint32_t *place = places;
        for (int64_t letter = 0; letter < n_letters; letter++) {
            uint32_t mask = UINT32_MAX;
            for (int64_t last = counts[letter] - 2; last > 0;) {
                while (mask >> 1 >= last) mask >>= 1;
                for (const int64_t least = mask >> 1; last > least;) { /* no branch, which nobody could foretell */
                    if (next == end) return 0;
                    *place = *next++ & mask;
                    const int fits = *place <= last;
                    place += fits;
                    last -= fits;
                }
            }
        }
        place = places;
        uint8_t *list = current;
        for (int64_t letter = 0; letter < n_letters; list += counts[letter++])
            for (int64_t last = counts[letter] - 2; last > 0; last--) {
                const uint8_t held = list[last];
                list[last] = list[*place];
                list[*place++] = held;
            }
        memcpy(out + i * length, current, length);
        reached[1] = next - words;
    }
    reached[0] = n;
    return 0;
}

/* Reads the lists (rows, n, steps), whose letters begin at `offsets` (rows, n_letters), into `paths` (rows, n, steps + 1)
 * that begin with `first` (rows): each visit to a letter takes the next of its list. */
EXPORT int64_t nbinterp_walk(const uint8_t *restrict lists, const int64_t *offsets, const uint8_t *first, int64_t rows,
                         int64_t n, int64_t steps, int64_t n_letters, uint8_t *restrict paths) {
    const uint8_t *next[WALKS][256];
    uint8_t letter[WALKS];
    for (int64_t start = 0; start < rows * n; start += WALKS) {
        const int walks = start + WALKS < rows * n ? WALKS : (int)(rows * n - start);
        uint8_t *path = paths + start * (steps + 1);
        for (int i = 0; i < walks; i++) {
            const int64_t row = (start + i) / n;
            const uint8_t *const list = lists + (start + i) * steps;
            for (int64_t j = 0; j < n_letters; j++) next[i][j] = list + offsets[row * n_letters + j];
            path[i * (steps + 1)] = letter[i] = first[row];
        }
        for (int64_t step = 1; step <= steps; step++)
            for (int i = 0; i < walks; i++) path[i * (steps + 1) + step] = letter[i] = *next[i][letter[i]]++;
    }
    return 0;
}
