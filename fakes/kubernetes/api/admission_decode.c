/* Decoding: values of a wrong type and fields that nobody knows, by the types of api_types.c.
 *
 * Wording: Go's encoding/json as kubectl 1.32 itself shows it; k8s.io/apimachinery
 * pkg/runtime/converter.go for what a strategic merge patch has made; sigs.k8s.io/json for strict
 * decoding.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/admission.h"
#include "fakes/kubernetes/api/api_types.h"

enum { DEPTH_MAX = 60 };

#define QUANTITY_WORDS                                                                             \
    "quantities must match the regular expression "                                                \
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

struct decoding {
    struct arena *arena;
    bool converter;
};

/* Where a value stands: in the field at `path` of the Go struct `owner`. */
struct spot {
    const char *owner, *path;
    int depth;
};

/* ---- words for types ---- */

static bool is_simple(const char *type)
{
    static const char *const names[] = {"string", "bool", "int32", "int64", NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], type) == 0)
            return true;
    }
    return false;
}

static const char *go_type(struct arena *arena, const char *type)
{
    if (type[0] == '=')
        return arena_printf(arena, "%s.%s", strcmp(type, "=UID") == 0 ? "types" : "v1", type + 1);
    if (strcmp(type, "{}quantity") == 0)
        return "v1.ResourceList";
    if (type[0] == '[')
        return arena_printf(arena, "[]%s", go_type(arena, type + 2));
    if (type[0] == '{')
        return arena_printf(arena, "map[string]%s", go_type(arena, type + 2));
    if (strcmp(type, "bytes") == 0)
        return "[]uint8";
    return is_simple(type) ? type : arena_printf(arena, "v1.%s", type);
}

static const char *json_kind(const cJSON *value)
{
    return cJSON_IsString(value)   ? "string"
           : cJSON_IsBool(value)   ? "bool"
           : cJSON_IsNumber(value) ? "number"
           : cJSON_IsArray(value)  ? "array"
                                   : "object";
}

/* The Go type that an unstructured value has. */
static const char *loose_kind(const cJSON *value)
{
    return cJSON_IsString(value)                             ? "string"
           : cJSON_IsBool(value)                             ? "bool"
           : cJSON_IsArray(value)                            ? "slice"
           : cJSON_IsObject(value)                           ? "map"
           : value->valuedouble == trunc(value->valuedouble) ? "int64"
                                                             : "float64";
}

static const char *mismatch(const struct decoding *d, const struct spot *at, const char *type,
                            const cJSON *value)
{
    const char *kind = json_kind(value), *loose = loose_kind(value);
    bool named = type[0] == '=';
    if (d->converter && type[0] == '[')
        return arena_printf(d->arena, "cannot restore slice from %s", loose);
    if (d->converter && type[0] == '{')
        return arena_printf(d->arena, "cannot restore map from %s", loose);
    if (d->converter && !named && !is_simple(type))
        return arena_printf(d->arena, "cannot restore struct from: %s", loose);
    if (d->converter) {
        const char *to = named ? "string" : type;
        bool rune = strcmp(loose, "int64") == 0 && strcmp(to, "string") == 0;
        bool cut = strcmp(loose, "float64") == 0 && strncmp(to, "int", 3) == 0;
        return rune || cut ? arena_printf(d->arena, "cannot convert %s to %s", loose,
                                          named ? go_type(d->arena, type) : to)
                           : arena_printf(d->arena, "unrecognized type: %s", to);
    }
    const char *number = "";
    if (cJSON_IsNumber(value) && strncmp(type, "int", 3) == 0)
        number = value->valuedouble == trunc(value->valuedouble)
                     ? arena_printf(d->arena, " %.0f", value->valuedouble)
                     : arena_printf(d->arena, " %.15g", value->valuedouble);
    return arena_printf(d->arena,
                        "json: cannot unmarshal %s%s into Go struct field %s.%s of type %s", kind,
                        number, at->owner, at->path, go_type(d->arena, type));
}

/* ---- simple values ---- */

static bool whole_within(const cJSON *value, double limit)
{
    return value->valuedouble == trunc(value->valuedouble) && fabs(value->valuedouble) < limit;
}

