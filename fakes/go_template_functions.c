/* The values of a Go template and the functions that act on them. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/go_template_run.h"
#include "sim/base/str.h"

/* ---- values ---- */

const cJSON *template_own(struct template_run *run, cJSON *value)
{
    if (value && cJSON_GetArraySize(run->temporaries) < TEMPORARIES_MAX)
        cJSON_AddItemToArray(run->temporaries, value);
    return value;
}

bool template_truth(const cJSON *value)
{
    if (!value || cJSON_IsNull(value) || cJSON_IsFalse(value))
        return false;
    if (cJSON_IsString(value))
        return value->valuestring[0] != '\0';
    if (cJSON_IsNumber(value))
        return value->valuedouble < 0 || value->valuedouble > 0;
    if (cJSON_IsArray(value) || cJSON_IsObject(value))
        return value->child != NULL;
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

const cJSON **template_children(struct template_run *run, const cJSON *object)
{
    int n = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, object) n++;
    const cJSON **list = ARENA_ARRAY(run->arena, const cJSON *, n + 1);
    n = 0;
    cJSON_ArrayForEach(child, object) list[n++] = child;
    if (cJSON_IsObject(object))
        qsort(list, (size_t)n, sizeof *list, by_key);
    return list;
}

void template_print(struct template_run *run, const cJSON *value, struct buf *out)
{
    if (!value)
        buf_puts(out, "<no value>");
    else if (cJSON_IsString(value))
        buf_puts(out, value->valuestring);
    else if (cJSON_IsBool(value))
        buf_puts(out, cJSON_IsTrue(value) ? "true" : "false");
    else if (cJSON_IsNull(value))
        buf_puts(out, "<nil>");
    else if (cJSON_IsNumber(value) && fabs(value->valuedouble) < 1e15 &&
             value->valuedouble - floor(value->valuedouble) < 1e-12)
        buf_printf(out, "%" PRId64, (int64_t)value->valuedouble);
    else if (cJSON_IsNumber(value))
        buf_printf(out, "%g", value->valuedouble);
    else {
        bool object = cJSON_IsObject(value);
        buf_puts(out, object ? "map[" : "[");
        const cJSON **list = template_children(run, value);
        for (int i = 0; list[i]; i++) {
            buf_puts(out, i ? " " : "");
            if (object)
                buf_printf(out, "%s:", list[i]->string);
            template_print(run, list[i], out);
        }
        buf_putc(out, ']');
    }
}

const char *template_as_text(struct template_run *run, const cJSON *value)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    template_print(run, value, &text);
    const char *z = arena_str(run->arena, buf_text(&text));
    buf_release(&text);
    return z;
}

/* ---- functions ---- */

const cJSON *template_text(struct template_run *run, const char *text)
{
    return template_own(run, cJSON_CreateString(text));
}

static void add_json(const cJSON *value, struct buf *out)
{
    char *text = value ? cJSON_PrintUnformatted(value) : NULL;
    buf_puts(out, text ? text : "null");
    cJSON_free(text);
}

static int compare(const cJSON *a, const cJSON *b)
{
    if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
        return (a->valuedouble > b->valuedouble) - (a->valuedouble < b->valuedouble);
    if (cJSON_IsString(a) && cJSON_IsString(b))
        return strcmp(a->valuestring, b->valuestring);
    return cJSON_Compare(a, b, true) ? 0 : 1;
}

static const cJSON *format_text(struct template_run *run, const cJSON *const *args, int n)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    int next = 1;
    for (const char *p = template_as_text(run, args[0]); *p; p++) {
        if (*p != '%') {
            buf_putc(&text, *p);
            continue;
        }
        const char *start = p++;
        while (*p && strchr("-+# 0123456789.", *p))
            p++;
        if (*p == '%') {
            buf_putc(&text, '%');
            continue;
        }
        if (!*p)
            break;
        const char *value = next < n ? template_as_text(run, args[next]) : "%!v(MISSING)";
        int asked = leading_int(start[1] == '-' ? start + 2 : start + 1);
        int width = asked > 0 && asked < 1000 ? asked : 0;
        if (*p == 'q')
            buf_printf(&text, "\"%s\"", value);
        else if (start[1] == '-')
            buf_printf(&text, "%-*s", width, value);
        else
            buf_printf(&text, "%*s", width, value);
        next++;
    }
    const cJSON *made = template_text(run, arena_str(run->arena, buf_text(&text)));
    buf_release(&text);
    return made;
}

static const cJSON *change_case(struct template_run *run, const char *text, char how)
{
    char *copy = arena_strdup(run->arena, text);
    for (char *p = copy; *p; p++) {
        bool first = p == copy || p[-1] == ' ';
        *p = (char)(how == 'l'            ? tolower((unsigned char)*p)
                    : how == 'u' || first ? toupper((unsigned char)*p)
                                          : *p);
    }
    return template_text(run, copy);
}

