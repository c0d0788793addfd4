#include "tests/json_schema.h"

#include <math.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "sim/base/buf.h"

#define URI_CHARS "([A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})"

static char complaint[512];

static bool fail(const char *where, const char *what, const char *detail)
{
    if (!complaint[0]) /* the first is the deepest */
        snprintf(complaint, sizeof complaint, "%s: %s %s", where, what, detail);
    return false;
}

static bool has_type(const cJSON *value, const char *type)
{
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(value) && fabs(value->valuedouble - floor(value->valuedouble)) < 1e-9;
    return (strcmp(type, "string") == 0 && cJSON_IsString(value)) ||
           (strcmp(type, "number") == 0 && cJSON_IsNumber(value)) ||
           (strcmp(type, "boolean") == 0 && cJSON_IsBool(value)) ||
           (strcmp(type, "null") == 0 && cJSON_IsNull(value)) ||
           (strcmp(type, "object") == 0 && cJSON_IsObject(value)) ||
           (strcmp(type, "array") == 0 && cJSON_IsArray(value));
}

static bool check_type(const cJSON *rule, const cJSON *value)
{
    if (cJSON_IsString(rule))
        return has_type(value, rule->valuestring);
    const cJSON *type;
    cJSON_ArrayForEach(type, rule)
    {
        if (has_type(value, type->valuestring))
            return true;
    }
    return false;
}

static bool in_enum(const cJSON *choices, const cJSON *value)
{
    const cJSON *choice;
    cJSON_ArrayForEach(choice, choices)
    {
        if (cJSON_Compare(choice, value, true))
            return true;
    }
    return false;
}

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

/* The formats that our schemas name, as RFC 3986 and RFC 3339 have them. */
static bool has_format(const char *format, const char *text)
{
    static const struct {
        const char *format, *pattern;
    } formats[] = {
        {"uri", "^[A-Za-z][A-Za-z0-9+.-]*:" URI_CHARS "+$"},
        /* relative ones too; the first part of such a path holds no colon */
        {"uri-reference",
         "^([A-Za-z][A-Za-z0-9+.-]*:|[/?#]|([A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})*"
         "([/?#]|$))" URI_CHARS "*$"},
        {"date-time", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?"
                      "(Z|[+-][0-9]{2}:[0-9]{2})$"},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(format, formats[i].format) == 0)
            return matches(formats[i].pattern, text);
    }
    return false;
}

static bool are_unique(const cJSON *list)
{
    const cJSON *item, *other;
    cJSON_ArrayForEach(item, list)
    {
        for (other = item->next; other; other = other->next) {
            if (cJSON_Compare(item, other, true))
                return false;
        }
    }
    return true;
}

static bool check(const cJSON *root, const cJSON *schema, const cJSON *value, const char *where);

static bool check_members(const cJSON *root, const cJSON *schema, const cJSON *value,
                          const char *where)
{
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    const cJSON *more = cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
    const cJSON *member, *key;
    cJSON_ArrayForEach(key, cJSON_GetObjectItemCaseSensitive(schema, "required"))
    {
        if (!cJSON_GetObjectItemCaseSensitive(value, key->valuestring))
            return fail(where, "misses", key->valuestring);
    }
    cJSON_ArrayForEach(member, value)
    {
        char at[400];
        snprintf(at, sizeof at, "%s/%s", where, member->string);
        const cJSON *rule = cJSON_GetObjectItemCaseSensitive(properties, member->string);
        if (!rule && cJSON_IsFalse(more))
            return fail(at, "is not allowed", "");
        if (!rule)
            rule = cJSON_IsObject(more) ? more : NULL;
        if (rule && !check(root, rule, member, at))
            return false;
        for (const cJSON *later = member->next; later; later = later->next) {
            if (strcmp(later->string, member->string) == 0)
                return fail(at, "is there twice", "");
        }
    }
    return true;
}

static bool check_items(const cJSON *root, const cJSON *schema, const cJSON *value,
                        const char *where)
{
    const cJSON *rule = cJSON_GetObjectItemCaseSensitive(schema, "items");
    const cJSON *item;
    int i = 0;
    cJSON_ArrayForEach(item, value)
    {
        char at[400];
        snprintf(at, sizeof at, "%s/%d", where, i++);
        if (rule && !check(root, rule, item, at))
            return false;
    }
    return true;
}

