/* Types of a statement, and conversions between them. */
#include <string.h>

#include "fakes/postgres/translate.h"

int translate_type(struct translation *t, const cJSON *type_name, int *ret_typmod, bool *ret_serial)
{
    const cJSON *names = node_get(type_name, "names");
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    int type = pg_type_of(name);
    int64_t enumeration = type < 0 ? catalog_enum(t->database, name) : 0;
    if (enumeration)
        type = PG_ENUM;
    int mods[2] = {-1, 0};
    const cJSON *mod;
    int i = 0;
    cJSON_ArrayForEach(mod, node_get(type_name, "typmods"))
    {
        const cJSON *number = node_get(node_get(node_get(mod, "A_Const"), "ival"), "ival");
        if (i < 2)
            mods[i++] = number ? number->valueint : 0;
    }
    if (ret_serial)
        *ret_serial = strstr(name, "serial") != NULL;
    if (node_get(type_name, "arrayBounds"))
        type = type == PG_INT4 ? PG_INT4_ARRAY : PG_TEXT_ARRAY;
    *ret_typmod = type == PG_ENUM ? (int)enumeration : -1;
    if (type == PG_VARCHAR || type == PG_BPCHAR)
        *ret_typmod = mods[0] >= 0 ? mods[0] + 4 : type == PG_BPCHAR ? 5 : -1;
    else if (type == PG_NUMERIC && mods[0] >= 0)
        *ret_typmod = ((mods[0] << 16) | mods[1]) + 4;
    if (type < 0) {
        if (pg_has_type(name))
            pg_not_simulated(t->session, node_location(type_name), "the type %s", name);
        else
            pg_fail(t->session, "42704", node_location(type_name), "type \"%s\" does not exist",
                    name);
        return PG_TEXT;
    }
    return type;
}

static bool converts(enum pg_type from, enum pg_type to, enum coercion how)
{
    if (from == to || from == PG_UNKNOWN)
        return true;
    if (pg_type_is_text(from) && pg_type_is_text(to))
        return true;
    if (pg_type_is_number(from) && pg_type_is_number(to)) {
        static const int rank[PG_TYPES] = {
            [PG_INT2] = 1,    [PG_INT4] = 2,   [PG_INT8] = 3,  [PG_OID] = 3,
            [PG_NUMERIC] = 4, [PG_FLOAT4] = 5, [PG_FLOAT8] = 6};
        return how != COERCE_IMPLICIT || rank[to] >= rank[from];
    }
    if (pg_type_is_time(from) && pg_type_is_time(to))
        return true;
    if ((from == PG_JSON && to == PG_JSONB) || (from == PG_JSONB && to == PG_JSON))
        return how != COERCE_IMPLICIT;
    if (from == PG_REGCLASS || to == PG_REGCLASS)
        return true;
    if (pg_type_is_text(to))
        return how != COERCE_IMPLICIT;
    if (how != COERCE_EXPLICIT)
        return false;
    return pg_type_is_text(from) || (from == PG_BOOL && to == PG_INT4) ||
           (from == PG_INT4 && to == PG_BOOL) || (from == PG_INTERVAL && to == PG_TIME) ||
           (pg_type_is_time(from) && to == PG_TIME) ||
           (pg_type_is_number(from) && (to == PG_JSONB || to == PG_JSON));
}

static const char *number_to(struct translation *t, struct pg_expr e, enum pg_type to, int typmod)
{
    bool from_integer =
        e.type == PG_INT2 || e.type == PG_INT4 || e.type == PG_INT8 || e.type == PG_OID;
    if (to == PG_NUMERIC)
        return typmod >= 0
                   ? arena_printf(t->arena, "pg_round(%s, %d)", e.sql, (typmod - 4) & 0xffff)
                   : e.sql;
    if (to == PG_FLOAT4 || to == PG_FLOAT8)
        return arena_printf(t->arena, "CAST(%s AS REAL)", e.sql);
    if (from_integer)
        return e.type == PG_INT8 && (to == PG_INT4 || to == PG_INT2)
                   ? arena_printf(t->arena, "pg_range(%s, %d)", e.sql, (int)to)
                   : e.sql;
    return arena_printf(t->arena, "pg_range(CAST(pg_round(%s, 0) AS INTEGER), %d)", e.sql, (int)to);
}

