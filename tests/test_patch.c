/* The API server's patches: RFC 6902 with the words of evanphx/json-patch, RFC 7386 (its appendix),
 * and the strategic merge patch with the merge keys of k8s.io/api. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/api/patch.h"

static cJSON *parse(const char *text)
{
    cJSON *json = cJSON_Parse(text);
    if (!json)
        fail_msg("no JSON: %s", text);
    return json;
}

static void expect(cJSON *got, const char *want, const char *what)
{
    cJSON *wanted = parse(want);
    if (!got || !json_equal(got, wanted)) {
        char *text = got ? cJSON_PrintUnformatted(got) : NULL;
        fail_msg("%s:\n  got  %s\n  want %s", what, text ? text : "nothing", want);
    }
    cJSON_Delete(wanted);
    cJSON_Delete(got);
}

/* ---- JSON patch ---- */

static const struct {
    const char *document, *patch, *want; /* want: a document, or why not */
} json_cases[] = {
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":[2]}]", "{\"a\":1,\"b\":[2]}"},
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}"},
    {"{\"l\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]", "{\"l\":[1,2,3]}"},
    {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/-\",\"value\":2}]", "{\"l\":[1,2]}"},
    {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]", "{\"l\":[1,2]}"},
    {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/2\",\"value\":2}]",
     "error in add for path: '/l/2': Unable to access invalid index: 2: invalid index referenced"},
    {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/x\",\"value\":2}]",
     "error in add for path: '/l/x': value was not a proper array index: 'x': strconv.Atoi: "
     "parsing "
     "\"x\": invalid syntax"},
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":2}]",
     "add operation does not apply: doc is missing path: \"/b/c\": missing value"},
    {"{\"m\":{\"app.io/x\":1}}", "[{\"op\":\"replace\",\"path\":\"/m/app.io~1x\",\"value\":2}]",
     "{\"m\":{\"app.io/x\":2}}"},
    {"{\"m\":{\"a~b\":1}}", "[{\"op\":\"remove\",\"path\":\"/m/a~0b\"}]", "{\"m\":{}}"},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":2}]",
     "replace operation does not apply: doc is missing key: /b: missing value"},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b/c\",\"value\":2}]",
     "replace operation does not apply: doc is missing path: /b/c: missing value"},
    {"{\"a\":1,\"b\":2}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{\"b\":2}"},
    {"{\"l\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/l/-1\"}]", "{\"l\":[1,2]}"},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]",
     "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value"},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c\"}]",
     "{\"a\":{},\"c\":1}"},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"}]",
     "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
    {"{\"a\":1}", "[{\"op\":\"copy\",\"path\":\"/c\"}]",
     "copy operation failed to decode from: operation, missing from field: missing value"},
    {"{\"a\":1}",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"remove\",\"path\":\"/a\"}]", "{}"},
    {"{\"a\":1}",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2},{\"op\":\"remove\",\"path\":\"/a\"}]",
     "testing value /a failed: test failed"},
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":null}]", "{\"a\":1}"},
    {"{\"a\":1}", "[{\"op\":\"frob\",\"path\":\"/a\"}]", "Unexpected kind: frob"},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]",
     "remove operation does not apply: doc is missing path: \"a\": missing value"},
    {"{\"a\":1}", "{\"op\":\"remove\"}",
     "json: cannot unmarshal object into Go value of type jsonpatch.Patch"},
    {"{\"a\":1}", "[]", "{\"a\":1}"},
    {"{\"a\":1}", "[7]", "Unexpected kind: unknown"},
};

static void test_json_patch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(json_cases) / sizeof(json_cases[0]); i++) {
        struct arena arena = {0};
        const char *why = NULL;
        cJSON *document = parse(json_cases[i].document), *patch = parse(json_cases[i].patch);
        cJSON *got = patch_json(&arena, document, patch, &why);
        if (json_cases[i].want[0] == '{') {
            expect(got, json_cases[i].want, json_cases[i].patch);
        } else {
            assert_null(got);
            assert_string_equal(why, json_cases[i].want);
        }
        expect(document, json_cases[i].document, "the document stays as it is");
        cJSON_Delete(patch);
        arena_release(&arena);
    }
}