/* Index of the first byte that is no base64; -1: all is well. Go: encoding/base64. */
static int64_t base64_error(const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int64_t n = 0;
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || text[i] == '\r')
            continue;
        if (text[i] == '=') {
            bool end = n % 4 == 3 ? !text[i + 1] : n % 4 == 2 && text[i + 1] == '=' && !text[i + 2];
            return end ? -1 : (int64_t)i;
        }
        if (!strchr(letters, text[i]))
            return (int64_t)i;
        n++;
    }
    return n % 4 ? (int64_t)len : -1;
}

/* A number with a suffix of the SI or of powers of two. k8s.io/apimachinery pkg/api/resource. */
bool admission_is_quantity(const char *text)
{
    static const char *const suffixes[] = {"",  "n",  "u",  "m",  "k",  "M",  "G",  "T", "P",
                                           "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", NULL};
    size_t sign = *text == '+' || *text == '-', digits = strspn(text + sign, "0123456789");
    const char *rest = text + sign + digits;
    size_t fraction = 0;
    if (*rest == '.') {
        fraction = strspn(rest + 1, "0123456789");
        rest += 1 + fraction;
    }
    if (digits + fraction == 0)
        return false;
    for (int i = 0; suffixes[i]; i++) {
        if (strcmp(rest, suffixes[i]) == 0)
            return true;
    }
    if (*rest != 'e' && *rest != 'E')
        return false;
    rest += 1 + (rest[1] == '+' || rest[1] == '-');
    return *rest && strspn(rest, "0123456789") == strlen(rest);
}

static const char *wrong_time(const struct decoding *d, const char *text)
{
    int64_t unix_ns;
    if (parse_time(str_of(text), &unix_ns))
        return NULL;
    return arena_printf(d->arena,
                        "parsing time \"%s\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"%s\" "
                        "as \"2006\"",
                        text, text);
}

static const char *wrong_simple(const struct decoding *d, const struct spot *at, const char *type,
                                const cJSON *value)
{
    if (strcmp(type, "quantity") == 0) {
        bool fine = cJSON_IsNumber(value) ||
                    (cJSON_IsString(value) && admission_is_quantity(value->valuestring));
        return fine ? NULL : QUANTITY_WORDS;
    }
    if (strcmp(type, "intstr") == 0) {
        bool fine =
            cJSON_IsString(value) || (cJSON_IsNumber(value) && whole_within(value, 2147483648.0));
        return fine ? NULL : mismatch(d, at, "int32", value);
    }
    if (strcmp(type, "time") == 0)
        return cJSON_IsString(value) ? wrong_time(d, value->valuestring)
                                     : mismatch(d, at, "string", value);
    if (strcmp(type, "bytes") == 0) {
        if (!cJSON_IsString(value))
            return mismatch(d, at, type, value);
        int64_t byte = base64_error(value->valuestring);
        return byte < 0
                   ? NULL
                   : arena_printf(d->arena, "illegal base64 data at input byte %" PRId64, byte);
    }
    if (type[0] == '=' || strcmp(type, "string") == 0)
        return cJSON_IsString(value) ? NULL : mismatch(d, at, type, value);
    if (strcmp(type, "bool") == 0)
        return cJSON_IsBool(value) ? NULL : mismatch(d, at, type, value);
    bool small = strcmp(type, "int32") == 0;
    return cJSON_IsNumber(value) && whole_within(value, small ? 2147483648.0 : 9.3e18)
               ? NULL
               : mismatch(d, at, type, value);
}

/* ---- going through ---- */

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* The children of an object, by key: the order in which clients send them. */
static const cJSON **in_order(struct arena *arena, const cJSON *object)
{
    int n = 0;
    const cJSON **list = ARENA_ARRAY(arena, const cJSON *, cJSON_GetArraySize(object) + 1);
    for (const cJSON *item = object->child; item; item = item->next)
        list[n++] = item;
    qsort(list, (size_t)n, sizeof *list, by_key);
    return list;
}

static bool is_leaf(const char *type)
{
    return type[0] == '=' || is_simple(type) || strcmp(type, "quantity") == 0 ||
           strcmp(type, "intstr") == 0 || strcmp(type, "time") == 0 || strcmp(type, "bytes") == 0;
}