static const cJSON *index_value(struct template_run *run, const cJSON *const *args, int n)
{
    const cJSON *at = args[0];
    for (int i = 1; i < n && at; i++)
        at = cJSON_IsArray(at) && cJSON_IsNumber(args[i])
                 ? cJSON_GetArrayItem(at, args[i]->valueint)
                 : cJSON_GetObjectItemCaseSensitive(at, template_as_text(run, args[i]));
    return at ? at : template_text(run, "");
}

static const cJSON *split_text(struct template_run *run, const char *text, const char *at)
{
    cJSON *list = cJSON_CreateArray();
    size_t len = strlen(at);
    const char *next;
    while (len && (next = strstr(text, at))) {
        cJSON_AddItemToArray(list, cJSON_CreateString(arena_str(
                                       run->arena, (struct str){text, (size_t)(next - text)})));
        text = next + len;
    }
    cJSON_AddItemToArray(list, cJSON_CreateString(text));
    return template_own(run, list);
}

static const cJSON *join_text(struct template_run *run, const cJSON *list, const char *with)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (item != list->child)
            buf_puts(&text, with);
        template_print(run, item, &text);
    }
    const cJSON *made = template_text(run, arena_str(run->arena, buf_text(&text)));
    buf_release(&text);
    return made;
}

bool template_is_function(const char *name)
{
    static const char *const names[] = {
        "json", "lower", "upper",  "title",    "join",  "split", "index",
        "len",  "print", "printf", "println",  "eq",    "ne",    "lt",
        "le",   "gt",    "ge",     "and",      "or",    "not",   "truncate",
        "pad",  "html",  "js",     "urlquery", "slice", "call",  NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

const cJSON *template_call(struct template_run *run, const char *name, const cJSON *const *args,
                           int n)
{
    const cJSON *first = n > 0 ? args[0] : NULL, *second = n > 1 ? args[1] : NULL;
    if (strcmp(name, "json") == 0) {
        struct buf text;
        buf_init(&text, 4 << 20);
        add_json(first, &text);
        const cJSON *made = template_text(run, arena_str(run->arena, buf_text(&text)));
        buf_release(&text);
        return made;
    }
    if (strcmp(name, "lower") == 0 || strcmp(name, "upper") == 0 || strcmp(name, "title") == 0)
        return change_case(run, template_as_text(run, first), name[0]);
    if (strcmp(name, "join") == 0)
        return join_text(run, first, second ? template_as_text(run, second) : "");
    if (strcmp(name, "split") == 0)
        return split_text(run, template_as_text(run, first), template_as_text(run, second));
    if (strcmp(name, "index") == 0)
        return index_value(run, args, n);
    if (strcmp(name, "len") == 0)
        return template_own(run, cJSON_CreateNumber(cJSON_IsString(first)
                                                        ? (double)strlen(first->valuestring)
                                                        : (double)cJSON_GetArraySize(first)));
    if (strcmp(name, "printf") == 0)
        return format_text(run, args, n);
    if (strcmp(name, "print") == 0 || strcmp(name, "println") == 0) {
        const char *text = "";
        for (int i = 0; i < n; i++)
            text = arena_printf(run->arena, "%s%s%s", text, i && name[5] ? " " : "",
                                template_as_text(run, args[i]));
        return template_text(run, name[5] ? arena_printf(run->arena, "%s\n", text) : text);
    }
    if (strcmp(name, "not") == 0)
        return template_own(run, cJSON_CreateBool(!template_truth(first)));
    if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0) {
        bool stop_at = name[0] == 'o';
        for (int i = 0; i < n; i++) {
            if (template_truth(args[i]) == stop_at)
                return args[i];
        }
        return n ? args[n - 1] : NULL;
    }
    if (strcmp(name, "truncate") == 0) {
        const char *text = template_as_text(run, first);
        size_t max = second ? (size_t)second->valuedouble : 0;
        return template_text(
            run, strlen(text) > max ? arena_str(run->arena, (struct str){text, max}) : text);
    }
    if (name[0] && name[1] && !name[2]) {
        int order = compare(first, second);
        bool holds = strcmp(name, "eq") == 0   ? order == 0
                     : strcmp(name, "ne") == 0 ? order != 0
                     : strcmp(name, "lt") == 0 ? order < 0
                     : strcmp(name, "le") == 0 ? order <= 0
                     : strcmp(name, "gt") == 0 ? order > 0
                                               : order >= 0;
        for (int i = 2; strcmp(name, "eq") == 0 && i < n && !holds; i++)
            holds = compare(first, args[i]) == 0;
        return template_own(run, cJSON_CreateBool(holds));
    }
    return first;
}