/* ---- merge patch: RFC 7386, appendix A ---- */

static const struct {
    const char *document, *patch, *want;
} merge_cases[] = {
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "null", "null"},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
};

static void test_merge_patch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(merge_cases) / sizeof(merge_cases[0]); i++) {
        cJSON *document = parse(merge_cases[i].document), *patch = parse(merge_cases[i].patch);
        expect(patch_merge(document, patch), merge_cases[i].want, merge_cases[i].patch);
        cJSON_Delete(document);
        cJSON_Delete(patch);
    }
}

/* ---- strategic merge patch ---- */

/* A Deployment with this pod spec. */
#define DEPLOYMENT(spec) "{\"kind\":\"Deployment\",\"spec\":{\"template\":{\"spec\":" spec "}}}"
#define PATCH(spec)      "{\"spec\":{\"template\":{\"spec\":" spec "}}}"

static const struct {
    const char *about, *document, *patch, *want;
} strategic_cases[] = {
    {"a container by its name, its env by name",
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"image\":\"a:1\",\"env\":[{\"name\":\"M\","
                "\"value\":\"x\"}]},{\"name\":\"log\",\"image\":\"l:1\"}]}"),
     PATCH("{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"N\",\"value\":\"y\"}]}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"image\":\"a:1\",\"env\":[{\"name\":\"N\","
                "\"value\":\"y\"},{\"name\":\"M\",\"value\":\"x\"}]},{\"name\":\"log\",\"image\":"
                "\"l:1\"}]}")},
    {"a new container stands before the others, for want of an order",
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\"}]}"),
     PATCH("{\"containers\":[{\"name\":\"side\",\"image\":\"s\"}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"side\",\"image\":\"s\"},{\"name\":\"web\"}]}")},
    {"and where the order says, if there is one",
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\"}]}"),
     PATCH("{\"$setElementOrder/containers\":[{\"name\":\"web\"},{\"name\":\"side\"}],"
           "\"containers\":[{\"name\":\"side\"}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\"},{\"name\":\"side\"}]}")},
    {"an order alone", DEPLOYMENT("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
     PATCH("{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}")},
    {"what the order does not name keeps its place",
     DEPLOYMENT("{\"containers\":[{\"name\":\"a\"},{\"name\":\"x\"},{\"name\":\"b\"}]}"),
     PATCH("{\"$setElementOrder/containers\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"containers\":[{"
           "\"name\":\"b\",\"image\":\"2\"}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"a\"},{\"name\":\"x\"},{\"name\":\"b\",\"image\":"
                "\"2\"}]}")},
    {"$patch: delete of an element",
     DEPLOYMENT(
         "{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"M\"},{\"name\":\"N\"}]}]}"),
     PATCH(
         "{\"containers\":[{\"name\":\"web\",\"env\":[{\"$patch\":\"delete\",\"name\":\"M\"}]}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"N\"}]}]}")},
    {"$patch: replace of a list",
     DEPLOYMENT("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
     PATCH("{\"containers\":[{\"name\":\"c\"},{\"$patch\":\"replace\"}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"c\"}]}")},
    {"$patch: replace of an object", "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}}",
     "{\"metadata\":{\"labels\":{\"$patch\":\"replace\",\"c\":\"3\"}}}",
     "{\"metadata\":{\"labels\":{\"c\":\"3\"}}}"},
    {"$patch: delete of an object", "{\"metadata\":{\"labels\":{\"a\":\"1\"}}}",
     "{\"metadata\":{\"labels\":{\"$patch\":\"delete\"}}}", "{\"metadata\":{\"labels\":{}}}"},
    {"null deletes, and means nothing for what is not there", "{\"a\":{\"b\":1,\"c\":2}}",
     "{\"a\":{\"b\":null},\"d\":null,\"e\":{\"f\":null,\"g\":1}}",
     "{\"a\":{\"c\":2},\"e\":{\"g\":1}}"},
    {"ports of a container by containerPort",
     DEPLOYMENT("{\"containers\":[{\"name\":\"w\",\"ports\":[{\"containerPort\":80}]}]}"),
     PATCH("{\"containers\":[{\"name\":\"w\",\"ports\":[{\"containerPort\":80,\"name\":\"http\"}]}"
           "]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"w\",\"ports\":[{\"containerPort\":80,\"name\":"
                "\"http\"}]}]}")},
    {"ports of a Service by port",
     "{\"kind\":\"Service\",\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":8080}]}}",
     "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":9090}],\"selector\":{\"app\":\"b\"}}}",
     "{\"kind\":\"Service\",\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":9090}],\"selector\":{"
     "\"app\":\"b\"}}}"},
    {"a list without a key is replaced",
     DEPLOYMENT("{\"tolerations\":[{\"key\":\"a\"}],\"containers\":[{\"name\":\"w\",\"args\":["
                "\"1\",\"2\"]}]}"),
     PATCH(
         "{\"tolerations\":[{\"key\":\"b\"}],\"containers\":[{\"name\":\"w\",\"args\":[\"3\"]}]}"),
     DEPLOYMENT("{\"tolerations\":[{\"key\":\"b\"}],\"containers\":[{\"name\":\"w\",\"args\":["
                "\"3\"]}]}")},
    {"a plain list that is merged", "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
     "{\"metadata\":{\"finalizers\":[\"c\",\"a\"]}}",
     "{\"metadata\":{\"finalizers\":[\"c\",\"a\",\"b\"]}}"},
    {"and whose elements can be deleted", "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
     "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\",\"x\"]}}",
     "{\"metadata\":{\"finalizers\":[\"b\"]}}"},
    {"deleting from a list that is not there makes none", "{\"metadata\":{}}",
     "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\"]}}", "{\"metadata\":{}}"},
    {"retained keys: the other alternatives go",
     "{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\","
     "\"rollingUpdate\":"
     "{\"maxSurge\":1}}}}",
     "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}}",
     "{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}"},
    {"without them they stay, and validation will say so",
     "{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\","
     "\"rollingUpdate\":"
     "{\"maxSurge\":1}}}}",
     "{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}",
     "{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{\"type\":\"Recreate\",\"rollingUpdate\":{"
     "\"maxSurge\":1}}}}"},
    {"directives do not get into what is new", "{\"spec\":{}}",
     "{\"spec\":{\"template\":{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"a\"}],"
     "\"containers\":[{\"name\":\"a\",\"env\":[{\"$patch\":\"delete\",\"name\":\"x\"}]}]}}}}",
     "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[]}]}}}}"},
    {"an object where a list was", "{\"a\":[1]}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
};

