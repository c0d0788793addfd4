/* types: PostgreSQL's types as the fake server keeps them, and their text forms.
 *
 * Values live in SQLite columns without affinity: boolean, integers and oid as INTEGER; float as
 * REAL; numeric as INTEGER, REAL or decimal TEXT; date as days and timestamps as microseconds since
 * 1970 (UTC), INTEGER; interval as TEXT "months/days/microseconds"; everything else as TEXT. The
 * session's time zone is always UTC.
 */
#ifndef REHEARSE_FAKES_POSTGRES_TYPES_H
#define REHEARSE_FAKES_POSTGRES_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

enum pg_type {
    PG_UNKNOWN, /* a quoted constant that takes the type asked for */
    PG_BOOL,
    PG_INT2,
    PG_INT4,
    PG_INT8,
    PG_NUMERIC,
    PG_FLOAT4,
    PG_FLOAT8,
    PG_TEXT,
    PG_VARCHAR,
    PG_BPCHAR,
    PG_NAME,
    PG_DATE,
    PG_TIME,
    PG_TIMESTAMP,
    PG_TIMESTAMPTZ,
    PG_INTERVAL,
    PG_JSON,
    PG_JSONB,
    PG_UUID,
    PG_INET,
    PG_BYTEA,
    PG_OID,
    PG_REGCLASS,
    PG_TEXT_ARRAY,
    PG_INT4_ARRAY,
    PG_VOID,
    PG_RECORD,
    PG_TRIGGER,
    PG_ENUM, /* which one: its oid is the modifier (enums.c) */
    PG_TYPES
};

struct pg_type_info {
    const char *name;     /* as format_type() shows it: "character varying" */
    const char *internal; /* as pg_type has it: "varchar" */
    char category;        /* N number, S text, B boolean, D time, T interval, U other, X unknown */
    int oid;
};
extern const struct pg_type_info pg_types[PG_TYPES];

/* The type with that name or alias ("int", "timestamp with time zone"); -1: none. */
int pg_type_of(const char *name);
bool pg_type_is_number(enum pg_type);
bool pg_type_is_text(enum pg_type);
bool pg_type_is_time(enum pg_type); /* date and timestamps */
/* With its modifier: "character varying(30)", "numeric(10,2)". typmod as in PostgreSQL, -1 none. */
const char *pg_type_format(struct arena *, enum pg_type, int typmod);

struct pg_interval {
    int64_t months, days, us;
};

/* Text to microseconds (or days for PG_DATE, microseconds of the day for PG_TIME); false if
 * malformed. `now_us` is what 'now', 'today' ... mean. */
bool pg_time_in(const char *text, enum pg_type, int64_t now_us, int64_t *ret);
void pg_time_out(struct buf *, enum pg_type, int64_t value);
bool pg_interval_in(const char *text, struct pg_interval *ret);
void pg_interval_out(struct buf *, struct pg_interval);
/* The form in which an interval is kept. */
bool pg_interval_load(const char *kept, struct pg_interval *ret);
void pg_interval_keep(struct buf *, struct pg_interval);
int64_t pg_time_plus(int64_t us, struct pg_interval, int sign);

struct pg_civil {
    int64_t year;
    int month, day, hour, minute, second, microsecond;
    int day_of_week, day_of_year; /* Sunday 0; January 1st 1 */
};
struct pg_civil pg_civil_of(int64_t us);
int64_t pg_us_of(const struct pg_civil *); /* fields out of range are carried over */

#endif
