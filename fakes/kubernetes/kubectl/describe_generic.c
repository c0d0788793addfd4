/* Any other object in words: its fields by their names (pkg/describe printUnstructuredContent). */
#include <ctype.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/text/go_value.h"

static bool starts_part(const char *field, size_t i)
{
    unsigned char c = (unsigned char)field[i];
    return i == 0 || c == '-' || field[i - 1] == '-' ||
           (isupper(c) &&
            (islower((unsigned char)field[i - 1]) || islower((unsigned char)field[i + 1])));
}

/* "volumeClaimTemplates" is "Volume Claim Templates", "apiVersion" "API Version"; names with other
 * characters than letters and dashes stay as they are. */
static const char *label(struct arena *arena, const char *field)
{
    static const char *const upper[] = {"API", "URL", "UID", "OSB", "GUID"};
    char *text = arena_alloc(arena, 2 * strlen(field) + 1);
    size_t n = 0, start = 0;
    for (size_t i = 0; field[i]; i++) {
        if (!isalpha((unsigned char)field[i]) && field[i] != '-')
            return field;
        bool first = starts_part(field, i);
        if (first && i > 0)
            text[n++] = ' ';
        text[n++] = (char)(first ? toupper((unsigned char)field[i]) : field[i]);
    }
    for (size_t i = 0; i <= n; i++) {
        if (i < n && text[i] != ' ')
            continue;
        for (size_t k = 0; k < sizeof upper / sizeof *upper; k++) {
            if (strlen(upper[k]) == i - start &&
                strncasecmp(text + start, upper[k], i - start) == 0)
                memcpy(text + start, upper[k], i - start);
        }
        start = i + 1;
    }
    return text;
}

static bool skipped(const char *path)
{
    static const char *const paths[] = {".metadata.managedFields", ".metadata.name",
                                        ".metadata.namespace", ".metadata.labels",
                                        ".metadata.annotations"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(path, paths[i]) == 0)
            return true;
    }
    return false;
}

static const char *value_text(struct describe *d, const cJSON *value)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    go_value_print(&text, value);
    const char *copy = arena_str(d->arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

static void content(struct describe *d, int level, const cJSON *object, const char *path)
{
    for (const cJSON **field = go_value_children(d->arena, object); *field; field++) {
        const char *name = (*field)->string, *title = label(d->arena, name);
        const char *inside = arena_printf(d->arena, "%s.%s", path, name);
        if (skipped(inside))
            continue;
        if (cJSON_IsObject(*field)) {
            line(d, level, "%s:", title);
            content(d, level + 1, *field, inside);
        } else if (cJSON_IsArray(*field)) {
            line(d, level, "%s:", title);
            for (const cJSON *item = (*field)->child; item; item = item->next) {
                if (cJSON_IsObject(item))
                    content(d, level + 1, item, inside);
                else
                    line(d, level + 1, "%s", value_text(d, item));
            }
        } else {
            line(d, level, "%s:\t%s", title, value_text(d, *field));
        }
    }
}

void describe_generic(struct describe *d, const struct object *object)
{
    line(d, 0, "Name:\t%s", object->name);
    line(d, 0, "Namespace:\t%s", object->ns);
    lines_metadata(d, object);
    content(d, 0, object->json, "");
    lines_events(d, object);
}
