#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/translate.h"

/* ---- nodes ---- */

const char *node_tag(const cJSON *wrapper, const cJSON **ret_inner)
{
    const cJSON *first = wrapper ? wrapper->child : NULL;
    if (ret_inner)
        *ret_inner = first;
    return first && first->string ? first->string : "";
}

const cJSON *node_get(const cJSON *node, const char *key)
{
    return node ? cJSON_GetObjectItemCaseSensitive(node, key) : NULL;
}

const char *node_text(const cJSON *node, const char *key)
{
    const cJSON *child = node_get(node, key);
    return child && child->valuestring ? child->valuestring : "";
}

bool node_true(const cJSON *node, const char *key)
{
    return cJSON_IsTrue(node_get(node, key));
}

int node_location(const cJSON *node)
{
    const cJSON *location = node_get(node, "location");
    return location ? location->valueint : 0;
}

const char *node_string(const cJSON *wrapper)
{
    return node_text(node_get(wrapper, "String"), "sval");
}

/* ---- leaves ---- */

static struct pg_expr constant(struct translation *t, const cJSON *node)
{
    struct pg_expr e = {.name = "?column?", .typmod = -1, .location = node_location(node)};
    const cJSON *value;
    if (node_true(node, "isnull")) {
        e.sql = "NULL";
        e.is_null = true;
    } else if ((value = node_get(node, "ival"))) {
        const cJSON *number = node_get(value, "ival");
        long long i = number ? (long long)number->valuedouble : 0;
        const char *text = t->text + e.location;
        if (!number && *text == '-') { /* the parser's JSON leaves negative numbers out */
            for (text++; isspace((unsigned char)*text);)
                text++;
            i = -strtoll(text, NULL, 10);
        }
        e.sql = arena_printf(t->arena, i < 0 ? "(%lld)" : "%lld", i);
        e.type = PG_INT4;
    } else if ((value = node_get(node, "fval"))) {
        const char *text = node_text(value, "fval");
        bool whole =
            strspn(text, "-0123456789") == strlen(text) &&
            (strlen(text) < 19 || (strlen(text) == 19 && strcmp(text, "9223372036854775807") <= 0));
        e.type = whole ? PG_INT8 : PG_NUMERIC;
        e.sql = whole ? arena_printf(t->arena, "(%s)", text)
                      : value_literal(t->session, t->arena, text, PG_NUMERIC, -1, e.location);
        e.sql = e.sql ? e.sql : "NULL";
    } else if (node_get(node, "bsval")) {
        pg_not_simulated(t->session, e.location, "bit strings");
        e.sql = "NULL";
        e.type = PG_TEXT;
    } else if ((value = node_get(node, "boolval"))) {
        e.sql = node_true(value, "boolval") ? "1" : "0";
        e.type = PG_BOOL;
    } else {
        e.literal = node_text(node_get(node, "sval"), "sval");
        e.sql = sql_text(t->arena, e.literal);
        e.type = PG_UNKNOWN;
    }
    return e;
}

static struct pg_expr column_of(struct translation *t, const struct pg_source *source, int i,
                                int location)
{
    const struct pg_column *column = &source->columns[i];
    if (t->aggregate_depth == 0) {
        struct pg_used *used = ARENA_NEW(t->arena, struct pg_used);
        *used = (struct pg_used){source->alias, column->name, location, t->used};
        t->used = used;
    }
    return (struct pg_expr){
        .sql = arena_printf(t->arena, "%s.%s", sql_name(t->arena, source->alias),
                            sql_name(t->arena, column->name)),
        .type = column->type,
        .typmod = column->typmod,
        .name = column->name,
        .location = location,
    };
}

