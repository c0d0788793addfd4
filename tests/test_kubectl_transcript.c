/* The reading commands among those that were recorded of the real kubectl 1.32 against a stand-in
 * server, run in their order with all the others between them (see kubectl-1.32.jsonl beside the
 * repository; without it the test is skipped).
 *
 * Before both sides are compared, what chance or the stand-in chose is replaced:
 *   hashes and suffixes of names, pod-template-hash      web-h7fkc794db-c4ca4 -> web-HASH-POD
 *   ages, restarts and when the last one was             3 (41s ago), 6m14s   -> N, AGE
 *   addresses and URLs                                   10.244.0.4           -> IP
 *   uids, resource versions, time stamps                                      -> UID, N, TIME
 *   amounts of `top`                                     13m, 33Mi            -> N
 *   more than one blank between columns                                       -> two
 *   lines of the client's own log, which a cold cache gives: E1120 ... memcache.go -> left out
 *   the order of rows with such names, which is that of the hashes            -> of the text
 * Not compared, since they show what the stand-in lacks and a server has: see `elsewhere`.
 */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/kubelet/pods.h"
#include "tests/machine.h"

static const char transcript[] = "../shared/reference/kubectl-1.32.jsonl";
static const char manifest[] = "../shared/reference/kubectl-base.yaml";

static const char system_text[] =
    "services: {api: {versions: {v1: {time: {p50: 5ms, p99: 20ms}}}}}\n"
    "kubernetes: {nodes: [node-1], registry: {missing: ['reg/bad:1']}}\n";

static const int elsewhere[] = {
    90,       /* a strategic merge puts what is new first; the stand-in appends */
    103, 104, /* two at once: test_kubectl_get.c watches */
    120,      /* a pod as the stand-in makes one, without a service account, tolerations, ... */
    148,      /* the stand-in has no EndpointSlices */
    159,      /* nor SelfSubjectAccessReviews */
    160,      /* nor limit ranges: other kinds, other widths */
};

/* ---- what is not compared ---- */

static const struct {
    const char *pattern, *with;
} replaced[] = {
    {"^E[0-9]{4} [0-9:.]+ +[0-9]+ memcache.go[^\n]*\n", ""},
    {"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"},
    {"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "TIME"},
    {"(^|[^a-z])(web8?|one)-[a-z0-9]{8,10}-[a-z0-9]{5}($|[^a-z0-9-])", "\1\2-HASH-POD\3"},
    {"(^|[^a-z])(web8?|one)-[bcdfghjklmnpqrstvwxz0-9]{8,10}($|[^a-z0-9-])", "\1\2-HASH\3"},
    {"(pod-template-hash=)[a-z0-9]{8,10}()()", "\1HASH"},
    {"https?://[a-z0-9.]+:[0-9]+", "URL"},
    {"(^|[^0-9])[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}()($|[^0-9])", "\1IP\3"},
    {"(resourceVersion: )\"[0-9]+\"()()", "\1N"},
    {"( )[0-9]+ \\([0-9a-z]+ ago\\)()( )", "\1N\3"},
    {"( )[0-9]+()( +[0-9]+[smhd][0-9smhd]*($|[ \n]))", "\1N\3"},
    {"( )[0-9]+m()( +[0-9]+Mi)", "\1N\3"},
    {"( )[0-9]+Mi()( )", "\1N\3"},
    {"( )[0-9]+[smhd]([0-9]+[smhd])?($|[ \n])", "\1AGE\3"},
    {"   *()()", "  "},
};

/* All matches of a pattern, \1 to \3 in what they are replaced by standing for its groups. */
static char *replace(struct arena *arena, const char *text, const char *pattern, const char *with)
{
    regex_t re;
    regmatch_t at[5];
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE), 0);
    while (regexec(&re, text, 5, at, 0) == 0) {
        buf_add(&out, text, (size_t)at[0].rm_so);
        for (const char *c = with; *c; c++) {
            if (*c > '\3')
                buf_putc(&out, *c);
            else if (at[(int)*c].rm_so >= 0 && *c < '\3')
                buf_add(&out, text + at[(int)*c].rm_so,
                        (size_t)(at[(int)*c].rm_eo - at[(int)*c].rm_so));
        }
        /* what stands behind may be before the next match */
        bool behind = strchr(with, '\3') && at[3].rm_so >= 0;
        text += behind ? at[3].rm_so : at[0].rm_eo;
        if (at[0].rm_eo == at[0].rm_so)
            break;
    }
    buf_puts(&out, text);
    char *copy = arena_str(arena, buf_text(&out));
    buf_release(&out);
    regfree(&re);
    return copy;
}

