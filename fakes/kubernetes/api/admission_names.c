/* Names, labels, annotations, selectors. Sources: k8s.io/apimachinery pkg/util/validation,
 * pkg/api/validation/objectmeta.go, pkg/apis/meta/v1/validation. */
#include <ctype.h>
#include <string.h>

#include "fakes/kubernetes/api/admission.h"
#include "fakes/kubernetes/api/patch.h"

enum {
    SUBDOMAIN_MAX = 253,
    LABEL_MAX = 63,
    PORT_NAME_MAX = 15,
    ANNOTATIONS_MAX = 256 * 1024,
};

#define NAME_LETTERS                                                                               \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character"
#define NAME_EXAMPLES                                                                              \
    " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "                 \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_lower(text.at[i]) && (text.at[i] != '-' || i == 0 || i + 1 == text.len))
            return false;
    }
    return text.len > 0;
}

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool edge = i == 0 || i + 1 == text.len;
        if (!isalnum((unsigned char)text.at[i]) && (edge || !strchr("-_.", text.at[i])))
            return false;
    }
    return text.len > 0;
}

const char *name_dns_subdomain(const char *name)
{
    struct str rest = str_of(name);
    bool fine = rest.len > 0 && name[rest.len - 1] != '.';
    if (rest.len > SUBDOMAIN_MAX)
        return "must be no more than 253 characters";
    while (rest.len && fine)
        fine = is_label(str_cut(&rest, '.'));
    return fine ? NULL
                : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                  "characters, '-' or '.', and must start and end with an alphanumeric character "
                  "(e.g. 'example.com', regex used for validation is "
                  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
}

const char *name_dns_label(const char *name)
{
    if (strlen(name) > LABEL_MAX)
        return "must be no more than 63 characters";
    return is_label(str_of(name))
               ? NULL
               : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
                 "'-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
                 "'123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
}

const char *name_dns_1035_label(const char *name)
{
    if (strlen(name) > LABEL_MAX)
        return "must be no more than 63 characters";
    return is_label(str_of(name)) && !isdigit((unsigned char)name[0])
               ? NULL
               : "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
                 "start with an alphabetic character, and end with an alphanumeric character (e.g. "
                 "'my-name',  or 'abc-123', regex used for validation is "
                 "'[a-z]([-a-z0-9]*[a-z0-9])?')";
}

const char *name_qualified(struct arena *arena, const char *name)
{
    struct str rest = str_of(name), first = str_cut(&rest, '/');
    bool slash = strchr(name, '/') != NULL;
    if (slash && memchr(rest.at, '/', rest.len))
        return "a qualified name " NAME_LETTERS NAME_EXAMPLES
               " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    if (slash && !first.len)
        return "prefix part must be non-empty";
    const char *prefix = slash ? name_dns_subdomain(arena_str(arena, first)) : NULL;
    if (prefix)
        return arena_printf(arena, "prefix part %s", prefix);
    struct str part = slash ? rest : first;
    if (!part.len)
        return "name part must be non-empty";
    if (part.len > LABEL_MAX)
        return "name part must be no more than 63 characters";
    return is_name(part) ? NULL : "name part " NAME_LETTERS NAME_EXAMPLES;
}

const char *name_label_value(const char *value)
{
    if (strlen(value) > LABEL_MAX)
        return "must be no more than 63 characters";
    return !*value || is_name(str_of(value))
               ? NULL
               : "a valid label must be an empty string or consist of alphanumeric characters, "
                 "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
                 "'MyValue',  or 'my_value',  or '12345', regex used for validation is "
                 "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
}

const char *name_env(const char *name)
{
    for (const char *c = name; *c; c++) {
        if (*c == '=' || *c < 0x20 || *c > 0x7e)
            return "a valid environment variable name must consist only of printable ASCII "
                   "characters other than '='";
    }
    return NULL;
}

const char *name_port(const char *name)
{
    bool letter = false;
    if (strlen(name) > PORT_NAME_MAX)
        return "must be no more than 15 characters";
    for (const char *c = name; *c; c++) {
        if (!is_lower(*c) && *c != '-')
            return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
        letter = letter || (*c >= 'a' && *c <= 'z');
    }
    if (!letter)
        return "must contain at least one letter (a-z)";
    if (strstr(name, "--"))
        return "must not contain consecutive hyphens";
    return name[0] == '-' || name[strlen(name) - 1] == '-' ? "must not begin or end with a hyphen"
                                                           : NULL;
}

const char *name_config_key(const char *name)
{
    if (strlen(name) > SUBDOMAIN_MAX)
        return "must be no more than 253 characters";
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                   "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                   "'[-._a-zA-Z0-9]+')";
    }
    if (strcmp(name, ".") == 0)
        return "must not be '.'";
    if (strcmp(name, "..") == 0)
        return "must not be '..'";
    return strncmp(name, "..", 2) == 0 ? "must not start with '..'" : NULL;
}

const char *name_path_segment(struct arena *arena, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return arena_printf(arena, "may not be '%s'", name);
    return strchr(name, '/')   ? "may not contain '/'"
           : strchr(name, '%') ? "may not contain '%'"
                               : NULL;
}

/* ---- maps of names ---- */

