#include "tests/sarif_check.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "tests/json_schema.h"

static char complaint[512];

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = get(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *object, const char *key, double otherwise)
{
    const cJSON *item = get(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static void fail(const char *where, int i, const char *what)
{
    if (!complaint[0])
        snprintf(complaint, sizeof complaint, "/%s/%d: %s", where, i, what);
}

static void check_rules(const cJSON *rules)
{
    static const char *const shown[] = {"shortDescription", "fullDescription", "help"};
    const cJSON *rule, *other;
    int i = 0;
    cJSON_ArrayForEach(rule, rules)
    {
        for (other = rule->next; other; other = other->next) {
            if (strcmp(text_of(rule, "id"), text_of(other, "id")) == 0)
                fail("rules", i, "its id is there twice");
        }
        for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
            if (!*text_of(get(rule, shown[k]), "text"))
                fail("rules", i, shown[k]);
        }
        i++;
    }
}

static void check_region(const cJSON *region, int i)
{
    double start = number_of(region, "startLine", 1), end = number_of(region, "endLine", start);
    double first = number_of(region, "startColumn", 1), last = number_of(region, "endColumn", 1e9);
    if (end < start || (end <= start && last < first))
        fail("results", i, "its region ends before it starts");
}

static void check_result(const cJSON *rules, const cJSON *result, int i)
{
    const cJSON *rule = cJSON_GetArrayItem(rules, (int)number_of(result, "ruleIndex", -1));
    if (!rule)
        fail("results", i, "no rule has its ruleIndex");
    else if (strcmp(text_of(rule, "id"), text_of(result, "ruleId")) != 0)
        fail("results", i, "the rule at its ruleIndex has another id");
    if (!*text_of(get(result, "message"), "text"))
        fail("results", i, "it says nothing");
    const cJSON *location;
    cJSON_ArrayForEach(location, get(result, "locations"))
        check_region(get(get(location, "physicalLocation"), "region"), i);
    const cJSON *print;
    cJSON_ArrayForEach(print, get(result, "partialFingerprints"))
    {
        if (!print->valuestring || !*print->valuestring)
            fail("results", i, "an empty fingerprint");
    }
}

const char *sarif_check(const char *document)
{
    complaint[0] = '\0';
    const char *schema = json_schema_check("tests/sarif-2.1.0.schema.json", document);
    if (schema)
        return schema;
    cJSON *root = cJSON_Parse(document);
    const cJSON *run, *result;
    cJSON_ArrayForEach(run, get(root, "runs"))
    {
        const cJSON *rules = get(get(get(run, "tool"), "driver"), "rules");
        int i = 0;
        check_rules(rules);
        cJSON_ArrayForEach(result, get(run, "results")) check_result(rules, result, i++);
    }
    cJSON_Delete(root);
    return complaint[0] ? complaint : NULL;
}