static const char *wrong_value(const struct decoding *d, const struct spot *at, const char *type,
                               const cJSON *value);

static const char *wrong_struct(const struct decoding *d, const struct spot *at, const char *type,
                                const cJSON *value)
{
    const char *fields = api_type(type), *wrong = NULL;
    if (!fields)
        return NULL;
    if (!cJSON_IsObject(value))
        return mismatch(d, at, type, value);
    const cJSON **items = in_order(d->arena, value);
    for (; *items && !wrong; items++) {
        const char *of = api_field(d->arena, fields, (*items)->string);
        const struct spot inner = {type,
                                   *at->path
                                       ? arena_printf(d->arena, "%s.%s", at->path, (*items)->string)
                                       : (*items)->string,
                                   at->depth + 1};
        if (of)
            wrong = wrong_value(d, &inner, of, *items);
    }
    return wrong;
}

static const char *wrong_value(const struct decoding *d, const struct spot *at, const char *type,
                               const cJSON *value)
{
    const char *wrong = NULL;
    if (cJSON_IsNull(value) || strcmp(type, "any") == 0 || at->depth > DEPTH_MAX)
        return NULL;
    if (is_leaf(type))
        return wrong_simple(d, at, type, value);
    if (type[0] != '[' && type[0] != '{')
        return wrong_struct(d, at, type, value);
    bool list = type[0] == '[';
    if (list ? !cJSON_IsArray(value) : !cJSON_IsObject(value))
        return mismatch(d, at, type, value);
    if (list) {
        for (const cJSON *item = value->child; item && !wrong; item = item->next)
            wrong = wrong_value(d, at, type + 2, item);
        return wrong;
    }
    const cJSON **items = in_order(d->arena, value);
    for (; *items && !wrong; items++)
        wrong = wrong_value(d, at, type + 2, *items);
    return wrong;
}

const char *admission_wrong_type(struct cluster *cluster, const struct kind *kind,
                                 const cJSON *json, bool converter)
{
    const struct decoding d = {cluster_arena(cluster), converter};
    const struct spot top = {kind->name, "", 0};
    if (!kind->custom)
        return wrong_struct(&d, &top, kind->name, json);
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
    const struct spot at = {kind->name, "metadata", 1};
    return metadata ? wrong_struct(&d, &at, "ObjectMeta", metadata) : NULL;
}

/* ---- what nobody knows ---- */

/* Adds them to `out`, or (NULL) takes them out. */
static void unknown_in(struct arena *arena, const char *type, const char *path, cJSON *value,
                       struct buf *out)
{
    const char *fields = type[0] == '[' || type[0] == '{' ? NULL : api_type(type);
    if (type[0] == '[' && cJSON_IsArray(value)) {
        int i = 0;
        for (cJSON *item = value->child; item; item = item->next)
            unknown_in(arena, type + 2, arena_printf(arena, "%s[%d]", path, i++), item, out);
    } else if (fields && cJSON_IsObject(value)) {
        const cJSON **items = in_order(arena, value);
        for (; *items; items++) {
            const char *name = (*items)->string, *of = api_field(arena, fields, name);
            const char *inner = *path ? arena_printf(arena, "%s.%s", path, name) : name;
            if (of)
                unknown_in(arena, of, inner, (cJSON *)(uintptr_t)*items, out);
            else if (out)
                buf_printf(out, "%sunknown field \"%s\"", out->len ? ", " : "", inner);
            else
                cJSON_Delete(cJSON_DetachItemViaPointer(value, (cJSON *)(uintptr_t)*items));
        }
    }
}

const char *admission_unknown_fields(struct arena *arena, const struct kind *kind,
                                     const cJSON *json)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    const char *text = NULL;
    if (!kind->custom)
        unknown_in(arena, kind->name, "", (cJSON *)(uintptr_t)json, &out);
    if (out.len)
        text = arena_str(arena, buf_text(&out));
    buf_release(&out);
    return text;
}

void admission_prune(struct arena *arena, const struct kind *kind, cJSON *json)
{
    if (!kind->custom)
        unknown_in(arena, kind->name, "", json, NULL);
}
