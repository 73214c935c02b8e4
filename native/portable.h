/* What differs between compilers and processors. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One library serves every processor of its kind: FOR_EACH_PROCESSOR has a function compiled for several of them (build.py
 * names those that the compiler knows), and the one that fits is taken when the library is loaded. */
#ifdef PROCESSORS
#define FOR_EACH_PROCESSOR __attribute__((target_clones(PROCESSORS)))
#else
#define FOR_EACH_PROCESSOR
#endif
#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
/* Exported functions take pointers, int64_t and double alone, and give int64_t or nothing: so nbinterp/core/native.py calls them. */
#define INLINE static inline __attribute__((always_inline)) /* into each of them */

#define FETCH(where) __builtin_prefetch(where)
#define PRAGMA(text) _Pragma(#text)
#define SIMD(clauses) PRAGMA(omp simd clauses)

/* Sixteen numbers that are worked on together. */
#define LANES 16
typedef int16_t Lane __attribute__((vector_size(2 * LANES)));
#ifdef __clang__
#define SHUFFLED(lanes, more, ...) __builtin_shufflevector(lanes, more, __VA_ARGS__)
#else
#define SHUFFLED(lanes, more, ...) __builtin_shuffle(lanes, more, (Lane){__VA_ARGS__})
#endif
/* The lanes from one on, as `more` follows. */
#define FROM(lanes, more, i)                                                                                       \
    SHUFFLED(lanes, more, i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7, i + 8, i + 9, i + 10, i + 11, i + 12, \
             i + 13, i + 14, i + 15)

INLINE Lane all_lanes(int16_t number) { return (Lane){0} + number; }

INLINE Lane lanes_at(const int16_t *where) {
    Lane lanes;
    memcpy(&lanes, where, sizeof lanes);
    return lanes;
}

INLINE Lane higher_lanes(Lane one, Lane other) {
    const Lane higher = one > other;
    return (one & higher) | (other & ~higher);
}

/* The highest of all lanes, in each. */
INLINE Lane highest_lane(Lane lanes) {
    lanes = higher_lanes(lanes, FROM(lanes, lanes, 8));
    lanes = higher_lanes(lanes, FROM(lanes, lanes, 4));
    lanes = higher_lanes(lanes, FROM(lanes, lanes, 2));
    return higher_lanes(lanes, FROM(lanes, lanes, 1));
}

INLINE int16_t sum_of_lanes(Lane lanes) {
    lanes += FROM(lanes, lanes, 8);
    lanes += FROM(lanes, lanes, 4);
    lanes += FROM(lanes, lanes, 2);
    lanes += FROM(lanes, lanes, 1);
    return lanes[0];
}