const char *translate_time(struct translation *t, struct pg_expr e, enum pg_type to)
{
    if (e.type == PG_DATE && to != PG_DATE)
        return arena_printf(t->arena, "(%s * 86400000000)", e.sql);
    if (e.type != PG_DATE && to == PG_DATE)
        return arena_printf(t->arena, "pg_date(%s)", e.sql);
    return e.sql;
}

struct pg_expr coerce(struct translation *t, struct pg_expr e, enum pg_type to, int typmod,
                      enum coercion how, const char *column)
{
    struct pg_expr result = e;
    result.type = to;
    result.typmod = typmod;
    result.literal = NULL;
    if (e.is_null)
        return result;
    if (e.literal) {
        if (to == PG_UNKNOWN)
            return e;
        if (to == PG_REGCLASS) {
            result.sql = arena_printf(t->arena, "pg_regclass(%s)", e.sql);
            return result;
        }
        const char *text = e.literal;
        if (how == COERCE_EXPLICIT && (to == PG_VARCHAR || to == PG_BPCHAR) && typmod >= 4 &&
            strlen(text) > (size_t)(typmod - 4))
            text = arena_printf(t->arena, "%.*s", typmod - 4, text);
        const char *sql = value_literal(t->session, t->arena, text, to, typmod, e.location);
        result.sql = sql ? sql : "NULL";
        return result;
    }
    if (!converts(e.type, to, how)) {
        if (column) {
            pg_fail(t->session, "42804", e.location,
                    "column \"%s\" is of type %s but expression is of type %s", column,
                    to == PG_ENUM ? catalog_type(t->database, t->arena, to, typmod)
                                  : pg_types[to].name,
                    pg_types[e.type].name);
            pg_hint(t->session, "You will need to rewrite or cast the expression.");
        } else {
            pg_fail(t->session, "42846", e.location, "cannot cast type %s to %s",
                    pg_types[e.type].name, pg_types[to].name);
        }
        return result;
    }
    if (e.type == to && typmod < 0)
        return result;
    if (pg_type_is_text(to)) {
        if (!pg_type_is_text(e.type))
            result.sql =
                arena_printf(t->arena, "pg_text(%s, %d, %d)", e.sql, (int)e.type, e.typmod);
        if ((to == PG_VARCHAR || to == PG_BPCHAR) && typmod >= 4)
            result.sql = arena_printf(t->arena, "pg_fit(%s, %d, %d)", result.sql, typmod - 4,
                                      how == COERCE_EXPLICIT);
    } else if (pg_type_is_number(e.type) && pg_type_is_number(to)) {
        result.sql = number_to(t, e, to, typmod);
    } else if (pg_type_is_time(e.type) && pg_type_is_time(to)) {
        result.sql = translate_time(t, e, to);
    } else if (pg_type_is_time(e.type) && to == PG_TIME) {
        result.sql = arena_printf(t->arena, "pg_clock(%s)", e.sql);
    } else if (to == PG_REGCLASS && pg_type_is_number(e.type)) {
        result.sql = arena_printf(t->arena, "pg_regclass_name(%s)", e.sql);
    } else if (e.type == PG_REGCLASS && pg_type_is_number(to)) {
        result.sql = arena_printf(t->arena, "pg_regclass_oid(%s)", e.sql);
    } else if (to == PG_REGCLASS) {
        result.sql = arena_printf(t->arena, "pg_regclass(%s)", e.sql);
    } else if (pg_type_is_text(e.type)) {
        result.sql = arena_printf(t->arena, "pg_in(%s, %d, %d)", e.sql, (int)to, typmod);
    }
    return result;
}
