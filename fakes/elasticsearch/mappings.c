/* Mappings: the types of fields, what dynamic mapping adds to them, and documents that do not fit.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"

static const char *type_in(const cJSON *field)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(field, "type");
    if (cJSON_IsString(type))
        return type->valuestring;
    return cJSON_GetObjectItemCaseSensitive(field, "properties") ? "object" : NULL;
}

const char *es_type_of(const struct es_index *index, const char *path)
{
    const cJSON *at = index->properties, *field = NULL;
    struct str rest = str_of(path);
    char key[128];
    while (rest.len && at) {
        struct str one = str_cut(&rest, '.');
        if (one.len >= sizeof key)
            return NULL;
        memcpy(key, one.at, one.len);
        key[one.len] = '\0';
        field = cJSON_GetObjectItemCaseSensitive(at, key);
        if (!field)
            return NULL;
        at = cJSON_GetObjectItemCaseSensitive(field, "properties");
        if (!at)
            at = cJSON_GetObjectItemCaseSensitive(field, "fields");
    }
    return field && !rest.len ? type_in(field) : NULL;
}

static const char *merge_at(struct arena *arena, cJSON *to, const cJSON *properties,
                            const char *prefix, bool do_it)
{
    static const char *const types[] = {"text",
                                        "keyword",
                                        "long",
                                        "integer",
                                        "short",
                                        "byte",
                                        "double",
                                        "float",
                                        "half_float",
                                        "scaled_float",
                                        "date",
                                        "date_nanos",
                                        "boolean",
                                        "binary",
                                        "ip",
                                        "object",
                                        "nested",
                                        "geo_point",
                                        "flattened",
                                        "wildcard",
                                        "constant_keyword",
                                        "match_only_text",
                                        "unsigned_long",
                                        "alias",
                                        "completion",
                                        "version",
                                        "dense_vector",
                                        "join",
                                        "percolator",
                                        "token_count",
                                        "search_as_you_type",
                                        "integer_range",
                                        "long_range",
                                        "date_range",
                                        "ip_range",
                                        NULL};
    for (const cJSON *field = properties->child; field; field = field->next) {
        const char *name = arena_printf(arena, "%s%s%s", prefix, *prefix ? "." : "", field->string),
                   *type = type_in(field);
        cJSON *old = cJSON_GetObjectItemCaseSensitive(to, field->string);
        int i = 0;
        if (!cJSON_IsObject(field))
            return arena_printf(
                arena,
                "Expected map for property [fields] on field [%s] but got a class java.lang.String",
                field->string);
        if (!type)
            return arena_printf(arena, "No type specified for field [%s]", name);
        while (types[i] && strcmp(types[i], type) != 0)
            i++;
        if (!types[i])
            return arena_printf(
                arena,
                "The mapper type [%s] declared on field [%s] does not exist. It might have been "
                "created within "
                "a future version or requires a plugin to be installed. Check the documentation.",
                type, field->string);
        if (old && type_in(old) && strcmp(type_in(old), type) != 0) {
            if (strcmp(type_in(old), "object") == 0 || strcmp(type, "object") == 0)
                return arena_printf(
                    arena, "can't merge a non object mapping [%s] with an object mapping", name);
            return arena_printf(arena, "mapper [%s] cannot be changed from type [%s] to [%s]", name,
                                type_in(old), type);
        }
        const cJSON *inner = cJSON_GetObjectItemCaseSensitive(field, "properties");
        if (old && inner) {
            cJSON *into = cJSON_GetObjectItemCaseSensitive(old, "properties");
            if (!into)
                into = cJSON_AddObjectToObject(old, "properties");
            const char *why = merge_at(arena, into, inner, name, do_it);
            if (why)
                return why;
        } else if (do_it && !old) {
            cJSON_AddItemToObject(to, field->string, cJSON_Duplicate(field, true));
        } else if (do_it) {
            for (const cJSON *item = field->child; item; item = item->next) {
                cJSON_DeleteItemFromObjectCaseSensitive(old, item->string);
                cJSON_AddItemToObject(old, item->string, cJSON_Duplicate(item, true));
            }
        } else if (inner) {
            cJSON *empty = cJSON_CreateObject();
            const char *why = merge_at(arena, empty, inner, name, false);
            cJSON_Delete(empty);
            if (why)
                return why;
        }
    }
    return NULL;
}

const char *es_merge_mapping(struct arena *arena, cJSON *to, const cJSON *properties)
{
    const char *why = merge_at(arena, to, properties, "", false);
    return why ? why : merge_at(arena, to, properties, "", true);
}

/* ---- documents against a mapping ---- */