/* Consecutive lines with hashes in them, in the order of their text. */
static const char *sorted(struct arena *arena, const char *text)
{
    const char *lines[2000], *out = "";
    int n = 0;
    for (struct str rest = str_of(text); rest.len && n < 2000;) {
        const char *start = rest.at;
        struct str line = str_cut(&rest, '\n');
        int at = n++;
        lines[at] = arena_str(arena, (struct str){start, (size_t)(rest.at - start)});
        for (; str_find(line, STR("-HASH")) >= 0 && at > 0 && strstr(lines[at - 1], "-HASH") &&
               strcmp(lines[at - 1], lines[at]) > 0;
             at--) {
            const char *swap = lines[at];
            lines[at] = lines[at - 1];
            lines[at - 1] = swap;
        }
    }
    for (int i = 0; i < n; i++)
        out = arena_printf(arena, "%s%s", out, lines[i]);
    return out;
}

static const char *comparable(struct arena *arena, const char *text)
{
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
        text = replace(arena, text, replaced[i].pattern, replaced[i].with);
    return sorted(arena, text);
}

static void replaces_what_it_says_and_no_more(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"web-h7fkc794db-a87ff    1/1     Running   0          5m28s   10.244.0.4   node-1   "
         "<none>\n",
         "web-HASH-POD  1/1  Running  N  AGE  IP  node-1  <none>\n"},
        {"web-94b4c27444-d9d4f   0/1   CrashLoopBackOff   3 (41s ago)   69s\n",
         "web-HASH-POD  0/1  CrashLoopBackOff  N  AGE\n"},
        {"replicaset.apps/web8-h7fkc794db   1   1   1   3m53s   web   reg/web:1.0   "
         "app=web,pod-template-hash=h7fkc794db\n",
         "replicaset.apps/web8-HASH  1  1  N  AGE  web  reg/web:1.0  "
         "app=web,pod-template-hash=HASH\n"},
        {"one-b7h85k42bc-34173    13m          33Mi            \n", "one-HASH-POD  N  N  \n"},
        {"  resourceVersion: \"1752\"\n  uid: 00000425-0000-4000-8000-00000080348b\n",
         "  resourceVersion: N\n  uid: UID\n"},
        {"web-one two-three 10 words", "web-one two-three 10 words"},
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(comparable(&arena, cases[i].text), cases[i].want);
    arena_release(&arena);
}

/* ---- a shell of the size of the transcript ---- */

struct shell {
    struct machine *m;
    const char *input;
    const char *variable; /* of "p=$(...)" */
    struct buf out, err;
};

static int run(struct shell *, const char *line);

/* What a filter behind a pipe leaves of a text. */
static const char *filter(struct shell *s, const char *command, const char *text)
{
    struct arena *arena = &s->m->arena;
    struct str rest = str_of(text);
    int n_lines = 0, keep = 0, first = 0;
    const char *result = "";
    for (const char *p = text; *p; p++)
        n_lines += *p == '\n';
    if (sscanf(command, "tail -%d", &keep) == 1)
        first = n_lines - keep;
    else if (sscanf(command, "head -%d", &keep) != 1 && sscanf(command, "grep -m%d", &keep) != 1)
        keep = INT32_MAX;
    const char *word = strncmp(command, "grep", 4) == 0 ? strrchr(command, ' ') + 1 : NULL;
    for (int i = 0; rest.len && keep > 0; i++) {
        struct str line = str_cut(&rest, '\n');
        if (i < first || (word && str_find(line, str_of(word)) < 0))
            continue;
        if (strncmp(command, "cut", 3) == 0)
            line = str_cut(&line, ' ');
        result = arena_printf(arena, "%s%.*s\n", result, STR_ARG(line));
        keep--;
    }
    return result;
}

static const char *trimmed(struct arena *arena, const char *text)
{
    return arena_str(arena, str_trim(str_of(text)));
}

/* $(...) and $p. */
static const char *substituted(struct shell *s, const char *line)
{
    struct arena *arena = &s->m->arena;
    for (const char *at; (at = strstr(line, "$("));) {
        const char *end = strrchr(at, ')');
        struct shell inner = {.m = s->m, .input = ""};
        buf_init(&inner.out, 1 << 20);
        buf_init(&inner.err, 1 << 20);
        run(&inner, arena_str(arena, (struct str){at + 2, (size_t)(end - at - 2)}));
        line = arena_printf(arena, "%.*s%s%s", (int)(at - line), line,
                            trimmed(arena, arena_str(arena, buf_text(&inner.out))), end + 1);
        buf_release(&inner.out);
        buf_release(&inner.err);
    }
    const char *p = s->variable ? strstr(line, "$p") : NULL;
    return p ? arena_printf(arena, "%.*s%s%s", (int)(p - line), line, s->variable, p + 2) : line;
}

