/* What the parts of TOMTOM share. */
#pragma once

#include <math.h>

#include "portable.h"

/* Motifs, as distinct columns and which of them each motif has.  nbinterp/motif/tomtom_compiled.py has the same fields. */
typedef struct {
    int64_t n_letters, n_columns, n_motifs;
    const double *columns; /* of targets (letters, columns), of queries (columns, letters) */
    const double *norms;   /* squared */
    const int32_t *counts; /* how many columns each stands for */
    const int32_t *which;  /* the columns of all motifs, one motif after another */
    const int64_t *widths; /* of the motifs */
    const int64_t *order;  /* the motifs, from narrow to wide */
} Motifs;

/* What is known of a query column. */
typedef struct {
    double *distances; /* minus the distance from each target column */
    double low, high, median;
    int16_t *bins;        /* the score of each target column */
    int32_t *counts;      /* how many target columns are in each bin */
    double floor, scale;  /* with which it was scored */
    int compared, scored;
} Column;

/* The best alignment of the query at hand with each target: its score counted from no column aligned, its offset, its p-value. */
typedef struct {
    int64_t *score, *offset;
    double *p;
} Best;

/* The memory of a call. */
typedef struct {
    const Motifs *targets;
    int64_t n_score_bins, n_median_bins;
    double total;        /* target columns, merged ones counted */
    Column **query;      /* the columns of the query at hand */
    int32_t *places;     /* (target columns) */
    int32_t *histogram;  /* (median bins) or four of (score bins + 1) */
    int16_t *rows;       /* (segments, target columns, LANES) */
    int16_t *totals, *more;
    double *shares;      /* (places, score bins + 1) */
    double *chances;     /* what p-values are found in; grows */
    int64_t n_chances;
    Best best;
} Work;