struct check {
    struct es_exchange *x;
    struct es_index *index;
    const char *id;
    struct str text;
};

/* "[1:9]": where the value of that key stands in the source, as the JSON parser counts. */
static const char *place_of(const struct check *c, const char *key)
{
    const char *quoted = arena_printf(c->x->arena, "\"%s\"", key);
    ptrdiff_t at = str_find(c->text, str_of(quoted));
    int row = 1, column = 1;
    size_t end = at < 0 ? 0 : (size_t)at + strlen(quoted);
    while (end < c->text.len && (isspace((unsigned char)c->text.at[end]) || c->text.at[end] == ':'))
        end++;
    for (size_t i = 0; i < end && i < c->text.len; i++) {
        column++;
        if (c->text.at[i] == '\n') {
            row++;
            column = 1;
        }
    }
    return arena_printf(c->x->arena, "%d:%d", row, column);
}

static cJSON *refuse(const struct check *c, const char *key, const char *reason,
                     const char *cause_type, const char *cause)
{
    bool old = c->x->node->opensearch;
    cJSON *error = es_error_json(
        old ? "mapper_parsing_exception" : "document_parsing_exception",
        old ? reason : arena_printf(c->x->arena, "[%s] %s", place_of(c, key), reason));
    if (cause)
        cJSON_AddItemToObject(error, "caused_by", es_error_json(cause_type, cause));
    return error;
}

static bool is_date(struct es_exchange *x, const char *text)
{
    int64_t ns;
    return strlen(text) >= 10 && isdigit((unsigned char)text[0]) && text[4] == '-' &&
           es_date(x, text, false, &ns);
}

static bool is_number(const char *text, bool whole)
{
    char *end;
    double value = strtod(text, &end);
    (void)value;
    return end != text && !*end && !(whole && strpbrk(text, ".eE") && strpbrk(text, "eE")) &&
           !isspace((unsigned char)text[0]);
}

/* What dynamic mapping makes of a value; NULL: nothing (null, an empty array). */
static cJSON *dynamic_type(struct es_exchange *x, const cJSON *value)
{
    while (cJSON_IsArray(value))
        value = value->child;
    if (!value || cJSON_IsNull(value))
        return NULL;
    cJSON *field = cJSON_CreateObject();
    if (cJSON_IsObject(value)) {
        cJSON_AddObjectToObject(field, "properties");
    } else if (cJSON_IsBool(value)) {
        cJSON_AddStringToObject(field, "type", "boolean");
    } else if (cJSON_IsNumber(value)) {
        bool whole = value->valuedouble >= -9e15 && value->valuedouble <= 9e15 &&
                     (double)(int64_t)value->valuedouble >= value->valuedouble &&
                     (double)(int64_t)value->valuedouble <= value->valuedouble;
        cJSON_AddStringToObject(field, "type", whole ? "long" : "float");
    } else if (is_date(x, value->valuestring)) {
        cJSON_AddStringToObject(field, "type", "date");
    } else {
        cJSON_AddStringToObject(field, "type", "text");
        cJSON *keyword =
            cJSON_AddObjectToObject(cJSON_AddObjectToObject(field, "fields"), "keyword");
        cJSON_AddStringToObject(keyword, "type", "keyword");
        cJSON_AddNumberToObject(keyword, "ignore_above", 256);
    }
    return field;
}

/* Why a plain value does not fit a type; NULL: it does. *ret_cause is what stands under caused_by.
 */