/* One command with what stands behind its pipes. */
static int run_pipe(struct shell *s, const char *line)
{
    struct arena *arena = &s->m->arena;
    bool silent = strstr(line, ">/dev/null") != NULL;
    const char *pipe = strstr(line, " | ");
    const char *first = pipe ? arena_str(arena, (struct str){line, (size_t)(pipe - line)}) : line;
    if (silent)
        first = arena_str(arena, (struct str){line, (size_t)(strstr(line, ">/dev/null") - line)});
    s->m->d.input = str_of(s->input);
    int status = double_run(&s->m->d, first);
    buf_puts(&s->err, double_err(&s->m->d));
    const char *text = arena_strdup(arena, silent ? "" : double_out(&s->m->d));
    while (pipe) {
        const char *next = strstr(pipe + 3, " | ");
        const char *command =
            next ? arena_str(arena, (struct str){pipe + 3, (size_t)(next - pipe - 3)}) : pipe + 3;
        const char *placeholder = strstr(command, "{} ") ? strstr(command, "kubectl") : NULL;
        if (strncmp(command, "kubectl", 7) == 0 || placeholder) {
            const char *hole = placeholder ? strstr(placeholder, "{}") : NULL;
            s->m->d.input = str_of(text);
            status =
                double_run(&s->m->d, hole ? arena_printf(arena, "%.*s%s", (int)(hole - placeholder),
                                                         placeholder, trimmed(arena, text))
                                          : command);
            buf_puts(&s->err, double_err(&s->m->d));
            text = arena_strdup(arena, double_out(&s->m->d));
        } else {
            text = filter(s, command, text);
        }
        pipe = next;
    }
    buf_puts(&s->out, text);
    return status;
}

static int run(struct shell *s, const char *line)
{
    struct arena *arena = &s->m->arena;
    int status = 0;
    while (*line) {
        const char *end = line;
        for (char quote = 0; *end && (quote || *end != ';'); end++)
            quote = quote ? (*end == quote ? 0 : quote) : strchr("'\"", *end) ? *end : 0;
        const char *one = arena_str(arena, str_trim((struct str){line, (size_t)(end - line)}));
        line = *end ? end + 1 : end;
        if (strncmp(one, "p=$(", 4) == 0)
            s->variable = trimmed(arena, substituted(s, one + 2));
        else
            status = run_pipe(s, substituted(s, one));
    }
    return status;
}

/* ---- the transcript ---- */

/* Programs started with CRASH in their environment end at once, as those of the stand-in do. */
static void crash(struct machine *m, int64_t seconds)
{
    struct cluster *cluster = cluster_of(&m->d.env);
    int64_t from = world_now(m->world);
    for (int64_t t = 0; t < seconds; t++) {
        machine_advance(m, from + t * SECOND);
        struct object **pods = cluster_list(cluster, &m->arena, cluster_kind(cluster, "Pod", "v1"),
                                            "default", NULL, NULL);
        for (; *pods; pods++) {
            char *spec = cJSON_PrintUnformatted(json_at((*pods)->json, "spec"));
            if (strstr(spec, "\"CRASH\"") && pod_container_running(*pods, "web"))
                pod_kill(*pods, "web", 1);
            cJSON_free(spec);
        }
    }
}

static bool is_reading(const char *command)
{
    static const char *const words[] = {
        "kubectl get ",         "kubectl describe ", "kubectl top ",          "kubectl config ",
        "kubectl cluster-info", "kubectl version",   "kubectl api-resources", "kubectl auth ",
        "kubectl events",       "kubectl --context"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(command, words[i], strlen(words[i])) == 0)
            return true;
    }
    return false;
}

static bool is_elsewhere(int n)
{
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        if (elsewhere[i] == n)
            return true;
    }
    return false;
}

static bool same(struct shell *s, const cJSON *row, const char *key, const char *got)
{
    const char *want = comparable(&s->m->arena, json_text(row, key));
    const char *have = comparable(&s->m->arena, got);
    if (strcmp(want, have) == 0)
        return true;
    print_error("%s\n--- %s, fake\n%s--- real\n%s", json_text(row, "cmd"), key, have, want);
    return false;
}

