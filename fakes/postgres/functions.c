#include <string.h>

#include "fakes/postgres/translate.h"

/* How a function is carried out: `sqlite` with $1 .. $9 for its arguments, $* for all of them. Argument kinds, one
 * letter each: n number, t text, z timestamp, d any time, i interval, b boolean, a any; the last one may be followed
 * by + (one or more). The result is `type`, or that of the first argument where type is PG_UNKNOWN. */
struct function {
    const char *name, *arguments, *sqlite;
    enum pg_type type;
    bool aggregate;
};

static const struct function functions[] = {
    {"count", "a", "count($1)", PG_INT8, true},
    {"sum", "n", "pg_sum($1)", PG_UNKNOWN, true},
    {"avg", "n", "pg_avg($1)", PG_NUMERIC, true},
    {"min", "a", "min($1)", PG_UNKNOWN, true},
    {"max", "a", "max($1)", PG_UNKNOWN, true},
    {"string_agg", "tt", "group_concat($1, $2)", PG_TEXT, true},
    {"array_agg", "a", "'{' || group_concat($1) || '}'", PG_TEXT_ARRAY, true},
    {"json_agg", "a", "json_group_array($1)", PG_JSON, true},
    {"bool_and", "b", "min($1)", PG_BOOL, true},
    {"every", "b", "min($1)", PG_BOOL, true},
    {"bool_or", "b", "max($1)", PG_BOOL, true},
    {"row_number", "", "row_number()", PG_INT8, false},
    {"rank", "", "rank()", PG_INT8, false},
    {"dense_rank", "", "dense_rank()", PG_INT8, false},
    {"lag", "a", "lag($1)", PG_UNKNOWN, false},
    {"lead", "a", "lead($1)", PG_UNKNOWN, false},
    {"clock_timestamp", "", "pg_clock_timestamp()", PG_TIMESTAMPTZ, false},
    {"date_trunc", "tz", "pg_trunc($1, $2)", PG_TIMESTAMPTZ, false}, /* of a timestamp: a timestamp */
    {"date_part", "td", "pg_part($1, $2)", PG_FLOAT8, false},
    {"extract", "td", "pg_part($1, $2)", PG_NUMERIC, false},
    {"date_part", "ti", "pg_interval_part($1, $2)", PG_FLOAT8, false},
    {"extract", "ti", "pg_interval_part($1, $2)", PG_NUMERIC, false},
    {"age", "zz", "pg_between($1, $2)", PG_INTERVAL, false},
    {"to_char", "zt", "pg_to_char($1, $2)", PG_TEXT, false},
    {"to_timestamp", "n", "CAST($1 * 1000000 AS INTEGER)", PG_TIMESTAMPTZ, false},
    {"lower", "t", "lower($1)", PG_TEXT, false},
    {"upper", "t", "upper($1)", PG_TEXT, false},
    {"length", "t", "length($1)", PG_INT4, false},
    {"char_length", "t", "length($1)", PG_INT4, false},
    {"octet_length", "t", "length(CAST($1 AS BLOB))", PG_INT4, false},
    {"substr", "tn", "substr($1, $2)", PG_TEXT, false},
    {"substr", "tnn", "substr($1, $2, $3)", PG_TEXT, false},
    {"substring", "tn", "substr($1, $2)", PG_TEXT, false},
    {"substring", "tnn", "substr($1, $2, $3)", PG_TEXT, false},
    {"left", "tn", "substr($1, 1, $2)", PG_TEXT, false},
    {"right", "tn", "substr($1, -($2))", PG_TEXT, false},
    {"replace", "ttt", "replace($1, $2, $3)", PG_TEXT, false},
    {"btrim", "t", "trim($1, ' ')", PG_TEXT, false},
    {"btrim", "tt", "trim($1, $2)", PG_TEXT, false},
    {"ltrim", "t", "ltrim($1, ' ')", PG_TEXT, false},
    {"rtrim", "t", "rtrim($1, ' ')", PG_TEXT, false},
    {"strpos", "tt", "instr($1, $2)", PG_INT4, false},
    {"position", "tt", "instr($1, $2)", PG_INT4, false},
    {"starts_with", "tt", "(substr($1, 1, length($2)) = $2)", PG_BOOL, false},
    {"split_part", "ttn", "pg_split($1, $2, $3)", PG_TEXT, false},
    {"repeat", "tn", "replace(printf('%*s', $2, ''), ' ', $1)", PG_TEXT, false},
    {"md5", "t", "pg_md5($1)", PG_TEXT, false},
    {"concat", "a+", "pg_concat($*)", PG_TEXT, false},
    {"quote_ident", "t", "pg_quote_ident($1)", PG_TEXT, false},
    {"quote_literal", "t", "quote($1)", PG_TEXT, false},
    {"abs", "n", "abs($1)", PG_UNKNOWN, false},
    {"round", "n", "pg_round($1, 0)", PG_NUMERIC, false},
    {"round", "nn", "pg_round($1, $2)", PG_NUMERIC, false},
    {"floor", "n", "pg_floor($1)", PG_NUMERIC, false},
    {"ceil", "n", "-pg_floor(-($1))", PG_NUMERIC, false},
    {"ceiling", "n", "-pg_floor(-($1))", PG_NUMERIC, false},
    {"mod", "nn", "($1 % pg_divisor($2))", PG_UNKNOWN, false},
    {"random", "", "pg_random()", PG_FLOAT8, false},
    {"gen_random_uuid", "", "pg_uuid()", PG_UUID, false},
    {"uuid_generate_v4", "", "pg_uuid()", PG_UUID, false},
    {"version", "", "pg_version()", PG_TEXT, false},
    {"pg_backend_pid", "", "pg_backend_pid()", PG_INT4, false},
    {"pg_terminate_backend", "n", "pg_terminate_backend($1)", PG_BOOL, false},
    {"pg_cancel_backend", "n", "pg_cancel_backend($1)", PG_BOOL, false},
    {"pg_is_in_recovery", "", "0", PG_BOOL, false},
    {"pg_reload_conf", "", "1", PG_BOOL, false},
    {"pg_database_size", "t", "pg_database_size($1)", PG_INT8, false},
    {"pg_total_relation_size", "t", "pg_relation_size($1)", PG_INT8, false},
    {"pg_relation_size", "t", "pg_relation_size($1)", PG_INT8, false},
    {"pg_table_size", "t", "pg_relation_size($1)", PG_INT8, false},
    {"pg_size_pretty", "n", "pg_size_pretty($1)", PG_TEXT, false},
    {"pg_postmaster_start_time", "", "pg_start_time()", PG_TIMESTAMPTZ, false},
    {"to_regclass", "t", "pg_to_regclass($1)", PG_REGCLASS, false},
    {"nextval", "t", "pg_nextval($1)", PG_INT8, false},
    {"currval", "t", "pg_currval($1)", PG_INT8, false},
    {"setval", "tn", "pg_setval($1, $2, 1)", PG_INT8, false},
    {"setval", "tnb", "pg_setval($1, $2, $3)", PG_INT8, false},
    {"current_database", "", "pg_current_database()", PG_NAME, false},
    {"current_schema", "", "'public'", PG_NAME, false},
    {"current_setting", "t", "pg_setting($1)", PG_TEXT, false},
    {"set_config", "ttb", "pg_set_config($1, $2)", PG_TEXT, false},
    {"pg_current_wal_lsn", "", "pg_wal_lsn()", PG_TEXT, false},
    {"pg_switch_wal", "", "pg_wal_lsn()", PG_TEXT, false},
    {"txid_current", "", "pg_txid()", PG_INT8, false},
    {"pg_get_userbyid", "n", "'postgres'", PG_NAME, false},
    {"pg_table_is_visible", "n", "1", PG_BOOL, false},
    {"pg_stat_reset", "", "NULL", PG_VOID, false},
    {"jsonb_array_length", "a", "json_array_length($1)", PG_INT4, false},
    {"json_array_length", "a", "json_array_length($1)", PG_INT4, false},
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions, ARGUMENTS_MAX = 16 };

