/* What plain programs do: when they end, what comes of it, what their hooks take.
 *
 * Nothing of them is run. A command line of which every word can be told by its name (sleep, exit,
 * echo, ...) takes what it says; another ends when `images:` says so, or, if it must end, after a
 * few seconds.
 */
#include <ctype.h>
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"
#include "fakes/world_command.h"

#define INIT_TAKES_NS (2 * SECOND) /* a program that must end and of which nobody says when */
#define JOB_TAKES_NS  (5 * SECOND)

/* A plain program whose every command can be told by its name: "sleep 30; exit 1". */
static bool simple_script(struct str script, int64_t *ret_takes_ns, int *ret_exit)
{
    *ret_takes_ns = 0;
    *ret_exit = 0;
    while (script.len) {
        size_t n = 0;
        while (n < script.len && !strchr(";&|\n", script.at[n]))
            n++;
        struct str command = str_trim((struct str){script.at, n});
        script = (struct str){script.at + n, script.len - n};
        while (script.len && strchr(";&\n", script.at[0]))
            script = (struct str){script.at + 1, script.len - 1};
        if (script.len && script.at[0] == '|')
            return false;
        struct str word = str_cut(&command, ' ');
        int64_t number = 0;
        (void)str_int64(str_trim(command), &number);
        if (str_is(word, "sleep") && number > 0)
            *ret_takes_ns += number * SECOND;
        else if (str_is(word, "exit") || str_is(word, "false"))
            *ret_exit = str_is(word, "false") ? 1 : (int)number;
        else if (word.len && !str_is(word, "echo") && !str_is(word, "true") &&
                 !str_is(word, "date") && !str_is(word, ":"))
            return false;
        if (str_is(word, "exit"))
            return true;
    }
    return true;
}

static bool script_of(const struct pod_container *container, struct arena *arena,
                      struct str *ret_script)
{
    const char *words[64];
    int n = 0;
    static const char *const lists[] = {"command", "args"};
    for (int k = 0; k < 2; k++) {
        const cJSON *list = json_at(container_spec(container), lists[k]);
        for (const cJSON *one = list ? list->child : NULL; one && n < 64; one = one->next)
            words[n++] = cJSON_IsString(one) ? one->valuestring : "";
    }
    if (n == 0)
        return false;
    const char *slash = strrchr(words[0], '/'), *base = slash ? slash + 1 : words[0];
    bool shell = strcmp(base, "sh") == 0 || strcmp(base, "bash") == 0 || strcmp(base, "ash") == 0;
    if (shell && n >= 3 && words[1][0] == '-' && strchr(words[1], 'c')) {
        *ret_script = str_of(words[2]);
        return true;
    }
    const char *line = base;
    for (int i = 1; i < n; i++)
        line = arena_printf(arena, "%s %s", line, words[i]);
    *ret_script = str_of(line);
    return true;
}

/* Whether a Service of that namespace leads nowhere now. */
static bool leads_nowhere(struct controllers *controllers, const char *ns, const char *name)
{
    struct cluster *cluster = controllers->cluster;
    const struct object *service = cluster_find_named(cluster, "Service", ns, name);
    const struct object *endpoints = cluster_find_named(cluster, "Endpoints", ns, name);
    const cJSON *subsets = endpoints ? json_at(endpoints->json, "subsets") : NULL;
    for (const cJSON *one = subsets ? subsets->child : NULL; one; one = one->next) {
        if (cJSON_GetArraySize(json_at(one, "addresses")) > 0)
            return false;
    }
    return service && json_at(service->json, "spec", "selector");
}

bool program_waits(const struct pod_container *container)
{
    static const char *const loops[] = {"until", "while", "wait"};
    struct arena scratch = {0};
    struct str script;
    bool loop = false, waits = false;
    const char *text = script_of(container, &scratch, &script) ? arena_str(&scratch, script) : "";
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
        loop = loop || strstr(text, loops[i]);
    while (loop && *text && !waits) {
        size_t n = 0;
        while (isalnum((unsigned char)text[n]) || (n > 0 && text[n] == '-'))
            n++;
        const char *word = arena_str(&scratch, (struct str){text, n});
        waits =
            n > 0 && leads_nowhere(container->pod->controllers, container->pod->object->ns, word);
        text += n ? n : 1;
    }
    arena_release(&scratch);
    return waits;
}

int64_t program_end(const struct pod_container *container, int *ret_exit)
{
    struct arena scratch = {0};
    struct str script;
    int64_t takes_ns = NEVER;
    bool must_end = (container->init && !container->sidecar) ||
                    strcmp(restart_policy_of(container), "Always") != 0;
    *ret_exit = container->image.ends_exit;
    if (container->image.ends_ns != NEVER) {
        takes_ns = container->image.ends_ns;
    } else if (script_of(container, &scratch, &script) &&
               simple_script(script, &takes_ns, ret_exit)) {
        takes_ns = takes_ns > 10 * MILLISECOND ? takes_ns : 10 * MILLISECOND;
    } else {
        takes_ns = !must_end ? NEVER : container->init ? INIT_TAKES_NS : JOB_TAKES_NS;
    }
    arena_release(&scratch);
    return takes_ns;
}

int64_t program_pre_stop_ns(const struct pod_container *container)
{
    const cJSON *hook = json_at(container_spec(container), "lifecycle", "preStop");
    int64_t takes_ns = json_int(json_at(hook, "sleep"), "seconds", 0) * SECOND;
    const cJSON *command = json_at(hook, "exec", "command");
    for (const cJSON *one = command ? command->child : NULL; one; one = one->next) {
        const char *text = cJSON_GetStringValue(one);
        const char *at = text ? strstr(text, "sleep") : NULL;
        if (at && at[5] == '\0' && one->next)
            takes_ns += (int64_t)leading_int(cJSON_GetStringValue(one->next)) * SECOND;
        else if (at && isspace((unsigned char)at[5]))
            takes_ns += (int64_t)leading_int(at + 5) * SECOND;
    }
    return takes_ns;
}

void program_takes_effect(struct pod_container *container)
{
    struct arena scratch = {0};
    struct buf out, why;
    buf_init(&out, 1 << 16);
    buf_init(&why, 1 << 16);
    const char *const *line =
        controllers_before_run(container->pod->controllers) ? NULL : container->image.does;
    for (; line && *line && container->exit_code == 0; line++)
        container->exit_code = world_command(container->pod->controllers->env, &scratch,
                                             world_words(&scratch, *line), &out, &why);
    if (out.len)
        pod_write_log(container->pod->object, container->name, out.at, false);
    if (why.len)
        pod_write_log(container->pod->object, container->name, why.at, true);
    buf_release(&out);
    buf_release(&why);
    arena_release(&scratch);
}