static bool check_any_of(const cJSON *root, const cJSON *rules, const cJSON *value,
                         const char *where)
{
    char kept[sizeof complaint];
    memcpy(kept, complaint, sizeof kept);
    const cJSON *rule;
    cJSON_ArrayForEach(rule, rules)
    {
        if (check(root, rule, value, where)) {
            memcpy(complaint, kept, sizeof kept);
            return true;
        }
    }
    return fail(where, "fits none of", "anyOf");
}

static bool check_rule(const cJSON *root, const cJSON *schema, const cJSON *rule,
                       const cJSON *value, const char *where)
{
    const char *name = rule->string;
    if (strcmp(name, "type") == 0)
        return check_type(rule, value) || fail(where, "has not the", "type");
    if (strcmp(name, "const") == 0)
        return cJSON_Compare(rule, value, true) || fail(where, "is not", "const");
    if (strcmp(name, "enum") == 0)
        return in_enum(rule, value) || fail(where, "is not in", "enum");
    if (strcmp(name, "pattern") == 0)
        return !cJSON_IsString(value) || matches(rule->valuestring, value->valuestring) ||
               fail(where, "does not match", rule->valuestring);
    if (strcmp(name, "minimum") == 0)
        return !cJSON_IsNumber(value) || value->valuedouble >= rule->valuedouble ||
               fail(where, "is under", "minimum");
    if (strcmp(name, "maximum") == 0)
        return !cJSON_IsNumber(value) || value->valuedouble <= rule->valuedouble ||
               fail(where, "is over", "maximum");
    if (strcmp(name, "minItems") == 0)
        return !cJSON_IsArray(value) || cJSON_GetArraySize(value) >= rule->valueint ||
               fail(where, "is too", "short");
    if (strcmp(name, "uniqueItems") == 0)
        return !cJSON_IsArray(value) || cJSON_IsFalse(rule) || are_unique(value) ||
               fail(where, "holds the same", "twice");
    if (strcmp(name, "format") == 0)
        return !cJSON_IsString(value) || has_format(rule->valuestring, value->valuestring) ||
               fail(where, "is no", rule->valuestring);
    if (strcmp(name, "required") == 0 || strcmp(name, "properties") == 0 ||
        strcmp(name, "additionalProperties") == 0)
        return !cJSON_IsObject(value) || check_members(root, schema, value, where);
    if (strcmp(name, "items") == 0)
        return !cJSON_IsArray(value) || check_items(root, schema, value, where);
    if (strcmp(name, "anyOf") == 0)
        return check_any_of(root, rule, value, where);
    if (strcmp(name, "$ref") == 0) {
        const cJSON *defs = cJSON_GetObjectItemCaseSensitive(root, "$defs");
        const cJSON *target = strncmp(rule->valuestring, "#/$defs/", 8) == 0
                                  ? cJSON_GetObjectItemCaseSensitive(defs, rule->valuestring + 8)
                                  : NULL;
        return target ? check(root, target, value, where)
                      : fail(where, "no such $ref", rule->valuestring);
    }
    static const char *const silent[] = {"$schema", "$id", "title", "description", "$defs", NULL};
    for (int i = 0; silent[i]; i++) {
        if (strcmp(name, silent[i]) == 0)
            return true;
    }
    return fail(where, "schema keyword not checked:", name);
}

static bool check(const cJSON *root, const cJSON *schema, const cJSON *value, const char *where)
{
    const cJSON *rule;
    cJSON_ArrayForEach(rule, schema)
    {
        if (!check_rule(root, schema, rule, value, where))
            return false;
    }
    return true;
}

const char *json_schema_check(const char *schema_path, const char *document)
{
    complaint[0] = '\0';
    struct buf text;
    buf_init(&text, 1 << 20);
    int code = buf_read_file(&text, schema_path);
    cJSON *schema = code < 0 ? NULL : cJSON_Parse(text.at);
    const char *end = NULL;
    cJSON *value = cJSON_ParseWithOpts(document, &end, true);
    if (!schema)
        fail(schema_path, "is no JSON", "");
    else if (!value)
        fail("document", "is no JSON near", end ? end : "");
    else if (!check(schema, schema, value, ""))
        fail("", "is not valid", "");
    cJSON_Delete(schema);
    cJSON_Delete(value);
    buf_release(&text);
    return complaint[0] ? complaint : NULL;
}