static void test_strategic_patch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(strategic_cases) / sizeof(strategic_cases[0]); i++) {
        struct arena arena = {0};
        const char *why = NULL;
        cJSON *document = parse(strategic_cases[i].document);
        cJSON *patch = parse(strategic_cases[i].patch);
        cJSON *got = patch_strategic(&arena, document, patch, &why);
        if (!got)
            fail_msg("%s: %s", strategic_cases[i].about, why);
        expect(got, strategic_cases[i].want, strategic_cases[i].about);
        expect(document, strategic_cases[i].document, "the document stays as it is");
        cJSON_Delete(patch);
        arena_release(&arena);
    }
}

static const struct {
    const char *document, *patch, *why;
} strategic_mistakes[] = {
    {DEPLOYMENT("{\"containers\":[{\"name\":\"web\"}]}"),
     PATCH("{\"containers\":[{\"image\":\"web:2\"}]}"),
     "map: map[image:web:2] does not contain declared merge key: name"},
    {DEPLOYMENT("{\"containers\":[{\"name\":\"web\"}]}"), PATCH("{\"containers\":[\"web\"]}"),
     "list element types are not identical: [[map[name:web]] [web]]"},
    {"{\"a\":{}}", "{\"a\":{\"$patch\":\"frob\"}}",
     "unknown patch type frob in map map[$patch:frob]"},
    {"{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{}}}",
     "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"rollingUpdate\":{}}}}",
     "invalid patch format of retainKeys"},
    {DEPLOYMENT("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"),
     PATCH(
         "{\"$setElementOrder/containers\":[{\"name\":\"a\"}],\"containers\":[{\"name\":\"b\"}]}"),
     "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder "
     "list:\n[map[name:a]]\n"},
    {"{}", "[]", "invalid JSON document"},
};

