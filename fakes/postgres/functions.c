#include <string.h>
#include <strings.h>

#include "fakes/postgres/translate.h"

/* How a function is carried out: `sqlite` with $1 .. $9 for its arguments, $* for all of them.
 * Argument kinds, one letter each: n number, t text, z timestamp, d any time, i interval, b
 * boolean, a any; the last one may be followed by + (one or more). The result is `type`, or that of
 * the first argument where type is PG_UNKNOWN. */
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
    {"array_agg", "a", "pg_collect($1, NULL, NULL, 0)", PG_TEXT_ARRAY, true},
    {"json_agg", "a", "json_group_array($1)", PG_JSON, true},
    {"bool_and", "b", "min($1)", PG_BOOL, true},
    {"every", "b", "min($1)", PG_BOOL, true},
    {"bool_or", "b", "max($1)", PG_BOOL, true},
    {"row_number", "", "row_number()", PG_INT8, false},
    {"rank", "", "rank()", PG_INT8, false},
    {"dense_rank", "", "dense_rank()", PG_INT8, false},
    {"lag", "a", "lag($1)", PG_UNKNOWN, false},
    {"lag", "an", "lag($1, $2)", PG_UNKNOWN, false},
    {"lag", "ana", "lag($1, $2, $3)", PG_UNKNOWN, false},
    {"lead", "a", "lead($1)", PG_UNKNOWN, false},
    {"lead", "an", "lead($1, $2)", PG_UNKNOWN, false},
    {"lead", "ana", "lead($1, $2, $3)", PG_UNKNOWN, false},
    {"ntile", "n", "ntile($1)", PG_INT4, false},
    {"first_value", "a", "first_value($1)", PG_UNKNOWN, false},
    {"last_value", "a", "last_value($1)", PG_UNKNOWN, false},
    {"nth_value", "an", "nth_value($1, $2)", PG_UNKNOWN, false},
    {"percent_rank", "", "percent_rank()", PG_FLOAT8, false},
    {"cume_dist", "", "cume_dist()", PG_FLOAT8, false},
    {"clock_timestamp", "", "pg_clock_timestamp()", PG_TIMESTAMPTZ, false},
    {"date_trunc", "tz", "pg_trunc($1, $2)", PG_TIMESTAMPTZ,
     false}, /* of a timestamp: a timestamp */
    {"date_part", "td", "pg_part($1, $2)", PG_FLOAT8, false},
    {"extract", "td", "pg_part($1, $2)", PG_NUMERIC, false},
    {"date_part", "ti", "pg_interval_part($1, $2)", PG_FLOAT8, false},
    {"extract", "ti", "pg_interval_part($1, $2)", PG_NUMERIC, false},
    {"age", "zz", "pg_between($1, $2)", PG_INTERVAL, false},
    {"to_char", "nt", NULL, PG_TEXT, false}, /* NULL: PostgreSQL has it, we do not */
    {"to_char", "it", NULL, PG_TEXT, false},
    {"date_trunc", "ti", NULL, PG_INTERVAL, false},
    {"substring", "tt", NULL, PG_TEXT, false},
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
    {"lpad", "tn", "pg_pad($1, $2, ' ', 1)", PG_TEXT, false},
    {"lpad", "tnt", "pg_pad($1, $2, $3, 1)", PG_TEXT, false},
    {"rpad", "tn", "pg_pad($1, $2, ' ', 0)", PG_TEXT, false},
    {"rpad", "tnt", "pg_pad($1, $2, $3, 0)", PG_TEXT, false},
    {"ltrim", "tt", "ltrim($1, $2)", PG_TEXT, false},
    {"rtrim", "tt", "rtrim($1, $2)", PG_TEXT, false},
    {"reverse", "t", "pg_reverse($1)", PG_TEXT, false},
    {"initcap", "t", "pg_initcap($1)", PG_TEXT, false},
    {"chr", "n", "char($1)", PG_TEXT, false},
    {"ascii", "t", "ifnull(unicode($1), 0)", PG_INT4, false},
    {"regexp_replace", "ttt", "pg_regexp_replace($1, $2, $3, '')", PG_TEXT, false},
    {"regexp_replace", "tttt", "pg_regexp_replace($1, $2, $3, $4)", PG_TEXT, false},
    {"to_date", "tt", "pg_date(pg_to_time($1, $2))", PG_DATE, false},
    {"to_timestamp", "tt", "pg_to_time($1, $2)", PG_TIMESTAMPTZ, false},
    {"format", "t", "pg_format($1)", PG_TEXT, false},
    {"format", "ta+", "pg_format($*)", PG_TEXT, false},
    {"concat_ws", "ta+", "pg_concat_ws($*)", PG_TEXT, false},
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
    {"trunc", "n", "pg_truncate($1, 0)", PG_NUMERIC, false},
    {"trunc", "nn", "pg_truncate($1, $2)", PG_NUMERIC, false},
    {"sign", "n", "sign($1)", PG_NUMERIC, false},
    {"mod", "nn", "($1 % pg_divisor($2))", PG_UNKNOWN, false},
    {"random", "", "pg_random()", PG_FLOAT8, false},
    {"gen_random_uuid", "", "pg_uuid()", PG_UUID, false},
    {"uuid_generate_v4", "", "pg_uuid()", PG_UUID, false},
    {"version", "", "pg_version()", PG_TEXT, false},
    {"pg_backend_pid", "", "pg_backend_pid()", PG_INT4, false},
    {"pg_terminate_backend", "n", "pg_terminate_backend($1)", PG_BOOL, false},
    {"pg_cancel_backend", "n", "pg_cancel_backend($1)", PG_BOOL, false},
    {"pg_is_in_recovery", "", "pg_recovering()", PG_BOOL, false},
    {"pg_promote", "", "pg_end_recovery(1)", PG_BOOL, false},
    {"pg_wal_replay_resume", "", "pg_end_recovery(0)", PG_VOID, false},
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
    {"lastval", "", "pg_lastval()", PG_INT8, false},
    {"pg_get_serial_sequence", "tt", "pg_serial_sequence($1, $2)", PG_TEXT, false},
    {"pg_get_constraintdef", "n", "(SELECT definition FROM pgc_constraint WHERE oid = $1)", PG_TEXT,
     false},
    {"pg_get_indexdef", "n", "(SELECT definition FROM pgc_index WHERE oid = $1)", PG_TEXT, false},
    {"pg_last_xact_replay_timestamp", "", "NULL", PG_TIMESTAMPTZ, false},
    {"pg_last_wal_replay_lsn", "", "NULL", PG_TEXT, false},
    {"pg_last_wal_receive_lsn", "", "NULL", PG_TEXT, false},
    {"inet_server_addr", "", "NULL", PG_INET, false},
    {"inet_server_port", "", "NULL", PG_INT4, false},
    {"pg_advisory_lock", "n", "''", PG_VOID, false},
    {"pg_try_advisory_lock", "n", "1", PG_BOOL, false},
    {"pg_advisory_unlock", "n", "1", PG_BOOL, false},
    {"pg_walfile_name", "t", "pg_walfile($1)", PG_TEXT, false},
    {"has_table_privilege", "ttt", "(pg_regclass($2) NOTNULL)", PG_BOOL, false},
    {"has_table_privilege", "tt", "(pg_regclass($1) NOTNULL)", PG_BOOL, false},
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