/* Runs a row of the transcript. 1: compared and the same, 0: not compared, -1: another. */
static int replay(struct machine *m, const cJSON *row)
{
    const char *command = json_text(row, "cmd"), *input = json_text(row, "stdin");
    int n = (int)json_int(row, "n", -1);
    bool compared = is_reading(command) && !is_elsewhere(n) && json_text(row, "stdout");
    struct shell s = {.m = m, .input = input ? input : ""};
    int result = 0;
    if (n == 15) /* a misspelt field, which the stand-in takes and a server refuses */
        s.input = replace(&m->arena, input, "  replicsa: 3\n", "");
    bool endless = n == 103 || n == 104 || strncmp(command, "kubectl logs -f", 15) == 0;
    if (endless || strncmp(command, "EDITOR", 6) == 0)
        return 0;
    buf_init(&s.out, 1 << 20);
    buf_init(&s.err, 1 << 20);
    if (n == 119)
        crash(m, 50);
    else if (is_reading(command))
        machine_advance(m, world_now(m->world) + (n == 111 ? 75 : 60) * SECOND);
    int status = run(&s, command);
    if (compared)
        result = same(&s, row, "stdout", arena_str(&m->arena, buf_text(&s.out))) &&
                         same(&s, row, "stderr", arena_str(&m->arena, buf_text(&s.err))) &&
                         status == json_int(row, "exit", -1)
                     ? 1
                     : -1;
    if (result < 0)
        print_error("#%d: exit %d, %d wanted\n", n, status, (int)json_int(row, "exit", -1));
    buf_release(&s.out);
    buf_release(&s.err);
    return result;
}

static void reads_as_it_was_recorded(void **state)
{
    struct machine m;
    struct buf text, base;
    (void)state;
    buf_init(&text, 16 << 20);
    buf_init(&base, 1 << 20);
    if (buf_read_file(&text, transcript) < 0 || buf_read_file(&base, manifest) < 0) {
        print_message("skipped: %s is not there\n", transcript);
        skip();
    }
    const struct machine_file files[] = {{"/opt/shop/base.yaml", base.at}, {NULL, NULL}};
    machine_init(&m, system_text, NULL, files);
    assert_int_equal(double_run(&m.d, "kubectl delete service kubernetes"), 0); /* it has none */
    int right = 0, wrong = 0;
    for (struct str rest = buf_text(&text); rest.len;) {
        cJSON *row = cJSON_Parse(arena_str(&m.arena, str_cut(&rest, '\n')));
        int result = replay(&m, row);
        right += result > 0;
        wrong += result < 0;
        cJSON_Delete(row);
    }
    print_message("%d reading commands as recorded, %d otherwise\n", right, wrong);
    assert_int_equal(wrong, 0);
    assert_true(right >= 25);
    machine_release(&m);
    buf_release(&text);
    buf_release(&base);
}

/* Whatever word of the transcript is changed, the change is still there when the two sides are
 * compared. */
static void a_changed_word_is_not_hidden(void **state)
{
    static const char *const texts[] = {
        "NAME                   READY   STATUS    RESTARTS   AGE   LABELS\n"
        "web-h7fkc794db-a87ff   1/1     Running   0          6m14s "
        "app=web,pod-template-hash=h7fkc794db\n",
        "Error from server (NotFound): podmetrics.metrics.k8s.io \"default/nope\" not found\n",
        "No resources found in default namespace.\n",
        "error: error executing jsonpath \"{.items[0].metadata.name}\": Error executing template: "
        "array index out of bounds: index 0, length 0. Printing more information\n",
        "apiVersion: v1\ndata:\n  a: \"3\"\nkind: ConfigMap\n",
        "NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE     SELECTOR\n"
        "service/web   ClusterIP   10.96.0.59   <none>        80/TCP    2m19s   app=web\n",
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *before = comparable(&arena, texts[i]);
        char *text = arena_strdup(&arena, texts[i]);
        for (char *p = text; *p; p++) {
            size_t len = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
            if (len < 3) {
                p += len ? len - 1 : 0;
                continue;
            }
            bool of_name = strncmp(p, "fkc", 3) == 0 || strncmp(p, "ff ", 3) == 0;
            char letter = p[1];
            p[1] = letter == 'q' ? 'z' : 'q';
            if (!of_name && strcmp(comparable(&arena, text), before) == 0)
                fail_msg("hidden: %.*s", (int)len, p);
            p[1] = letter;
            p += len - 1;
        }
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_what_it_says_and_no_more),
        cmocka_unit_test(a_changed_word_is_not_hidden),
        cmocka_unit_test(reads_as_it_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