static bool fits(enum pg_type type, char kind)
{
    if (type == PG_UNKNOWN || kind == 'a')
        return true;
    switch (kind) {
    case 'n':
        return pg_type_is_number(type);
    case 't':
        return pg_type_is_text(type) || type == PG_REGCLASS || type == PG_OID;
    case 'z':
    case 'd':
        return pg_type_is_time(type);
    case 'i':
        return type == PG_INTERVAL;
    case 'b':
        return type == PG_BOOL;
    }
    return false;
}

static enum pg_type type_for(char kind)
{
    return kind == 'n'   ? PG_NUMERIC
           : kind == 'z' ? PG_TIMESTAMPTZ
           : kind == 'd' ? PG_TIMESTAMPTZ
           : kind == 'i' ? PG_INTERVAL
           : kind == 'b' ? PG_BOOL
                         : PG_TEXT;
}

static char kind_at(const char *kinds, int i)
{
    int n = (int)strlen(kinds);
    if (n && kinds[n - 1] == '+')
        return i >= n - 2 ? kinds[n - 2] : kinds[i];
    return i < n ? kinds[i] : '\0';
}

static const struct function *choose(const char *name, const struct pg_expr *args, int n)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        const struct function *f = &functions[i];
        if (strcmp(f->name, name) != 0)
            continue;
        size_t len = strlen(f->arguments);
        bool many = len && f->arguments[len - 1] == '+';
        bool ok = many ? n >= 1 : (size_t)n == len;
        for (int k = 0; k < n && ok; k++)
            ok = fits(args[k].type, kind_at(f->arguments, k));
        if (ok)
            return f;
    }
    return NULL;
}