static int column_index(const struct pg_source *source, const char *name)
{
    for (int i = 0; i < source->n_columns; i++) {
        if (strcmp(source->columns[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* errorMissingColumn() of parse_relation.c: the nearest name, when at most half of it differs. */
static void hint_column(struct translation *t, const char *name)
{
    size_t limit = strlen(name) / 2, best = (limit < 3 ? limit : 3) + 1;
    const struct pg_source *near = NULL;
    int column = 0;
    for (struct pg_source *s = t->scope ? t->scope->sources : NULL; s; s = s->next) {
        for (int i = 0; i < s->n_columns; i++) {
            size_t distance = str_distance(str_of(name), str_of(s->columns[i].name), best);
            if (distance < best) {
                best = distance;
                near = s;
                column = i;
            }
        }
    }
    if (near)
        pg_hint(t->session, "Perhaps you meant to reference the column \"%s.%s\".", near->alias,
                near->columns[column].name);
}

static struct pg_expr bare_column(struct translation *t, const char *name, int location)
{
    for (struct pg_scope *scope = t->scope; scope; scope = scope->outer) {
        const struct pg_source *found = NULL;
        for (struct pg_source *s = scope->sources; s; s = s->next) {
            if (column_index(s, name) < 0)
                continue;
            bool merged = false;
            for (struct pg_using *u = scope->using; u; u = u->next)
                merged |= strcmp(u->name, name) == 0;
            bool twice = false; /* a subquery may have two columns of one name */
            for (int i = column_index(s, name) + 1; i < s->n_columns; i++)
                twice |= strcmp(s->columns[i].name, name) == 0;
            if ((found && !merged) || twice) {
                pg_fail(t->session, "42702", location, "column reference \"%s\" is ambiguous",
                        name);
                break;
            }
            if (!found)
                found = s;
        }
        if (found)
            return column_of(t, found, column_index(found, name), location);
        for (struct pg_source *s = scope->sources; s; s = s->next) {
            if (strcmp(s->alias, name) == 0 && s->n_columns == 1)
                return column_of(t, s, 0, location);
        }
    }
    static const char *const system[] = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", NULL};
    bool whole = false;
    for (int i = 0; system[i]; i++)
        whole |= t->scope && t->scope->sources && strcmp(system[i], name) == 0;
    for (struct pg_source *s = t->scope ? t->scope->sources : NULL; s; s = s->next)
        whole |= strcmp(s->alias, name) == 0;
    if (whole)
        pg_not_simulated(t->session, location, "system columns and whole rows as values");
    pg_fail(t->session, "42703", location, "column \"%s\" does not exist", name);
    hint_column(t, name);
    return (struct pg_expr){.sql = "NULL", .type = PG_TEXT, .typmod = -1, .name = name};
}

static struct pg_expr column_ref(struct translation *t, const cJSON *node)
{
    const cJSON *fields = node_get(node, "fields");
    int n = cJSON_GetArraySize(fields), location = node_location(node);
    struct pg_expr nothing = {.sql = "NULL", .type = PG_TEXT, .typmod = -1, .name = "?column?"};
    const char *last = node_string(cJSON_GetArrayItem(fields, n - 1));
    if (n == 1)
        return bare_column(t, last, location);
    const char *table = node_string(cJSON_GetArrayItem(fields, n - 2));
    for (struct pg_scope *scope = t->scope; scope; scope = scope->outer) {
        for (struct pg_source *s = scope->sources; s; s = s->next) {
            if (strcmp(s->alias, table) != 0)
                continue;
            int i = column_index(s, last);
            if (i >= 0)
                return column_of(t, s, i, location);
            pg_fail(t->session, "42703", location, "column %s.%s does not exist", table, last);
            hint_column(t, last);
            return nothing;
        }
    }
    for (struct pg_source *s = t->scope ? t->scope->sources : NULL; s; s = s->next) {
        if (!s->relation || strcmp(s->relation->name, table) != 0)
            continue;
        pg_fail(t->session, "42P01", location,
                "invalid reference to FROM-clause entry for table \"%s\"", table);
        pg_hint(t->session, "Perhaps you meant to reference the table alias \"%s\".", s->alias);
    }
    pg_fail(t->session, "42P01", location, "missing FROM-clause entry for table \"%s\"", table);
    return nothing;
}

/* ---- operators ---- */

static struct pg_expr boolean(struct translation *t, const char *sql, int location)
{
    (void)t;
    return (struct pg_expr){
        .sql = sql, .type = PG_BOOL, .typmod = -1, .name = "?column?", .location = location};
}

static void no_operator(struct translation *t, struct pg_expr a, const char *name, struct pg_expr b,
                        int location)
{
    pg_fail(t->session, "42883", location, "operator does not exist: %s %s %s",
            pg_types[a.type].name, name, pg_types[b.type].name);
    pg_hint(t->session, "No operator matches the given name and argument types. "
                        "You might need to add explicit type casts.");
}

/* Both sides in one type, so that SQLite compares them as PostgreSQL does. */
static bool unify(struct translation *t, struct pg_expr *a, struct pg_expr *b)
{
    if (a->type == PG_UNKNOWN && b->type == PG_UNKNOWN) {
        *a = coerce(t, *a, PG_TEXT, -1, COERCE_IMPLICIT, NULL);
        *b = coerce(t, *b, PG_TEXT, -1, COERCE_IMPLICIT, NULL);
        return true;
    }
    if (a->type == PG_UNKNOWN)
        *a = coerce(t, *a, b->type, b->type == PG_ENUM ? b->typmod : -1, COERCE_IMPLICIT, NULL);
    if (b->type == PG_UNKNOWN)
        *b = coerce(t, *b, a->type, a->type == PG_ENUM ? a->typmod : -1, COERCE_IMPLICIT, NULL);
    if (pg_type_is_number(a->type) && pg_type_is_number(b->type)) {
        if (a->type == PG_NUMERIC)
            a->sql = arena_printf(t->arena, "CAST(%s AS NUMERIC)", a->sql);
        if (b->type == PG_NUMERIC)
            b->sql = arena_printf(t->arena, "CAST(%s AS NUMERIC)", b->sql);
        return true;
    }
    if (pg_type_is_time(a->type) && pg_type_is_time(b->type)) {
        if (a->type != b->type) {
            *a = coerce(t, *a, PG_TIMESTAMPTZ, -1, COERCE_EXPLICIT, NULL);
            *b = coerce(t, *b, PG_TIMESTAMPTZ, -1, COERCE_EXPLICIT, NULL);
        }
        return true;
    }
    if (a->type == PG_INTERVAL && b->type == PG_INTERVAL) {
        a->sql = arena_printf(t->arena, "pg_interval_us(%s)", a->sql);
        b->sql = arena_printf(t->arena, "pg_interval_us(%s)", b->sql);
        return true;
    }
    if (pg_type_is_text(a->type) && pg_type_is_text(b->type))
        return true;
    if (a->type == PG_REGCLASS && pg_type_is_number(b->type))
        a->sql = arena_printf(t->arena, "pg_regclass_oid(%s)", a->sql);
    if (b->type == PG_REGCLASS && pg_type_is_number(a->type))
        b->sql = arena_printf(t->arena, "pg_regclass_oid(%s)", b->sql);
    return a->type == b->type || (a->type == PG_REGCLASS && b->type == PG_OID) ||
           (a->type == PG_OID && b->type == PG_REGCLASS);
}

static struct pg_expr compare(struct translation *t, struct pg_expr a, const char *name,
                              struct pg_expr b, int location)
{
    struct pg_expr left = a, right = b;
    if (!unify(t, &a, &b))
        no_operator(t, left, name, right, location);
    if (a.type == PG_ENUM && strpbrk(name, "<>") && strcmp(name, "<>") != 0) {
        a.sql = arena_printf(t->arena, "pg_enum_order(%s, %d)", a.sql, a.typmod);
        b.sql = arena_printf(t->arena, "pg_enum_order(%s, %d)", b.sql, b.typmod);
    }
    return boolean(t, arena_printf(t->arena, "(%s %s %s)", a.sql, name, b.sql), location);
}

static enum pg_type wider(enum pg_type a, enum pg_type b)
{
    static const enum pg_type order[] = {PG_FLOAT8, PG_FLOAT4, PG_NUMERIC, PG_INT8,
                                         PG_OID,    PG_INT4,   PG_INT2};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (a == order[i] || b == order[i])
            return order[i];
    }
    return a;
}

static bool time_arithmetic(struct translation *t, struct pg_expr a, char op, struct pg_expr b,
                            struct pg_expr *ret)
{
    const char *sign = op == '-' ? "-1" : "1";
    *ret = (struct pg_expr){.typmod = -1, .name = "?column?"};
    if (op == '+' && a.type == PG_INTERVAL && (pg_type_is_time(b.type) || b.type == PG_TIME)) {
        struct pg_expr swap = a;
        a = b;
        b = swap;
    }
    if (pg_type_is_time(a.type) && (b.type == PG_INTERVAL || (b.literal && op == '+'))) {
        b = coerce(t, b, PG_INTERVAL, -1, COERCE_IMPLICIT, NULL);
        ret->type = a.type == PG_DATE ? PG_TIMESTAMP : a.type;
        ret->sql = arena_printf(t->arena, "pg_plus(%s, %s, %s)", translate_time(t, a, ret->type),
                                b.sql, sign);
        return true;
    }
    if (a.type == PG_DATE && (b.type == PG_INT4 || b.type == PG_INT8)) {
        ret->type = PG_DATE;
        ret->sql = arena_printf(t->arena, "(%s %c %s)", a.sql, op, b.sql);
        return true;
    }
    if (op == '-' && pg_type_is_time(a.type) && (pg_type_is_time(b.type) || b.literal)) {
        b = coerce(t, b, b.literal ? a.type : b.type, -1, COERCE_IMPLICIT, NULL);
        if (a.type == PG_DATE && b.type == PG_DATE) {
            ret->type = PG_INT4;
            ret->sql = arena_printf(t->arena, "(%s - %s)", a.sql, b.sql);
        } else {
            ret->type = PG_INTERVAL;
            ret->sql =
                arena_printf(t->arena, "pg_between(%s, %s)", translate_time(t, a, PG_TIMESTAMP),
                             translate_time(t, b, PG_TIMESTAMP));
        }
        return true;
    }
    if (a.type == PG_INTERVAL && (b.type == PG_INTERVAL || b.literal) && (op == '+' || op == '-')) {
        b = coerce(t, b, PG_INTERVAL, -1, COERCE_IMPLICIT, NULL);
        ret->type = PG_INTERVAL;
        ret->sql = arena_printf(t->arena, "pg_interval_plus(%s, %s, %s)", a.sql, b.sql, sign);
        return true;
    }
    if (op == '/' && a.type == PG_INTERVAL && pg_type_is_number(b.type)) {
        ret->type = PG_INTERVAL;
        ret->sql =
            arena_printf(t->arena, "pg_interval_times(%s, 1.0 / pg_divisor(%s))", a.sql, b.sql);
        return true;
    }
    if (op == '*' && (a.type == PG_INTERVAL || b.type == PG_INTERVAL)) {
        bool first = a.type == PG_INTERVAL;
        ret->type = PG_INTERVAL;
        ret->sql = arena_printf(t->arena, "pg_interval_times(%s, %s)", first ? a.sql : b.sql,
                                first ? b.sql : a.sql);
        return true;
    }
    return false;
}

static struct pg_expr arithmetic(struct translation *t, struct pg_expr a, const char *name,
                                 struct pg_expr b, int location)
{
    struct pg_expr result;
    if (time_arithmetic(t, a, *name, b, &result))
        return result;
    struct pg_expr left = a, right = b;
    if (a.type == PG_JSONB || b.type == PG_JSONB)
        pg_not_simulated(t->session, location, "operator %s of jsonb", name);
    if (a.type == PG_UNKNOWN)
        a = coerce(t, a, b.type, -1, COERCE_IMPLICIT, NULL);
    if (b.type == PG_UNKNOWN)
        b = coerce(t, b, a.type, -1, COERCE_IMPLICIT, NULL);
    if (!pg_type_is_number(a.type) || !pg_type_is_number(b.type))
        no_operator(t, left, name, right, location);
    enum pg_type type = wider(a.type, b.type);
    result = (struct pg_expr){.type = type, .typmod = -1, .name = "?column?", .location = location};
    if (type == PG_NUMERIC)
        result.sql = arena_printf(t->arena, "pg_numeric(%s, '%s', %s)", a.sql, name, b.sql);
    else if (*name == '/' || *name == '%')
        result.sql = arena_printf(t->arena, "(%s %s pg_divisor(%s))", a.sql, name, b.sql);
    else if (*name == '^')
        pg_not_simulated(t->session, location, "operator ^");
    else
        result.sql =
            arena_printf(t->arena, "pg_range(%s %s %s, %d)", a.sql, name, b.sql, (int)type);
    if (!result.sql)
        result.sql = "NULL";
    return result;
}

static struct pg_expr as_text(struct translation *t, struct pg_expr e)
{
    return coerce(t, e, PG_TEXT, -1, COERCE_EXPLICIT, NULL);
}

static struct pg_expr operator(struct translation *t, const char *name, struct pg_expr a,
                               struct pg_expr b, int location)
{
    static const char *const comparisons[] = {"=", "<>", "!=", "<", ">", "<=", ">=", NULL};
    for (int i = 0; comparisons[i]; i++) {
        if (strcmp(name, comparisons[i]) == 0)
            return compare(t, a, name, b, location);
    }
    if (strlen(name) == 1 && strchr("+-*/%^", *name))
        return arithmetic(t, a, name, b, location);
    if (strcmp(name, "||") == 0)
        return (struct pg_expr){
            .sql = arena_printf(t->arena, "(%s || %s)", as_text(t, a).sql, as_text(t, b).sql),
            .type = PG_TEXT,
            .typmod = -1,
            .name = "?column?"};
    if (strcmp(name, "->") == 0 || strcmp(name, "->>") == 0) {
        struct pg_expr key = b.literal ? as_text(t, b) : b;
        return (struct pg_expr){
            .sql = arena_printf(t->arena, "pg_json_get(%s, %s, %d)", a.sql, key.sql, name[2] != 0),
            .type = name[2] ? PG_TEXT : a.type,
            .typmod = -1,
            .name = "?column?"};
    }
    if (strcmp(name, "~") == 0 || strcmp(name, "!~") == 0 || strcmp(name, "~*") == 0 ||
        strcmp(name, "!~*") == 0)
        return boolean(t,
                       arena_printf(t->arena, "(%spg_regex(%s, %s, %d))",
                                    *name == '!' ? "NOT " : "", as_text(t, a).sql,
                                    as_text(t, b).sql, strchr(name, '*') != NULL),
                       location);
    pg_not_simulated(t->session, location, "operator %s", name);
    return boolean(t, "NULL", location);
}

static struct pg_expr in_list(struct translation *t, struct pg_expr a, const cJSON *items,
                              bool negated, int location)
{
    struct buf sql;
    buf_init(&sql, 1 << 20);
    const char *left = NULL;
    const cJSON *item;
    cJSON_ArrayForEach(item, items)
    {
        struct pg_expr x = a, b = translate_expr(t, item);
        struct pg_expr right = b;
        if (!unify(t, &x, &b))
            no_operator(t, a, "=", right, location);
        if (!left)
            left = x.sql;
        buf_printf(&sql, "%s%s", sql.len ? ", " : "", b.sql);
    }
    const char *text = arena_printf(t->arena, "(%s %sIN (%s))", left ? left : a.sql,
                                    negated ? "NOT " : "", sql.len ? sql.at : "");
    buf_release(&sql);
    return boolean(t, text, location);
}

static struct pg_expr any_all(struct translation *t, const cJSON *node, bool all, int location)
{
    const cJSON *right = node_get(node, "rexpr");
    const char *op = node_string(cJSON_GetArrayItem(node_get(node, "name"), 0));
    struct pg_expr a = translate_expr(t, node_get(node, "lexpr"));
    const cJSON *array = node_get(right, "A_ArrayExpr");
    if (array && ((!all && strcmp(op, "=") == 0) || (all && strcmp(op, "<>") == 0)))
        return in_list(t, a, node_get(array, "elements"), all, location);
    pg_not_simulated(t->session, location, "%s (array)", all ? "ALL" : "ANY");
    return boolean(t, "NULL", location);
}

static struct pg_expr a_expr(struct translation *t, const cJSON *node)
{
    const char *kind = node_text(node, "kind");
    const cJSON *names = node_get(node, "name");
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    const cJSON *right = node_get(node, "rexpr");
    int location = node_location(node);
    if (strcmp(kind, "AEXPR_OP_ANY") == 0 || strcmp(kind, "AEXPR_OP_ALL") == 0)
        return any_all(t, node, kind[9] == 'L', location);
    if (!node_get(node, "lexpr")) {
        struct pg_expr e = translate_expr(t, right);
        if (e.type == PG_INTERVAL)
            e.sql = arena_printf(t->arena, "pg_interval_times(%s, -1)", e.sql);
        else
            e.sql = arena_printf(t->arena, "(%s%s)", name, e.sql);
        e.name = "?column?";
        return e;
    }
    struct pg_expr a = translate_expr(t, node_get(node, "lexpr"));
    if (strcmp(kind, "AEXPR_IN") == 0)
        return in_list(t, a, node_get(node_get(right, "List"), "items"), strcmp(name, "<>") == 0,
                       location);
    if (strcmp(kind, "AEXPR_BETWEEN") == 0 || strcmp(kind, "AEXPR_NOT_BETWEEN") == 0) {
        const cJSON *items = node_get(node_get(right, "List"), "items");
        struct pg_expr low =
            compare(t, a, ">=", translate_expr(t, cJSON_GetArrayItem(items, 0)), location);
        struct pg_expr high =
            compare(t, a, "<=", translate_expr(t, cJSON_GetArrayItem(items, 1)), location);
        return boolean(t,
                       arena_printf(t->arena, "(%s(%s AND %s))", kind[6] == 'N' ? "NOT " : "",
                                    low.sql, high.sql),
                       location);
    }
    struct pg_expr b = translate_expr(t, right);
    if (strcmp(kind, "AEXPR_LIKE") == 0 || strcmp(kind, "AEXPR_ILIKE") == 0)
        return boolean(t,
                       arena_printf(t->arena, "(%spg_like(%s, %s, %d))", *name == '!' ? "NOT " : "",
                                    as_text(t, a).sql, as_text(t, b).sql, kind[6] == 'I'),
                       location);
    if (strcmp(kind, "AEXPR_DISTINCT") == 0 || strcmp(kind, "AEXPR_NOT_DISTINCT") == 0) {
        unify(t, &a, &b);
        return boolean(
            t, arena_printf(t->arena, "(%s IS %s%s)", a.sql, kind[6] == 'N' ? "" : "NOT ", b.sql),
            location);
    }
    if (strcmp(kind, "AEXPR_NULLIF") == 0) {
        struct pg_expr x = a;
        unify(t, &x, &b);
        a.sql = arena_printf(t->arena, "nullif(%s, %s)", x.sql, b.sql);
        a.name = "nullif";
        return a;
    }
    if (strcmp(kind, "AEXPR_OP") != 0) {
        pg_not_simulated(t->session, location, "%s", kind);
        return boolean(t, "NULL", location);
    }
    return operator(t, name, a, b, location);
}

/* ---- the other shapes ---- */

static struct pg_expr bool_expr(struct translation *t, const cJSON *node)
{
    const char *op = node_text(node, "boolop");
    struct buf sql;
    buf_init(&sql, 4 << 20);
    const char *word = strcmp(op, "AND_EXPR") == 0 ? " AND " : " OR ";
    const cJSON *item;
    cJSON_ArrayForEach(item, node_get(node, "args"))
    {
        struct pg_expr e = translate_expr(t, item);
        if (e.type == PG_UNKNOWN)
            e = coerce(t, e, PG_BOOL, -1, COERCE_IMPLICIT, NULL);
        if (e.type != PG_BOOL)
            pg_fail(t->session, "42804", e.location,
                    "argument of %.*s must be type boolean, not type %s",
                    (int)(strchr(op, '_') - op), op, pg_types[e.type].name);
        buf_printf(&sql, "%s%s", sql.len ? word : "", e.sql);
    }
    const char *text = arena_printf(t->arena, "(%s%s)", strcmp(op, "NOT_EXPR") == 0 ? "NOT " : "",
                                    sql.at ? sql.at : "1");
    buf_release(&sql);
    return boolean(t, text, node_location(node));
}

/* One type for several branches: CASE, COALESCE, GREATEST, VALUES. */
static enum pg_type common_type(struct translation *t, const struct pg_expr *list, int n,
                                const char *where)
{
    enum pg_type type = PG_UNKNOWN;
    for (int i = 0; i < n; i++) {
        if (list[i].type == PG_UNKNOWN)
            continue;
        if (type == PG_UNKNOWN || type == list[i].type)
            type = list[i].type;
        else if (pg_type_is_number(type) && pg_type_is_number(list[i].type))
            type = wider(type, list[i].type);
        else if (pg_type_is_text(type) && pg_type_is_text(list[i].type))
            type = PG_TEXT;
        else if (pg_type_is_time(type) && pg_type_is_time(list[i].type))
            type = PG_TIMESTAMPTZ;
        else
            pg_fail(t->session, "42804", list[i].location, "%s types %s and %s cannot be matched",
                    where, pg_types[type].name, pg_types[list[i].type].name);
    }
    return type == PG_UNKNOWN ? PG_TEXT : type;
}

/* Which enumerated type the branches have, or -1. */
static int enum_of(const struct pg_expr *list, int n)
{
    for (int i = 0; i < n; i++) {
        if (list[i].type == PG_ENUM)
            return list[i].typmod;
    }
    return -1;
}

static struct pg_expr branches(struct translation *t, const cJSON *args, const char *function,
                               const char *sqlite, const char *where)
{
    int n = cJSON_GetArraySize(args);
    struct pg_expr *list = ARENA_ARRAY(t->arena, struct pg_expr, n + 1);
    const cJSON *item;
    int i = 0;
    cJSON_ArrayForEach(item, args) list[i++] = translate_expr(t, item);
    enum pg_type type = common_type(t, list, n, where);
    struct buf sql;
    buf_init(&sql, 1 << 20);
    for (i = 0; i < n; i++)
        buf_printf(&sql, "%s%s", i ? ", " : "",
                   coerce(t, list[i], type, enum_of(list, n), COERCE_ASSIGN, NULL).sql);
    if (n == 1)
        buf_puts(&sql, ", NULL");
    struct pg_expr e = {.sql = arena_printf(t->arena, "%s(%s)", sqlite, sql.at ? sql.at : ""),
                        .type = type,
                        .typmod = enum_of(list, n),
                        .name = function};
    buf_release(&sql);
    return e;
}

static struct pg_expr case_expr(struct translation *t, const cJSON *node)
{
    const cJSON *args = node_get(node, "args"), *item;
    int n = cJSON_GetArraySize(args), i = 0;
    struct pg_expr *results = ARENA_ARRAY(t->arena, struct pg_expr, n + 1);
    const char **conditions = ARENA_ARRAY(t->arena, const char *, n + 1);
    const char *name = "case";
    cJSON_ArrayForEach(item, args)
    {
        const cJSON *when = node_get(item, "CaseWhen");
        struct pg_expr condition = translate_expr(t, node_get(when, "expr"));
        if (node_get(node, "arg"))
            condition = compare(t, translate_expr(t, node_get(node, "arg")), "=", condition,
                                node_location(when));
        conditions[i] = condition.sql;
        results[i++] = translate_expr(t, node_get(when, "result"));
    }
    bool has_default = node_get(node, "defresult") != NULL;
    if (has_default) {
        results[n] = translate_expr(t, node_get(node, "defresult"));
        if (strcmp(results[n].name, "?column?") != 0)
            name = results[n].name;
    }
    enum pg_type type = common_type(t, results, has_default ? n + 1 : n, "CASE");
    struct buf sql;
    buf_init(&sql, 1 << 20);
    for (i = 0; i < n; i++)
        buf_printf(&sql, " WHEN %s THEN %s", conditions[i],
                   coerce(t, results[i], type, -1, COERCE_ASSIGN, NULL).sql);
    if (has_default)
        buf_printf(&sql, " ELSE %s", coerce(t, results[n], type, -1, COERCE_ASSIGN, NULL).sql);
    struct pg_expr e = {.sql = arena_printf(t->arena, "(CASE%s END)", sql.at),
                        .type = type,
                        .typmod = enum_of(results, n),
                        .name = name};
    buf_release(&sql);
    return e;
}

static struct pg_expr sub_link(struct translation *t, const cJSON *node)
{
    const char *kind = node_text(node, "subLinkType");
    const cJSON *select = node_get(node_get(node, "subselect"), "SelectStmt");
    struct pg_used *used = t->used;
    bool has_aggregate = t->has_aggregate;
    const char *clause = t->clause;
    t->clause = NULL;
    struct pg_query_text query = translate_select(t, select);
    t->clause = clause;
    t->has_aggregate = has_aggregate;
    t->used = used;
    int location = node_location(node);
    if (strcmp(kind, "EXISTS_SUBLINK") == 0) {
        struct pg_expr e = boolean(t, arena_printf(t->arena, "EXISTS (%s)", query.sql), location);
        e.name = "exists";
        return e;
    }
    if (query.n_columns != 1)
        pg_fail(t->session, "42601", location,
                strcmp(kind, "EXPR_SUBLINK") == 0 ? "subquery must return only one column"
                                                  : "subquery has too many columns");
    struct pg_expr inner = {
        .sql = arena_printf(t->arena, "(%s)", query.sql), .typmod = -1, .name = "?column?"};
    if (query.n_columns == 1 && !t->session->error.set) {
        inner.type = query.columns[0].type;
        inner.typmod = query.columns[0].typmod;
        inner.name = query.columns[0].name;
    }
    if (strcmp(kind, "EXPR_SUBLINK") == 0)
        return inner;
    const char *op = node_get(node, "operName")
                         ? node_string(cJSON_GetArrayItem(node_get(node, "operName"), 0))
                         : "=";
    struct pg_expr test = translate_expr(t, node_get(node, "testexpr"));
    if (strcmp(kind, "ANY_SUBLINK") == 0 && strcmp(op, "=") == 0) {
        struct pg_expr left = test, probe = inner;
        if (!unify(t, &test, &probe))
            no_operator(t, left, "=", inner, location);
        return boolean(t, arena_printf(t->arena, "(%s IN (%s))", test.sql, query.sql), location);
    }
    if (strcmp(kind, "ALL_SUBLINK") == 0 && strcmp(op, "<>") == 0)
        return boolean(t, arena_printf(t->arena, "(%s NOT IN (%s))", test.sql, query.sql),
                       location);
    pg_not_simulated(t->session, location, "this kind of subquery");
    return boolean(t, "NULL", location);
}

static struct pg_expr value_function(struct translation *t, const cJSON *node)
{
    const char *op = node_text(node, "op");
    struct pg_expr e = {.typmod = -1, .location = node_location(node)};
    if (strncmp(op, "SVFOP_CURRENT_TIMESTAMP", 23) == 0) {
        e.name = "current_timestamp";
        e.type = PG_TIMESTAMPTZ;
        e.sql = "pg_transaction_us()";
    } else if (strncmp(op, "SVFOP_LOCALTIMESTAMP", 20) == 0) {
        e.name = "localtimestamp";
        e.type = PG_TIMESTAMP;
        e.sql = "pg_transaction_us()";
    } else if (strcmp(op, "SVFOP_CURRENT_DATE") == 0) {
        e.name = "current_date";
        e.type = PG_DATE;
        e.sql = "pg_date(pg_transaction_us())";
    } else if (strncmp(op, "SVFOP_CURRENT_TIME", 18) == 0 ||
               strncmp(op, "SVFOP_LOCALTIME", 15) == 0) {
        e.name = op[6] == 'C' ? "current_time" : "localtime";
        e.type = PG_TIME;
        e.sql = "pg_clock(pg_transaction_us())";
    } else if (strcmp(op, "SVFOP_CURRENT_CATALOG") == 0) {
        e.name = "current_catalog";
        e.type = PG_NAME;
        e.sql = sql_text(t->arena, t->database->name);
    } else if (strcmp(op, "SVFOP_CURRENT_SCHEMA") == 0) {
        e.name = "current_schema";
        e.type = PG_NAME;
        e.sql = "'public'";
    } else {
        e.name = strcmp(op, "SVFOP_SESSION_USER") == 0 ? "session_user"
                 : strcmp(op, "SVFOP_USER") == 0       ? "user"
                                                       : "current_user";
        e.type = PG_NAME;
        e.sql = sql_text(t->arena, t->session->user);
    }
    return e;
}

/* ARRAY[a, b]: its text, "{a,b}". */
static struct pg_expr array_expr(struct translation *t, const cJSON *node)
{
    const cJSON *elements = node_get(node, "elements"), *item;
    int n = cJSON_GetArraySize(elements), i = 0;
    struct pg_expr *list = ARENA_ARRAY(t->arena, struct pg_expr, n + 1);
    cJSON_ArrayForEach(item, elements) list[i++] = translate_expr(t, item);
    enum pg_type type = common_type(t, list, n, "ARRAY");
    struct buf sql;
    buf_init(&sql, 1 << 20);
    buf_puts(&sql, "pg_array(");
    for (i = 0; i < n; i++)
        buf_printf(&sql, "%s%s", i ? ", " : "",
                   as_text(t, coerce(t, list[i], type, -1, COERCE_IMPLICIT, NULL)).sql);
    buf_putc(&sql, ')');
    return (struct pg_expr){.sql = translate_finish(t, &sql),
                            .type = type == PG_INT4 ? PG_INT4_ARRAY : PG_TEXT_ARRAY,
                            .typmod = -1,
                            .name = "array",
                            .location = node_location(node)};
}

static struct pg_expr type_cast(struct translation *t, const cJSON *node)
{
    struct pg_expr e = translate_expr(t, node_get(node, "arg"));
    int typmod;
    int type = translate_type(t, node_get(node, "typeName"), &typmod, NULL);
    int location = e.location;
    if (!e.literal && !e.is_null && node_location(node) > 0)
        e.location = node_location(node);
    struct pg_expr result = coerce(t, e, (enum pg_type)type, typmod, COERCE_EXPLICIT, NULL);
    result.location = location;
    const cJSON *inner = node;
    while (node_get(node_get(inner, "arg"), "TypeCast"))
        inner = node_get(node_get(inner, "arg"), "TypeCast");
    if (strcmp(result.name, "?column?") == 0 ||
        (inner != node && node_get(node_get(inner, "arg"), "A_Const")))
        result.name = type == PG_ENUM ? catalog_type(t->database, t->arena, PG_ENUM, typmod)
                                      : pg_types[type].internal;
    return result;
}

struct pg_expr translate_expr(struct translation *t, const cJSON *wrapper)
{
    const cJSON *node;
    const char *tag = node_tag(wrapper, &node);
    if (strcmp(tag, "A_Const") == 0)
        return constant(t, node);
    if (strcmp(tag, "ColumnRef") == 0)
        return column_ref(t, node);
    if (strcmp(tag, "A_Expr") == 0)
        return a_expr(t, node);
    if (strcmp(tag, "BoolExpr") == 0)
        return bool_expr(t, node);
    if (strcmp(tag, "FuncCall") == 0)
        return translate_function(t, node);
    if (strcmp(tag, "TypeCast") == 0)
        return type_cast(t, node);
    if (strcmp(tag, "CaseExpr") == 0)
        return case_expr(t, node);
    if (strcmp(tag, "SubLink") == 0)
        return sub_link(t, node);
    if (strcmp(tag, "SQLValueFunction") == 0)
        return value_function(t, node);
    if (strcmp(tag, "CoalesceExpr") == 0)
        return branches(t, node_get(node, "args"), "coalesce", "coalesce", "COALESCE");
    if (strcmp(tag, "MinMaxExpr") == 0)
        return strcmp(node_text(node, "op"), "IS_LEAST") == 0
                   ? branches(t, node_get(node, "args"), "least", "pg_least", "LEAST")
                   : branches(t, node_get(node, "args"), "greatest", "pg_greatest", "GREATEST");
    if (strcmp(tag, "NullTest") == 0) {
        struct pg_expr e = translate_expr(t, node_get(node, "arg"));
        return boolean(t,
                       arena_printf(t->arena, "(%s %s)", e.sql,
                                    strcmp(node_text(node, "nulltesttype"), "IS_NULL") == 0
                                        ? "ISNULL"
                                        : "NOTNULL"),
                       node_location(node));
    }
    if (strcmp(tag, "BooleanTest") == 0) {
        static const char *const words[][2] = {
            {"IS_TRUE", "IS 1"},      {"IS_NOT_TRUE", "IS NOT 1"},
            {"IS_FALSE", "IS 0"},     {"IS_NOT_FALSE", "IS NOT 0"},
            {"IS_UNKNOWN", "ISNULL"}, {"IS_NOT_UNKNOWN", "NOTNULL"}};
        struct pg_expr e = translate_expr(t, node_get(node, "arg"));
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (strcmp(node_text(node, "booltesttype"), words[i][0]) == 0)
                return boolean(t, arena_printf(t->arena, "(%s %s)", e.sql, words[i][1]),
                               node_location(node));
        }
    }
    if (strcmp(tag, "A_ArrayExpr") == 0)
        return array_expr(t, node);
    if (strcmp(tag, "CollateClause") == 0)
        return translate_expr(t, node_get(node, "arg"));
    pg_not_simulated(t->session, node_location(node), "an expression of kind %s", tag);
    return (struct pg_expr){.sql = "NULL", .type = PG_TEXT, .typmod = -1, .name = "?column?"};
}
