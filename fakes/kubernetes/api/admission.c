/* Admission: defaults, then validation, and the words of what is refused. Wording:
 * k8s.io/apimachinery pkg/util/validation/field, pkg/api/errors (NewInvalid). */
#include "fakes/kubernetes/api/admission.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"

/* ---- causes ---- */

static void add(struct causes *causes, const char *text)
{
    if (causes->n + 1 >= causes->cap) {
        int cap = causes->cap ? causes->cap * 2 : 8;
        const char **grown = ARENA_ARRAY(causes->arena, const char *, cap);
        for (int i = 0; i < causes->n; i++)
            grown[i] = causes->at[i];
        causes->at = grown;
        causes->cap = cap;
    }
    causes->at[causes->n++] = text;
    causes->at[causes->n] = NULL;
}

void cause_required(struct causes *causes, const char *path, const char *detail)
{
    add(causes, arena_printf(causes->arena, "%s: Required value%s%s", path, detail ? ": " : "",
                             detail ? detail : ""));
}

void cause_invalid(struct causes *causes, const char *path, const char *value, const char *format,
                   ...)
{
    va_list args;
    va_start(args, format);
    const char *detail = arena_vprintf(causes->arena, format, args);
    va_end(args);
    add(causes, arena_printf(causes->arena, "%s: Invalid value: %s: %s", path, value, detail));
}

void cause_forbidden(struct causes *causes, const char *path, const char *detail)
{
    add(causes, arena_printf(causes->arena, "%s: Forbidden: %s", path, detail));
}

void cause_duplicate(struct causes *causes, const char *path, const char *value)
{
    add(causes, arena_printf(causes->arena, "%s: Duplicate value: %s", path, value));
}

void cause_not_found(struct causes *causes, const char *path, const char *value)
{
    add(causes, arena_printf(causes->arena, "%s: Not found: %s", path, shown_text(causes, value)));
}

void cause_not_supported(struct causes *causes, const char *path, const char *value,
                         const char *const *supported)
{
    const char *list = "";
    for (; *supported; supported++)
        list = arena_printf(causes->arena, "%s%s\"%s\"", list, *list ? ", " : "", *supported);
    add(causes, arena_printf(causes->arena, "%s: Unsupported value: %s: supported values: %s", path,
                             shown_text(causes, value), list));
}

/* ---- how Go prints values ---- */

const char *path_at(struct causes *causes, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *path = arena_vprintf(causes->arena, format, args);
    va_end(args);
    return path;
}

const char *shown_text(struct causes *causes, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    buf_putc(&out, '"');
    for (; text && *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(&out, '\\');
        if (*text == '\n')
            buf_puts(&out, "\\n");
        else
            buf_putc(&out, *text);
    }
    buf_putc(&out, '"');
    const char *shown = arena_str(causes->arena, buf_text(&out));
    buf_release(&out);
    return shown;
}

const char *shown_number(struct causes *causes, int64_t number)
{
    return arena_printf(causes->arena, "%" PRId64, number);
}

