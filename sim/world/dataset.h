/* dataset: inside of a dataset, for store.c and ledger.c only. The outside is store.h.
 *
 * Tables are kept in byte order of their names. A table's contents are shared between copies of a
 * dataset and copied when one of them writes (`shares` counts the datasets that point at it).
 */
#ifndef REHEARSE_WORLD_DATASET_H
#define REHEARSE_WORLD_DATASET_H

#include "sim/world/store.h"

struct contents {
    int shares;
    struct idset rows;
    struct idset doubled; /* identities that are there more than once */
    int64_t more;         /* further copies beyond the second */
};
struct table {
    char *name;
    struct contents *contents;
};
struct dataset {
    struct table *tables;
    int n, cap;
    struct store *store; /* that it serves now, or NULL; told of every removal and addition */
};

/* The store's side: what left or came, before it does. `rows` may be NULL: an empty set. */
void store_note_removal(struct store *, const char *table, const struct idset *rows);
void store_note_doubled(struct store *, const char *table, const struct idset *rows);
void store_note_change(struct store *); /* of tables, not of rows */
/* Called before anything in the contents changes. */
void store_before_change(struct store *);

#endif