static void test_strategic_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(strategic_mistakes) / sizeof(strategic_mistakes[0]); i++) {
        struct arena arena = {0};
        const char *why = NULL;
        cJSON *document = parse(strategic_mistakes[i].document);
        cJSON *patch = parse(strategic_mistakes[i].patch);
        assert_null(patch_strategic(&arena, document, patch, &why));
        assert_string_equal(why, strategic_mistakes[i].why);
        cJSON_Delete(document);
        cJSON_Delete(patch);
        arena_release(&arena);
    }
}

/* ---- what apply sends ---- */

static const struct {
    const char *about, *original, *modified, *current;
    bool strategic;
    const char *want;
} three_way_cases[] = {
    {"nothing to do, though the server has filled in more", "{\"spec\":{\"a\":1}}",
     "{\"spec\":{\"a\":1}}", "{\"spec\":{\"a\":1,\"b\":2},\"status\":{}}", true, "{}"},
    {"changed by someone else: set back", "{\"spec\":{\"replicas\":3}}",
     "{\"spec\":{\"replicas\":3}}", "{\"spec\":{\"replicas\":5}}", true,
     "{\"spec\":{\"replicas\":3}}"},
    {"taken out of the file: deleted", "{\"spec\":{\"a\":1,\"b\":2}}", "{\"spec\":{\"a\":1}}",
     "{\"spec\":{\"a\":1,\"b\":2,\"c\":3}}", true, "{\"spec\":{\"b\":null}}"},
    {"never in the file: left alone", "{\"spec\":{\"a\":1}}", "{\"spec\":{\"a\":2}}",
     "{\"spec\":{\"a\":1,\"c\":3}}", true, "{\"spec\":{\"a\":2}}"},
    {"an env value", NULL,
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"MODE\",\"value\":\"b\"}]}"
                "]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"image\":\"i\",\"env\":[{\"name\":\"MODE\","
                "\"value\":\"a\"}]}]}"),
     true,
     PATCH("{\"$setElementOrder/containers\":[{\"name\":\"web\"}],\"containers\":[{"
           "\"$setElementOrder/env\":[{\"name\":\"MODE\"}],\"env\":[{\"name\":\"MODE\",\"value\":"
           "\"b\"}],\"name\":\"web\"}]}")},
    {"an env value that is gone, and one that is new",
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"A\",\"value\":\"1\"}]}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"B\",\"value\":\"2\"}]}]}"),
     DEPLOYMENT("{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"A\",\"value\":\"1\"}]}]}"),
     true,
     PATCH("{\"$setElementOrder/containers\":[{\"name\":\"web\"}],\"containers\":[{"
           "\"$setElementOrder/env\":[{\"name\":\"B\"}],\"env\":[{\"name\":\"B\",\"value\":\"2\"},{"
           "\"name\":\"A\",\"$patch\":\"delete\"}],\"name\":\"web\"}]}")},
    {"another kind of strategy",
     "{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\","
     "\"rollingUpdate\":"
     "{\"maxSurge\":1}}}}",
     "{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}",
     "{\"kind\":\"Deployment\",\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\","
     "\"rollingUpdate\":"
     "{\"maxSurge\":1}}}}",
     true,
     "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\",\"rollingUpdate\":"
     "null}}}"},
    {"finalizers", "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
     "{\"metadata\":{\"finalizers\":[\"b\"]}}", "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
     true,
     "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\"],"
     "\"$setElementOrder/finalizers\":[\"b\"]}}"},
    {"a custom resource: lists as a whole", "{\"spec\":{\"l\":[{\"name\":\"a\"}],\"x\":1}}",
     "{\"spec\":{\"l\":[{\"name\":\"b\"}]}}", "{\"spec\":{\"l\":[{\"name\":\"a\"}],\"x\":1}}",
     false, "{\"spec\":{\"l\":[{\"name\":\"b\"}],\"x\":null}}"},
    {"a custom resource: nothing", "{\"spec\":{\"x\":1}}", "{\"spec\":{\"x\":1}}",
     "{\"spec\":{\"x\":1,\"y\":2}}", false, "{}"},
};