const char *shown_value(struct causes *causes, const cJSON *value)
{
    return cJSON_IsString(value)   ? shown_text(causes, value->valuestring)
           : cJSON_IsNumber(value) ? shown_number(causes, (int64_t)value->valuedouble)
           : cJSON_IsBool(value)   ? (cJSON_IsTrue(value) ? "true" : "false")
                                   : "null";
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

const char *shown_map(struct causes *causes, const cJSON *map)
{
    int n = cJSON_GetArraySize(map);
    const cJSON **items = ARENA_ARRAY(causes->arena, const cJSON *, n + 1);
    const char *text = "map[string]string";
    if (!cJSON_IsObject(map))
        return "map[string]string(nil)";
    n = 0;
    for (const cJSON *item = map->child; item; item = item->next)
        items[n++] = item;
    qsort(items, (size_t)n, sizeof *items, by_key);
    text = arena_printf(causes->arena, "%s{", text);
    for (int i = 0; i < n; i++)
        text = arena_printf(causes->arena, "%s%s%s:%s", text, i ? ", " : "",
                            shown_text(causes, items[i]->string), shown_value(causes, items[i]));
    return arena_printf(causes->arena, "%s}", text);
}

static const char *shown_list(struct causes *causes, const cJSON *list)
{
    const char *text = "[]string{";
    if (!cJSON_IsArray(list))
        return "[]string(nil)";
    for (const cJSON *item = list->child; item; item = item->next)
        text = arena_printf(causes->arena, "%s%s%s", text, item == list->child ? "" : ", ",
                            shown_value(causes, item));
    return arena_printf(causes->arena, "%s}", text);
}

const char *shown_selector(struct causes *causes, const cJSON *selector)
{
    const cJSON *expressions = json_at(selector, "matchExpressions");
    const char *list = "[]v1.LabelSelectorRequirement(nil)";
    if (cJSON_IsArray(expressions)) {
        list = "[]v1.LabelSelectorRequirement{";
        for (const cJSON *one = expressions->child; one; one = one->next)
            list = arena_printf(causes->arena,
                                "%s%sv1.LabelSelectorRequirement{Key:%s, Operator:%s, Values:%s}",
                                list, one == expressions->child ? "" : ", ",
                                shown_text(causes, json_text(one, "key")),
                                shown_text(causes, json_text(one, "operator")),
                                shown_list(causes, json_at(one, "values")));
        list = arena_printf(causes->arena, "%s}", list);
    }
    return arena_printf(causes->arena, "v1.LabelSelector{MatchLabels:%s, MatchExpressions:%s}",
                        shown_map(causes, json_at(selector, "matchLabels")), list);
}

/* ---- checks that many fields share ---- */

void check_not_negative(struct causes *causes, const char *path, const cJSON *object,
                        const char *key)
{
    int64_t value = json_int(object, key, 0);
    if (value < 0)
        cause_invalid(causes, path_at(causes, "%s.%s", path, key), shown_number(causes, value),
                      "must be greater than or equal to 0");
}

void check_choice(struct causes *causes, const char *path, const cJSON *object, const char *key,
                  const char *const *supported)
{
    const char *value = json_text(object, key);
    for (int i = 0; value && supported[i]; i++) {
        if (strcmp(supported[i], value) == 0)
            return;
    }
    if (value)
        cause_not_supported(causes, path_at(causes, "%s.%s", path, key), value, supported);
}

void check_same(struct causes *causes, const char *path, const cJSON *is, const cJSON *was,
                const char *shown)
{
    if ((is || was) && (!is || !was || !json_equal(is, was)))
        cause_invalid(causes, path, shown, "field is immutable");
}

void check_port(struct causes *causes, const char *path, const cJSON *number)
{
    int64_t port = cJSON_IsNumber(number) ? (int64_t)number->valuedouble : 0;
    if (port < 1 || port > 65535)
        cause_invalid(causes, path, shown_number(causes, port),
                      "must be between 1 and 65535, inclusive");
}

/* ---- all together ---- */

static bool invalid(struct cluster *cluster, const struct kind *kind, const cJSON *json,
                    const struct causes *causes, struct api_error *error)
{
    const char *name = json_text(json, "metadata", "name"), *list = "";
    const char *what =
        *kind->group ? arena_printf(causes->arena, "%s.%s", kind->name, kind->group) : kind->name;
    for (int i = 0; i < causes->n; i++)
        list = arena_printf(causes->arena, "%s%s%s", list, i ? ", " : "", causes->at[i]);
    api_fail(cluster, error, 422, "Invalid",
             causes->n > 1 ? "%s \"%s\" is invalid: [%s]" : "%s \"%s\" is invalid: %s", what,
             name ? name : "", list);
    error->causes = causes->at;
    return false;
}

bool admission(struct cluster *cluster, const struct kind *kind, cJSON *json, const cJSON *old,
               struct api_error *error)
{
    struct causes causes = {.arena = cluster_arena(cluster)};
    admission_prune(causes.arena, kind, json);
    admission_defaults(cluster, kind, json, old);
    validate_metadata(&causes, kind, json, old);
    if (strcmp(kind->group, "apps") == 0 || strcmp(kind->group, "batch") == 0)
        validate_workload(&causes, kind, json, old);
    else
        validate_other(&causes, kind, json, old);
    return causes.n == 0 || invalid(cluster, kind, json, &causes, error);
}
