/* --sort-by: k8s.io/kubectl pkg/cmd/get sorter.go. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakes/kubernetes/api/quantity.h"
#include "fakes/kubernetes/kubectl/get.h"
#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/jsonpath.h"

struct entry {
    const cJSON *object, *value; /* value NULL: the field is not there; such come first */
    int at;
};

/* Numbers inside of texts count as numbers: "web-9" before "web-10". */
static int natural(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            while (*a == '0' && isdigit((unsigned char)a[1]))
                a++;
            while (*b == '0' && isdigit((unsigned char)b[1]))
                b++;
            size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            int order = n == m ? memcmp(a, b, n) : n < m ? -1 : 1;
            if (order)
                return order;
            a += n;
            b += m;
        } else if (*a != *b) {
            return (unsigned char)*a - (unsigned char)*b;
        } else {
            a++;
            b++;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int compare(const void *one, const void *other)
{
    const struct entry *a = one, *b = other;
    double x, y;
    int order = 0;
    if (!a->value || !b->value) {
        order = (a->value != NULL) - (b->value != NULL);
    } else if (cJSON_IsNumber(a->value) && cJSON_IsNumber(b->value)) {
        x = a->value->valuedouble;
        y = b->value->valuedouble;
        order = (x > y) - (x < y);
    } else if (cJSON_IsString(a->value) && cJSON_IsString(b->value)) {
        const char *left = a->value->valuestring, *right = b->value->valuestring;
        if (quantity_read(left, &x) && quantity_read(right, &y))
            order = (x > y) - (x < y);
        else
            order = natural(left, right);
    }
    return order ? order : a->at - b->at;
}

/* The line of the client's log with which it ends there. */
static const char *unsortable(struct get *get, const cJSON *value, bool table)
{
    struct call *call = get->k->call;
    int64_t now = call_unix_ns(call);
    time_t seconds = (time_t)(now / SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return arena_printf(get->k->arena,
                        "F%02d%02d %02d:%02d:%02d.%06d       1 sorter.go:%s] Field %s in %s is an "
                        "unsortable type: interface, err: unsortable type: %s",
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                        (int)(now % SECOND / MICROSECOND), table ? "375" : "329", get->sort_by,
                        table ? "[][][]reflect.Value" : "*unstructured.Unstructured",
                        go_value_type(value));
}

const char *get_sort(struct get *get, const cJSON **objects, int n, bool table)
{
    struct arena *arena = get->k->arena;
    struct entry *entries = ARENA_ARRAY(arena, struct entry, n + 1);
    bool any = false;
    for (int i = 0; i < n; i++) {
        const char *why;
        const cJSON **found = jsonpath_find(arena, get->sort_by, objects[i], &why);
        if (!found)
            return why;
        entries[i] = (struct entry){objects[i], found[0], i};
        any = any || found[0];
        if (found[0] && !cJSON_IsNumber(found[0]) && !cJSON_IsString(found[0])) {
            get->fatal = true;
            return unsortable(get, found[0], table);
        }
    }
    if (n > 0 && !any)
        return arena_printf(
            arena, "couldn't find any field with path \"%s\" in the list of objects", get->sort_by);
    qsort(entries, (size_t)n, sizeof *entries, compare);
    for (int i = 0; i < n; i++)
        objects[i] = entries[i].object;
    return NULL;
}
