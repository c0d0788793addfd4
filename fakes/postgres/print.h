/* print: tables as psql prints them (aligned, unaligned, expanded, CSV). */
#ifndef REHEARSE_FAKES_POSTGRES_PRINT_H
#define REHEARSE_FAKES_POSTGRES_PRINT_H

#include <stdbool.h>

#include "sim/base/buf.h"

struct print_options {
    bool unaligned, csv, tuples_only, expanded;
    const char *separator, *record_separator; /* of unaligned output */
    const char *null;
    int border; /* 0, 1 (default), 2 */
};

struct print_table {
    const char *title; /* or NULL */
    int n_columns, n_rows;
    const char *const *headers;
    const bool *right;          /* numbers */
    const char *const *cells;   /* n_rows * n_columns, NULL for null */
    const char *const *footers; /* NULL-terminated, instead of the row count; NULL: "(2 rows)" */
};

void print_table(struct buf *, const struct print_table *, const struct print_options *);

#endif