static const char *expand(struct translation *t, const char *template, const struct pg_expr *args,
                          int n)
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

/* One that is known with so many arguments: then their types are wrong. Of others we would not
 * know. */
static bool knows(const char *name, int n)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        if (strcmp(functions[i].name, name) == 0 && (int)strlen(functions[i].arguments) == n)
            return true;
    }
    return false;
}

static void no_function(struct translation *t, const char *name, const struct pg_expr *args, int n,
                        int location)
{
    struct buf list;
    buf_init(&list, 4096);
    for (int i = 0; i < n; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", pg_types[args[i].type].name);
    pg_fail(t->session, "42883", location, "function %s(%s) does not exist", name,
            list.len ? list.at : "");
    pg_hint(t->session, "No function matches the given name and argument types. "
                        "You might need to add explicit type casts.");
    buf_release(&list);
}

static enum pg_type result_type(const struct function *f, const struct pg_expr *args)
{
    if (strcmp(f->name, "sum") == 0)
        return args[0].type == PG_INT8 || args[0].type == PG_NUMERIC       ? PG_NUMERIC
               : pg_type_is_number(args[0].type) && args[0].type < PG_INT8 ? PG_INT8
                                                                           : args[0].type;
    if (strcmp(f->name, "avg") == 0 || strcmp(f->name, "round") == 0 ||
        strcmp(f->name, "floor") == 0 || strcmp(f->name, "trunc") == 0 ||
        strcmp(f->name, "sign") == 0 || strncmp(f->name, "ceil", 4) == 0)
        return args[0].type == PG_FLOAT8 || args[0].type == PG_FLOAT4 ||
                       (*f->name != 'a' && args[0].type == PG_INT4)
                   ? PG_FLOAT8
                   : PG_NUMERIC;
    if (strcmp(f->name, "date_trunc") == 0)
        return args[1].type == PG_TIMESTAMP ? PG_TIMESTAMP : PG_TIMESTAMPTZ;
    if (f->type != PG_UNKNOWN)
        return f->type;
    return args[0].type == PG_UNKNOWN ? PG_TEXT : args[0].type;
}

/* The bits of WindowDef.frameOptions (parsenodes.h), as text. */
static void frame(struct translation *t, const cJSON *over, struct buf *sql)
{
    static const struct {
        int bit;
        const char *words;
    } starts[] = {{0x20, "UNBOUNDED PRECEDING"},
                  {0x200, "CURRENT ROW"},
                  {0x800, "PRECEDING"},
                  {0x2000, "FOLLOWING"}},
      ends[] = {{0x100, "UNBOUNDED FOLLOWING"},
                {0x400, "CURRENT ROW"},
                {0x1000, "PRECEDING"},
                {0x4000, "FOLLOWING"}};
    const cJSON *options = node_get(over, "frameOptions");
    int bits = options ? options->valueint : 0;
    if (!(bits & 1))
        return;
    if (bits >= 0x8000)
        pg_not_simulated(t->session, node_location(over), "EXCLUDE in a window");
    buf_printf(sql, " %s BETWEEN ", bits & 4 ? "ROWS" : bits & 8 ? "GROUPS" : "RANGE");
    for (int i = 0; i < 4; i++) {
        if (bits & starts[i].bit)
            buf_printf(sql, "%s%s",
                       i < 2 ? ""
                             : arena_printf(t->arena, "%s ",
                                            translate_expr(t, node_get(over, "startOffset")).sql),
                       starts[i].words);
    }
    buf_puts(sql, " AND ");
    for (int i = 0; i < 4; i++) {
        if (bits & ends[i].bit)
            buf_printf(sql, "%s%s",
                       i < 2 ? ""
                             : arena_printf(t->arena, "%s ",
                                            translate_expr(t, node_get(over, "endOffset")).sql),
                       ends[i].words);
    }
}

/* A window that the query's WINDOW clause names. */
static const cJSON *named_window(struct translation *t, const cJSON *over)
{
    const char *name = node_text(over, "name");
    const cJSON *item;
    if (*node_text(over, "refname"))
        pg_not_simulated(t->session, node_location(over), "a window made from another");
    if (!*name)
        return over;
    cJSON_ArrayForEach(item, t->windows)
    {
        const cJSON *window = node_get(item, "WindowDef");
        if (strcmp(node_text(window, "name"), name) == 0)
            return window;
    }
    pg_fail(t->session, "42704", node_location(over), "window \"%s\" does not exist", name);
    return over;
}

static const char *window(struct translation *t, const cJSON *over)
{
    struct buf sql;
    buf_init(&sql, 1 << 16);
    buf_puts(&sql, " OVER (");
    const cJSON *item;
    bool any = false;
    over = named_window(t, over);
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
        const char *nulls = node_text(by, "sortby_nulls");
        bool first = strcmp(nulls, "SORTBY_NULLS_FIRST") == 0 ||
                     (descending && strcmp(nulls, "SORTBY_NULLS_LAST") != 0);
        buf_printf(&sql, "%s%s%s NULLS %s", any ? ", " : " ORDER BY ",
                   translate_expr(t, node_get(by, "node")).sql, descending ? " DESC" : "",
                   first ? "FIRST" : "LAST");
        any = true;
    }
    frame(t, over, &sql);
    buf_putc(&sql, ')');
    return translate_finish(t, &sql);
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
    if (strcmp(name, "timezone") == 0 && n == 2 && args[0].literal &&
        (strcasecmp(args[0].literal, "UTC") == 0 || strcasecmp(args[0].literal, "Etc/UTC") == 0 ||
         strcasecmp(args[0].literal, "GMT") == 0) &&
        (args[1].type == PG_TIMESTAMPTZ || args[1].type == PG_TIMESTAMP)) {
        ret->sql = args[1].sql;
        ret->type = args[1].type == PG_TIMESTAMP ? PG_TIMESTAMPTZ : PG_TIMESTAMP;
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
                strcmp(t->clause, "WHERE") == 0
                    ? "aggregate functions are not allowed in %s"
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
    const char *schema =
        point ? arena_printf(t->arena, "%.*s", (int)(point - name.literal), name.literal) : NULL;
    if (!catalog_find(t->database, t->arena, schema, point ? point + 1 : name.literal))
        pg_fail(t->session, "42P01", name.location, "relation \"%s\" does not exist", name.literal);
}

/* string_agg(x, s ORDER BY k), array_agg(x ORDER BY k): SQLite 3.40 has no ORDER BY there. */
static const char *ordered_aggregate(struct translation *t, const cJSON *call, const char *name,
                                     const struct pg_expr *args, int n)
{
    const cJSON *list = node_get(call, "agg_order"),
                *by = node_get(cJSON_GetArrayItem(list, 0), "SortBy");
    if (cJSON_GetArraySize(list) > 1 || node_true(call, "agg_distinct"))
        pg_not_simulated(t->session, node_location(call), "%s() with several orders or DISTINCT",
                         name);
    bool descending = strcmp(node_text(by, "sortby_dir"), "SORTBY_DESC") == 0;
    t->aggregate_depth++;
    struct pg_expr key = translate_expr(t, node_get(by, "node"));
    t->aggregate_depth--;
    return arena_printf(t->arena, "pg_collect(%s, %s, %s%s, %d)", args[0].sql,
                        n > 1 ? args[1].sql : "NULL", key.type == PG_NUMERIC ? "0 + " : "", key.sql,
                        descending);
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
        args[0] = (struct pg_expr){
            .sql = arena_printf(t->arena, "%lld",
                                (long long)t->session->began_us / 86400000000 * 86400000000),
            .type = PG_TIMESTAMPTZ,
            .typmod = -1};
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
            else if (pg_has_function(name) && !knows(name, n))
                pg_not_simulated(t->session, location, "the function %s() with %d arguments", name,
                                 n);
            else
                no_function(t, name, args, n, location);
            e.sql = "NULL";
            e.type = PG_TEXT;
            return e;
        }
        bool ordered = node_get(call, "agg_order") && strstr(name, "_agg");
        if (!f->sqlite || node_true(call, "agg_within_group") ||
            (ordered && strncmp(name, "json", 4) == 0)) {
            pg_not_simulated(t->session, location, "the function %s() with these arguments", name);
            e.sql = "NULL";
            e.type = f->type;
            return e;
        }
        e.type = result_type(f, args);
        if (args[0].literal && (strcmp(name, "nextval") == 0 || strcmp(name, "currval") == 0 ||
                                strcmp(name, "setval") == 0))
            check_sequence(t, args[0]);
        for (int i = 0; i < n; i++) {
            char kind = kind_at(f->arguments, i);
            if (args[i].type == PG_UNKNOWN)
                args[i] = coerce(t, args[i], type_for(kind), -1, COERCE_IMPLICIT, NULL);
            else if (kind == 'z' || (kind == 'd' && args[i].type == PG_DATE))
                args[i] =
                    coerce(t, args[i], args[i].type == PG_DATE ? PG_TIMESTAMPTZ : args[i].type, -1,
                           COERCE_EXPLICIT, NULL);
            else if (strcmp(name, "concat") == 0 || strcmp(name, "concat_ws") == 0 ||
                     strcmp(name, "format") == 0)
                args[i] = coerce(t, args[i], PG_TEXT, -1, COERCE_EXPLICIT, NULL);
        }
        if (node_true(call, "agg_distinct"))
            args[0].sql = arena_printf(t->arena, "DISTINCT %s", args[0].sql);
        if (args[0].type == PG_ENUM && aggregate && strcmp(name, "count") != 0)
            pg_not_simulated(t->session, location, "%s() of an enumerated type", name);
        bool numeric_extreme =
            args[0].type == PG_NUMERIC && (strcmp(name, "min") == 0 || strcmp(name, "max") == 0);
        e.sql = expand(
            t, n && numeric_extreme ? (name[1] == 'i' ? "pg_min($1)" : "pg_max($1)") : f->sqlite,
            args, n);
        if (ordered)
            e.sql = ordered_aggregate(t, call, name, args, n);
        if (f->sqlite[0] == 'p' && e.type == PG_FLOAT8)
            e.sql = arena_printf(t->arena, "CAST(%s AS REAL)", e.sql);
    }
    if (filter)
        e.sql = arena_printf(t->arena, "%s FILTER (WHERE %s)", e.sql, filter);
    if (over)
        e.sql = arena_printf(t->arena, "%s%s", e.sql, window(t, over));
    return e;
}