static void test_three_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(three_way_cases) / sizeof(three_way_cases[0]); i++) {
        struct arena arena = {0};
        cJSON *original = three_way_cases[i].original ? parse(three_way_cases[i].original) : NULL;
        cJSON *modified = parse(three_way_cases[i].modified);
        cJSON *current = parse(three_way_cases[i].current);
        expect(patch_three_way(&arena, original, modified, current, three_way_cases[i].strategic),
               three_way_cases[i].want, three_way_cases[i].about);
        cJSON_Delete(original);
        cJSON_Delete(modified);
        cJSON_Delete(current);
        arena_release(&arena);
    }
}

/* What a patch is for: sent to the server it makes of `from` what was meant. All pairs of pod specs
 * that differ in every way there is. */
static void test_differences_apply(void **state)
{
    (void)state;
    static const char *const specs[] = {
        DEPLOYMENT("{\"containers\":[{\"name\":\"a\",\"image\":\"1\"}]}"),
        DEPLOYMENT("{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\",\"image\":\"2\",\"args\":["
                   "\"x\"]}]}"),
        DEPLOYMENT("{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"E\",\"value\":\"1\"},{"
                   "\"name\":\"F\",\"value\":\"2\"}]},{\"name\":\"b\"}],\"volumes\":[{\"name\":"
                   "\"v\",\"emptyDir\":{}}]}"),
        DEPLOYMENT("{\"containers\":[{\"name\":\"c\"},{\"name\":\"b\",\"env\":[{\"name\":\"F\","
                   "\"valueFrom\":{\"secretKeyRef\":{\"key\":\"k\"}}}]},{\"name\":\"a\",\"env\":[{"
                   "\"name\":\"F\",\"value\":\"3\"},{\"name\":\"E\",\"value\":\"1\"}]}],"
                   "\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"c\"}}]}"),
        DEPLOYMENT("{\"hostAliases\":[{\"ip\":\"1.2.3.4\",\"hostnames\":[\"x\"]}]}"),
        "{\"kind\":\"Deployment\",\"metadata\":{\"labels\":{\"a\":\"1\"},\"finalizers\":[\"x\","
        "\"y\"]},\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}",
        "{\"kind\":\"Deployment\",\"metadata\":{\"labels\":{\"b\":\"1\"},\"finalizers\":[\"z\","
        "\"x\"]},\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{"
        "\"maxSurge\":"
        "\"25%\"}}}}",
    };
    size_t n = sizeof(specs) / sizeof(specs[0]);
    for (size_t i = 0; i < 2 * n * n; i++) {
        struct arena arena = {0};
        bool strategic = i < n * n;
        const char *why = NULL;
        cJSON *from = parse(specs[i / n % n]), *to = parse(specs[i % n]);
        cJSON *patch = patch_three_way(&arena, from, to, from, strategic);
        cJSON *got =
            strategic ? patch_strategic(&arena, from, patch, &why) : patch_merge(from, patch);
        if (!got)
            fail_msg("%zu to %zu: %s", i / n % n, i % n, why);
        assert_true(json_equal(from, to) == !patch->child);
        char *text = cJSON_PrintUnformatted(patch);
        expect(got, specs[i % n], text);
        cJSON_free(text);
        cJSON_Delete(from);
        cJSON_Delete(to);
        cJSON_Delete(patch);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_patch),      cmocka_unit_test(test_merge_patch),
        cmocka_unit_test(test_strategic_patch), cmocka_unit_test(test_strategic_mistakes),
        cmocka_unit_test(test_three_way),       cmocka_unit_test(test_differences_apply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