static const char *misfit(const struct check *c, const char *path, const char *type,
                          const cJSON *value, const char **ret_cause_type, const char **ret_cause)
{
    bool whole = strcmp(type, "long") == 0 || strcmp(type, "integer") == 0 ||
                 strcmp(type, "short") == 0 || strcmp(type, "byte") == 0;
    bool real = strcmp(type, "float") == 0 || strcmp(type, "double") == 0 ||
                strcmp(type, "half_float") == 0 || strcmp(type, "scaled_float") == 0;
    bool number = whole || real, flag = strcmp(type, "boolean") == 0,
         date = strcmp(type, "date") == 0;
    struct arena *arena = c->x->arena;
    const char *shown = NULL;
    if (cJSON_IsObject(value)) {
        char *text = cJSON_PrintUnformatted(value);
        shown = arena_strdup(arena, text);
        cJSON_free(text);
        *ret_cause_type =
            number || date || flag ? "illegal_argument_exception" : "illegal_state_exception";
        *ret_cause = number ? "Cannot parse object as number"
                            : arena_printf(arena, "Can't get text on a START_OBJECT at %s",
                                           place_of(c, path));
    } else if (cJSON_IsString(value)) {
        shown = value->valuestring;
        *ret_cause_type = "illegal_argument_exception";
        if (number && !is_number(shown, whole)) {
            *ret_cause = arena_printf(arena, "For input string: \"%s\"", shown);
            if (real)
                *ret_cause_type = "number_format_exception";
        } else if (flag && strcmp(shown, "true") != 0 && strcmp(shown, "false") != 0 && *shown) {
            *ret_cause = arena_printf(
                arena, "Failed to parse value [%s] as only [true] or [false] are allowed.", shown);
        } else if (date) {
            int64_t ns;
            bool good = es_date(c->x, shown, false, &ns) && strncmp(shown, "now", 3) != 0;
            *ret_cause = good ? NULL
                              : arena_printf(arena,
                                             "failed to parse date field [%s] with format "
                                             "[strict_date_optional_time||epoch_millis]",
                                             shown);
        }
    } else if ((flag && cJSON_IsNumber(value)) || (number && cJSON_IsBool(value)) ||
               (date && cJSON_IsBool(value))) {
        shown = cJSON_IsBool(value) ? (cJSON_IsTrue(value) ? "true" : "false")
                                    : arena_printf(arena, "%g", value->valuedouble);
        *ret_cause_type = "illegal_argument_exception";
        *ret_cause =
            flag ? arena_printf(arena,
                                "Failed to parse value [%s] as only [true] or [false] are allowed.",
                                shown)
                 : arena_printf(arena, "For input string: \"%s\"", shown);
    }
    if (!*ret_cause)
        return NULL;
    return arena_printf(arena,
                        "failed to parse field [%s] of type [%s] in document with id '%s'. Preview "
                        "of field's value: '%s'",
                        path, type, c->id, shown);
}

static cJSON *check_object(const struct check *c, cJSON *properties, const cJSON *object,
                           const char *prefix);

static cJSON *check_value(const struct check *c, cJSON *field, const cJSON *value, const char *path)
{
    const char *type = type_in(field), *cause_type = NULL, *cause = NULL;
    if (cJSON_IsArray(value)) {
        for (const cJSON *item = value->child; item; item = item->next) {
            cJSON *error = check_value(c, field, item, path);
            if (error)
                return error;
        }
        return NULL;
    }
    if (cJSON_IsNull(value) || !type)
        return NULL;
    const char *last = strrchr(path, '.');
    if (strcmp(type, "object") == 0 || strcmp(type, "nested") == 0) {
        if (!cJSON_IsObject(value))
            return refuse(c, last ? last + 1 : path,
                          arena_printf(c->x->arena,
                                       "object mapping for [%s] tried to parse field [%s] as "
                                       "object, but found a concrete value",
                                       path, last ? last + 1 : path),
                          NULL, NULL);
        cJSON *inner = cJSON_GetObjectItemCaseSensitive(field, "properties");
        return check_object(c, inner ? inner : cJSON_AddObjectToObject(field, "properties"), value,
                            path);
    }
    const char *why = misfit(c, path, type, value, &cause_type, &cause);
    return why ? refuse(c, last ? last + 1 : path, why, cause_type, cause) : NULL;
}

static cJSON *check_object(const struct check *c, cJSON *properties, const cJSON *object,
                           const char *prefix)
{
    for (const cJSON *item = object->child; item; item = item->next) {
        const char *path =
            arena_printf(c->x->arena, "%s%s%s", prefix, *prefix ? "." : "", item->string);
        cJSON *field = cJSON_GetObjectItemCaseSensitive(properties, item->string);
        if (!field && strcmp(c->index->dynamic, "strict") == 0)
            return es_error_json("strict_dynamic_mapping_exception",
                                 arena_printf(c->x->arena,
                                              "[%s] mapping set to strict, dynamic introduction of "
                                              "[%s] within [%s] is not allowed",
                                              place_of(c, item->string), item->string,
                                              *prefix ? prefix : "_doc"));
        if (!field && strcmp(c->index->dynamic, "true") == 0 &&
            (field = dynamic_type(c->x, item)) != NULL)
            cJSON_AddItemToObject(properties, item->string, field);
        cJSON *error = field ? check_value(c, field, item, path) : NULL;
        if (error)
            return error;
    }
    return NULL;
}

cJSON *es_map_document(struct es_exchange *x, struct es_index *index, const char *id,
                       const cJSON *source, struct str text)
{
    struct check c = {x, index, id, text};
    cJSON *trial = cJSON_Duplicate(index->properties,
                                   true); /* a document that does not fit leaves no fields behind */
    cJSON *error = check_object(&c, trial, source, "");
    if (error) {
        cJSON_Delete(trial);
        return error;
    }
    cJSON_Delete(index->properties);
    index->properties = trial;
    return NULL;
}
