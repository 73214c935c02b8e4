/* Letters to one-hot. */
#include "portable.h"

#define TOGETHER 2048 /* letters that stay in the cache while all rows are written */

INLINE int all_of(const uint8_t *found, int64_t n) {
    uint8_t all = 1;
    for (int64_t i = 0; i < n; i++) all &= found[i];
    return all;
}

/* Fills `out` (n_rows, n), given for each of the 256 letters its row, which at most two share; the row after the last is for
 * those that are in none.  Gives whether there was a letter of another row, or a row without one. */
EXPORT FOR_EACH_PROCESSOR int64_t nbinterp_one_hot(const uint8_t *letters, int64_t n, const uint8_t *rows, int64_t n_rows,
                                               uint8_t *restrict out) {
    uint8_t pairs[256][2], known[256] = {0}, ignored[256], found[TOGETHER];
    int n_ignored = 0;
    for (int letter = 0; letter < 256; letter++) {
        const int row = rows[letter];
        if (row == n_rows) ignored[n_ignored++] = letter;
        if (row >= n_rows) continue;
        pairs[row][1] = letter;
        if (!known[row]++) pairs[row][0] = letter;
    }
    for (int64_t row = 0; row < n_rows; row++)
        if (!known[row]) return 1;
    for (int64_t start = 0; start < n; start += TOGETHER) {
        const int64_t size = n - start < TOGETHER ? n - start : TOGETHER;
        memset(found, 0, size);
        for (int64_t row = 0; row < n_rows; row++) {
            uint8_t *restrict here = out + row * n + start;
            const uint8_t one = pairs[row][0], other = pairs[row][1];
            for (int64_t i = 0; i < size; i++) {
                here[i] = (letters[start + i] == one) | (letters[start + i] == other);
                found[i] |= here[i];
            }
        }
        if (all_of(found, size)) continue;
        for (int i = 0; i < n_ignored; i++)
            for (int64_t j = 0; j < size; j++) found[j] |= letters[start + j] == ignored[i];
        if (!all_of(found, size)) return 1;
    }
    return 0;
}
