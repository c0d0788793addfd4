/* What tables have in common, and those of custom resources. */
#include "fakes/kubernetes/kubectl/tables.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/text/jsonpath.h"

void cell(struct row *row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (row->n < CELLS_MAX)
        row->cells[row->n++] = arena_vprintf(row->arena, format, args);
    va_end(args);
}

void cell_name(struct row *row, const cJSON *object)
{
    cell(row, "%s", text_at("", object, "metadata", "name"));
}

void cell_age(struct row *row, const cJSON *object)
{
    cell(row, "%s",
         stamp_age(row->cluster, row->arena, json_text(object, "metadata", "creationTimestamp")));
}

void cells_containers(struct row *row, const cJSON *pod_spec)
{
    const cJSON *containers = json_at(pod_spec, "containers");
    cell(row, "%s", joined(row->arena, containers, "name", ","));
    cell(row, "%s", joined(row->arena, containers, "image", ","));
}

int64_t number_at_path(const cJSON *json, const char *const *path)
{
    const cJSON *value = json_at_path(json, path);
    return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : 0;
}

const char *text_at_path(const char *otherwise, const cJSON *json, const char *const *path)
{
    const char *text = json_text_path(json, path);
    return text && *text ? text : otherwise;
}

const char *joined(struct arena *arena, const cJSON *list, const char *field, const char *separator)
{
    const char *text = "";
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next) {
        const char *one = field ? json_text(item, field) : cJSON_GetStringValue(item);
        text = arena_printf(arena, "%s%s%s", text, item == list->child ? "" : separator,
                            one ? one : "");
    }
    return text;
}

const cJSON *object_condition(const cJSON *object, const char *type)
{
    const cJSON *conditions = json_at(object, "status", "conditions");
    for (const cJSON *one = conditions ? conditions->child : NULL; one; one = one->next) {
        if (strcmp(text_at("", one, "type"), type) == 0)
            return one;
    }
    return NULL;
}

bool condition_true(const cJSON *object, const char *type)
{
    return strcmp(text_at("", object_condition(object, type), "status"), "True") == 0;
}

static const struct table *find(const struct kind *kind)
{
    static const struct table *const all[] = {tables_workloads, tables_others, tables_storage};
    for (size_t i = 0; !kind->custom && i < sizeof all / sizeof *all; i++) {
        for (const struct table *one = all[i]; one->kind; one++) {
            if (strcmp(one->kind, kind->name) == 0)
                return one;
        }
    }
    return NULL;
}

/* ---- custom resources ---- */

/* spec.versions[].additionalPrinterColumns of the definition; NULL: none. */
static const cJSON *custom_columns(struct cluster *cluster, struct arena *arena,
                                   const struct kind *kind)
{
    const char *name = arena_printf(arena, "%s.%s", kind->plural, kind->group);
    struct object *definition =
        kind->custom ? cluster_find_named(cluster, "CustomResourceDefinition", "", name) : NULL;
    const cJSON *versions = definition ? json_at(definition->json, "spec", "versions") : NULL;
    for (const cJSON *one = versions ? versions->child : NULL; one; one = one->next) {
        if (strcmp(text_at("", one, "name"), kind->version) == 0)
            return json_at(one, "additionalPrinterColumns");
    }
    return NULL;
}

/* The heading of one of them: wide from priority 1 on. */
static const char *custom_heading(struct arena *arena, const cJSON *column)
{
    char *heading = arena_printf(arena, "|%s%s", number_at(column, "priority") > 0 ? "+" : "",
                                 text_at("", column, "name"));
    for (char *c = heading; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return heading;
}

static void custom_row(struct row *row, const struct kind *kind, const cJSON *object)
{
    const cJSON *columns = custom_columns(row->cluster, row->arena, kind);
    struct buf text;
    cell_name(row, object);
    if (!columns)
        cell_age(row, object);
    buf_init(&text, 1 << 16);
    for (const cJSON *column = columns ? columns->child : NULL; column; column = column->next) {
        const char *path =
            arena_printf(row->arena, "{%s}", text_at(".nothing", column, "jsonPath"));
        buf_clear(&text);
        jsonpath_values(row->arena, path, object, ",", &text, NULL);
        const char *value = arena_str(row->arena, buf_text(&text));
        bool date = strcmp(text_at("", column, "type"), "date") == 0;
        cell(row, "%s", date && *value ? stamp_age(row->cluster, row->arena, value) : value);
    }
    buf_release(&text);
}

/* ---- all ---- */

const char *table_columns(struct cluster *cluster, struct arena *arena, const struct kind *kind)
{
    const struct table *table = find(kind);
    if (table)
        return table->columns;
    const cJSON *columns = custom_columns(cluster, arena, kind);
    if (!columns)
        return kind->custom ? "NAME|AGE" : "NAME|CREATED AT";
    const char *text = "NAME";
    for (const cJSON *column = columns->child; column; column = column->next)
        text = arena_printf(arena, "%s%s", text, custom_heading(arena, column));
    return text;
}

void table_row(struct row *row, const struct kind *kind, const cJSON *object)
{
    const struct table *table = find(kind);
    row->n = 0;
    if (table) {
        table->fill(row, object);
    } else if (kind->custom) {
        custom_row(row, kind, object);
    } else { /* what has no printer of its own: roles, definitions, limit ranges */
        cell_name(row, object);
        cell(row, "%s", text_at("<unknown>", object, "metadata", "creationTimestamp"));
    }
}
