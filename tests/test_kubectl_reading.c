/* The reading commands on a cluster that holds just what the real kubectl was shown when its
 * answers were recorded (tests/data/kubernetes). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/store.h"
#include "sim/base/xalloc.h"
#include "tests/machine.h"
#include "tests/recorded.h"

static const char system_text[] =
    "services: {api: {versions: {v1: {time: {p50: 5ms, p99: 20ms}}}}}\n"
    "kubernetes: {namespace: shop}\n";

/* Puts an object into the store as it is, past admission and controllers. */
static void insert(struct cluster *cluster, cJSON *json)
{
    struct arena *arena = cluster_arena(cluster);
    struct object *object = xcalloc(1, sizeof *object);
    object->kind = cluster_kind(cluster, json_text(json, "kind"), json_text(json, "apiVersion"));
    assert_non_null(object->kind);
    const char *ns = json_text(json, "metadata", "namespace");
    object->ns = ns ? arena_strdup(arena, ns) : "";
    object->name = arena_strdup(arena, json_text(json, "metadata", "name"));
    object->json = json;
    if (strcmp(object->kind->name, "CustomResourceDefinition") == 0)
        kinds_define(cluster, json);
    struct object *old = cluster_find(cluster, object->kind, object->ns, object->name);
    if (old)
        store_take_out(cluster, old);
    store_insert(cluster, object);
}

/* What the machine itself made, which the real one was not shown. */
static void empty(struct cluster *cluster)
{
    while (cluster->n_objects)
        store_take_out(cluster, cluster->objects[cluster->n_objects - 1]);
}

static int start(void **state)
{
    static struct machine m;
    struct buf text;
    machine_init(&m, system_text, NULL, NULL);
    machine_advance(&m, 9 * HOUR + 30 * MINUTE);
    struct cluster *cluster = cluster_of(&m.d.env);
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_read_file(&text, "tests/data/kubernetes/objects.json"), 0);
    cJSON *list = cJSON_Parse(text.at);
    assert_non_null(list);
    empty(cluster);
    for (int pass = 0; pass < 2; pass++) { /* definitions first */
        for (int i = 0; i < cJSON_GetArraySize(list); i++) {
            const char *kind = json_text(cJSON_GetArrayItem(list, i), "kind");
            if ((strcmp(kind, "CustomResourceDefinition") == 0) == (pass == 0))
                insert(cluster, cJSON_DetachItemFromArray(list, i--));
        }
    }
    cJSON_Delete(list);
    buf_release(&text);
    *state = &m;
    return 0;
}

static int finish(void **state)
{
    machine_release(*state);
    return 0;
}

static const char *ask(const char *command, void *ctx)
{
    struct machine *m = ctx;
    int status = double_run(&m->d, command);
    const char *out = double_out(&m->d), *err = double_err(&m->d);
    const char *text = arena_printf(&m->arena, "%s%s", out, err);
    size_t len = strlen(text);
    return arena_printf(&m->arena, "%s%s[%d]\n", text, len && text[len - 1] != '\n' ? "\n" : "",
                        status);
}

static void as_kubectl_does(void **state)
{
    const struct recorded r = {
        .answers = "tests/data/kubernetes/reading.txt", .ask = ask, .ctx = *state};
    assert_int_equal(recorded_compare(&r), 0);
}

/* The comparison above can fail. */
static void another_word_is_seen(void **state)
{
    const char *answer = ask("kubectl describe ns shop", *state);
    assert_non_null(strstr(answer, "Status:       Active\n"));
    assert_null(strstr(answer, "Status:       Inactive\n"));
    assert_non_null(strstr(answer, "[0]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_kubectl_does, start, finish),
        cmocka_unit_test_setup_teardown(another_word_is_seen, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