void validate_labels(struct causes *causes, const char *path, const cJSON *labels)
{
    for (const cJSON *label = cJSON_IsObject(labels) ? labels->child : NULL; label;
         label = label->next) {
        const char *key = name_qualified(causes->arena, label->string);
        const char *value = label->valuestring ? name_label_value(label->valuestring) : NULL;
        if (key)
            cause_invalid(causes, path, shown_text(causes, label->string), "%s", key);
        if (value)
            cause_invalid(causes, path, shown_text(causes, label->valuestring), "%s", value);
    }
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static void validate_annotations(struct causes *causes, const char *path, const cJSON *annotations)
{
    size_t size = 0;
    for (const cJSON *one = cJSON_IsObject(annotations) ? annotations->child : NULL; one;
         one = one->next) {
        char *key = arena_strdup(causes->arena, one->string);
        lower(key);
        const char *wrong = name_qualified(causes->arena, key);
        if (wrong)
            cause_invalid(causes, path, shown_text(causes, one->string), "%s", wrong);
        size += strlen(one->string) + (one->valuestring ? strlen(one->valuestring) : 0);
    }
    if (size > ANNOTATIONS_MAX)
        cause_invalid(causes, path, "\"\"", "may not be more than %d bytes", ANNOTATIONS_MAX);
}

/* ---- metadata ---- */

static const char *wrong_name(struct causes *causes, const struct kind *kind, const char *name)
{
    static const char *const roles[] = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding",
                                        NULL};
    for (int i = 0; roles[i]; i++) {
        if (strcmp(kind->name, roles[i]) == 0)
            return name_path_segment(causes->arena, name);
    }
    if (strcmp(kind->name, "Service") == 0)
        return name_dns_1035_label(name);
    if (strcmp(kind->name, "Namespace") == 0)
        return name_dns_label(name);
    return name_dns_subdomain(name);
}

static void validate_owners(struct causes *causes, const cJSON *metadata)
{
    const cJSON *list = json_at(metadata, "ownerReferences");
    int i = 0;
    for (const cJSON *one = cJSON_IsArray(list) ? list->child : NULL; one; one = one->next, i++) {
        static const char *const keys[] = {"apiVersion", "kind", "name", "uid"};
        static const char *const details[] = {"version must not be empty", "must not be empty",
                                              "must not be empty", "must not be empty"};
        for (int k = 0; k < 4; k++) {
            const char *value = json_text(one, keys[k]);
            if (!value || !*value)
                cause_invalid(causes, path_at(causes, "metadata.ownerReferences.%s", keys[k]),
                              "\"\"", "%s", details[k]);
        }
    }
}

void validate_metadata(struct causes *causes, const struct kind *kind, const cJSON *json,
                       const cJSON *old)
{
    const cJSON *metadata = json_at(json, "metadata");
    const char *name = json_text(metadata, "name");
    (void)old;
    if (!name || !*name) {
        cause_required(causes, "metadata.name", "name or generateName is required");
    } else {
        const char *wrong = wrong_name(causes, kind, name);
        if (wrong)
            cause_invalid(causes, "metadata.name", shown_text(causes, name), "%s", wrong);
    }
    validate_labels(causes, "metadata.labels", json_at(metadata, "labels"));
    validate_annotations(causes, "metadata.annotations", json_at(metadata, "annotations"));
    validate_owners(causes, metadata);
    const cJSON *finalizers = json_at(metadata, "finalizers");
    for (const cJSON *one = cJSON_IsArray(finalizers) ? finalizers->child : NULL; one;
         one = one->next) {
        const char *wrong =
            one->valuestring ? name_qualified(causes->arena, one->valuestring) : NULL;
        if (wrong)
            cause_invalid(causes, "metadata.finalizers", shown_text(causes, one->valuestring), "%s",
                          wrong);
    }
}

/* ---- selectors ---- */

void validate_selector(struct causes *causes, const char *path, const cJSON *selector)
{
    static const char *const operators[] = {"DoesNotExist", "Exists", "In", "NotIn", NULL};
    const cJSON *list = json_at(selector, "matchExpressions");
    int i = 0;
    validate_labels(causes, path_at(causes, "%s.matchLabels", path),
                    json_at(selector, "matchLabels"));
    for (const cJSON *one = cJSON_IsArray(list) ? list->child : NULL; one; one = one->next, i++) {
        const char *at = path_at(causes, "%s.matchExpressions[%d]", path, i);
        const char *how = json_text(one, "operator"), *key = json_text(one, "key");
        int values = cJSON_GetArraySize(json_at(one, "values"));
        bool in = how && (strcmp(how, "In") == 0 || strcmp(how, "NotIn") == 0);
        bool known = false;
        for (int k = 0; how && operators[k]; k++)
            known = known || strcmp(operators[k], how) == 0;
        if (in && !values)
            cause_required(causes, path_at(causes, "%s.values", at),
                           "must be specified when `operator` is 'In' or 'NotIn'");
        else if (known && !in && values)
            cause_forbidden(causes, path_at(causes, "%s.values", at),
                            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        else if (!known)
            cause_invalid(causes, path_at(causes, "%s.operator", at),
                          shown_text(causes, how ? how : ""), "not a valid selector operator");
        const char *wrong = name_qualified(causes->arena, key ? key : "");
        if (wrong)
            cause_invalid(causes, path_at(causes, "%s.key", at), shown_text(causes, key ? key : ""),
                          "%s", wrong);
    }
}