static const char *expand(struct translation *t, const char *template, const struct pg_expr *args, int n)
{
    struct buf sql;
    buf_init(&sql, 1 << 20);
    for (const char *p = template; *p; p++) {
        if (*p != '$') {
            buf_putc(&sql, *p);
        } else if (*++p == '*') {
            for (int i = 0; i < n; i++)
                buf_printf(&sql, "%s%s", i ? ", " : "", args[i].sql);
        } else {
            buf_puts(&sql, args[*p - '1'].sql);
        }
    }
    const char *text = arena_str(t->arena, buf_text(&sql));
    buf_release(&sql);
    return text;
}

static void no_function(struct translation *t, const char *name, const struct pg_expr *args, int n, int location)
{
    struct buf list;
    buf_init(&list, 4096);
    for (int i = 0; i < n; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", pg_types[args[i].type].name);
    pg_fail(t->session, "42883", location, "function %s(%s) does not exist", name, list.len ? list.at : "");
    pg_hint(t->session, "No function matches the given name and argument types. "
                        "You might need to add explicit type casts.");
    buf_release(&list);
}

static enum pg_type result_type(const struct function *f, const struct pg_expr *args)
{
    if (strcmp(f->name, "sum") == 0)
        return args[0].type == PG_INT8 || args[0].type == PG_NUMERIC ? PG_NUMERIC
               : pg_type_is_number(args[0].type) && args[0].type < PG_INT8 ? PG_INT8
                                                                           : args[0].type;
    if (strcmp(f->name, "avg") == 0 || strcmp(f->name, "round") == 0 || strcmp(f->name, "floor") == 0 ||
        strncmp(f->name, "ceil", 4) == 0)
        return args[0].type == PG_FLOAT8 || args[0].type == PG_FLOAT4 || (*f->name != 'a' && args[0].type == PG_INT4)
                   ? PG_FLOAT8
                   : PG_NUMERIC;
    if (strcmp(f->name, "date_trunc") == 0)
        return args[1].type == PG_TIMESTAMP ? PG_TIMESTAMP : PG_TIMESTAMPTZ;
    if (f->type != PG_UNKNOWN)
        return f->type;
    return args[0].type == PG_UNKNOWN ? PG_TEXT : args[0].type;
}

static const char *window(struct translation *t, const cJSON *over)
{
    struct buf sql;
    buf_init(&sql, 1 << 16);
    buf_puts(&sql, " OVER (");
    const cJSON *item;
    bool any = false;
    if (*node_text(over, "name"))
        pg_not_simulated(t->session, node_location(over), "a named window");
    cJSON_ArrayForEach(item, node_get(over, "partitionClause"))
    {
        buf_printf(&sql, "%s%s", any ? ", " : "PARTITION BY ", translate_expr(t, item).sql);
        any = true;
    }
    any = false;
    cJSON_ArrayForEach(item, node_get(over, "orderClause"))
    {
        const cJSON *by = node_get(item, "SortBy");
        bool descending = strcmp(node_text(by, "sortby_dir"), "SORTBY_DESC") == 0;
        buf_printf(&sql, "%s%s%s", any ? ", " : " ORDER BY ", translate_expr(t, node_get(by, "node")).sql,
                   descending ? " DESC NULLS FIRST" : " NULLS LAST");
        any = true;
    }
    buf_putc(&sql, ')');
    const char *text = arena_str(t->arena, buf_text(&sql));
    buf_release(&sql);
    return text;
}

/* Functions whose value is known before the statement runs. */
static bool immediate(struct translation *t, const char *name, const struct pg_expr *args, int n,
                      struct pg_expr *ret)
{
    if (n == 0 && (strcmp(name, "now") == 0 || strcmp(name, "transaction_timestamp") == 0 ||
                   strcmp(name, "statement_timestamp") == 0)) {
        ret->sql = "pg_transaction_us()";
        ret->type = PG_TIMESTAMPTZ;
        return true;
    }
    if (strcmp(name, "pg_sleep") == 0 && n == 1) {
        t->sleeps = true;
        const char *number = args[0].literal ? args[0].literal : args[0].sql;
        struct str text = str_of(number);
        while (text.len && (*text.at == '(' || *text.at == '\'')) {
            text.at++;
            text.len--;
        }
        for (double unit = 1; text.len && ((*text.at >= '0' && *text.at <= '9') || *text.at == '.');
             text.at++, text.len--) {
            if (*text.at == '.')
                unit = 0.1;
            else if (unit < 1)
                t->sleep_s += unit * (*text.at - '0'), unit /= 10;
            else
                t->sleep_s = t->sleep_s * 10 + (*text.at - '0');
        }
        ret->sql = "''";
        ret->type = PG_VOID;
        return true;
    }
    return false;
}

static void aggregate_check(struct translation *t, const char *name, int location)
{
    if (t->clause && strcmp(t->clause, "HAVING") != 0)
        pg_fail(t->session, "42803", location,
                strcmp(t->clause, "WHERE") == 0 ? "aggregate functions are not allowed in %s"
                                                : "aggregate functions are not allowed in %s conditions",
                strcmp(t->clause, "WHERE") == 0 ? "WHERE" : "JOIN");
    if (t->aggregate_depth > 1)
        pg_fail(t->session, "42803", location, "aggregate function calls cannot be nested");
    (void)name;
    t->has_aggregate = true;
}

/* A sequence named by a constant must be there when the statement is read. */
static void check_sequence(struct translation *t, struct pg_expr name)
{
    const char *point = strrchr(name.literal, '.');
    const char *schema = point ? arena_printf(t->arena, "%.*s", (int)(point - name.literal), name.literal) : NULL;
    if (!catalog_find(t->database, t->arena, schema, point ? point + 1 : name.literal))
        pg_fail(t->session, "42P01", name.location, "relation \"%s\" does not exist", name.literal);
}

struct pg_expr translate_function(struct translation *t, const cJSON *call)
{
    const cJSON *names = node_get(call, "funcname"), *item;
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    int location = node_location(call), n = 0;
    struct pg_expr args[ARGUMENTS_MAX] = {{0}};
    struct pg_expr e = {.typmod = -1, .name = name, .location = location};
    bool aggregate = false;
    for (int i = 0; i < N_FUNCTIONS; i++)
        aggregate |= functions[i].aggregate && strcmp(functions[i].name, name) == 0;
    const cJSON *over = node_get(call, "over");
    if (aggregate && !over)
        t->aggregate_depth++;
    cJSON_ArrayForEach(item, node_get(call, "args"))
    {
        if (n < ARGUMENTS_MAX)
            args[n++] = translate_expr(t, item);
    }
    const char *filter = NULL;
    if (node_get(call, "agg_filter"))
        filter = translate_where(t, node_get(call, "agg_filter"), "FILTER");
    if (aggregate && !over) {
        aggregate_check(t, name, location);
        t->aggregate_depth--;
    }
    if (immediate(t, name, args, n, &e))
        return e;
    if (strcmp(name, "age") == 0 && n == 1) {
        args[1] = args[0];
        args[0] = (struct pg_expr){.sql = arena_printf(t->arena, "%lld",
                                                       (long long)t->session->began_us / 86400000000 * 86400000000),
                                   .type = PG_TIMESTAMPTZ, .typmod = -1};
        n = 2;
    }
    if (node_true(call, "agg_star") && strcmp(name, "count") == 0) {
        e.sql = "count(*)";
        e.type = PG_INT8;
    } else {
        const struct function *f = choose(name, args, n);
        if (!f) {
            if (catalog_int(t->database, 0, "SELECT count(*) FROM pgc_function WHERE name = %s",
                            sql_text(t->arena, name)))
                pg_not_simulated(t->session, location, "calling the function %s()", name);
            else
                no_function(t, name, args, n, location);
            e.sql = "NULL";
            e.type = PG_TEXT;
            return e;
        }
        e.type = result_type(f, args);
        if (args[0].literal && (strcmp(name, "nextval") == 0 || strcmp(name, "currval") == 0 || strcmp(name, "setval") == 0))
            check_sequence(t, args[0]);
        for (int i = 0; i < n; i++) {
            char kind = kind_at(f->arguments, i);
            if (args[i].type == PG_UNKNOWN)
                args[i] = coerce(t, args[i], type_for(kind), -1, COERCE_IMPLICIT, NULL);
            else if (kind == 'z' || (kind == 'd' && args[i].type == PG_DATE))
                args[i] = coerce(t, args[i], args[i].type == PG_DATE ? PG_TIMESTAMPTZ : args[i].type, -1,
                                 COERCE_EXPLICIT, NULL);
            else if (strcmp(name, "concat") == 0)
                args[i] = coerce(t, args[i], PG_TEXT, -1, COERCE_EXPLICIT, NULL);
        }
        if (node_true(call, "agg_distinct"))
            args[0].sql = arena_printf(t->arena, "DISTINCT %s", args[0].sql);
        bool numeric_extreme = args[0].type == PG_NUMERIC && (strcmp(name, "min") == 0 || strcmp(name, "max") == 0);
        e.sql = expand(t, n && numeric_extreme ? (name[1] == 'i' ? "pg_min($1)" : "pg_max($1)") : f->sqlite, args, n);
        if (f->sqlite[0] == 'p' && e.type == PG_FLOAT8)
            e.sql = arena_printf(t->arena, "CAST(%s AS REAL)", e.sql);
    }
    if (filter)
        e.sql = arena_printf(t->arena, "%s FILTER (WHERE %s)", e.sql, filter);
    if (over)
        e.sql = arena_printf(t->arena, "%s%s", e.sql, window(t, over));
    return e;
}
