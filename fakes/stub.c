/* stubs: commands that are declared in system.yaml and need no script at all.
 *
 *   stubs:
 *     flagctl:                        # found in PATH under this name; or an absolute path
 *       takes: 2s                     # default: no time
 *       prints: "{args}: done\n"      # {1} ... {9} and {args} are the words of the command line
 *       does: ["set flag.{2} off"]    # lines of the `world` command (fakes/world_command.c)
 *       when:                         # the first that fits counts instead:
 *         - {args: "get *", prints: "off\n"}            # by the words (a shell glob), and
 *         - {args: "app rollback *", settings: {argocd.auto-sync: "on"}, exit: 20}   # by settings
 *         - {args: "* --force", errors: "flagctl: --force is not allowed\n", exit: 64}
 *       fails: {chance: 5%, takes: 30s, errors: "flagctl: no answer\n", exit: 75}
 *       guessed: true                 # nobody has said yet what it does: a call is not simulated
 *       reads: true                   # all of its standard input, as many a tool does
 *       on: ops                       # a place (container, host); default: everywhere
 *
 * `fails` may be a list: for each call the first mode counts that is due, by `calls: 1` or
 * `calls: [1, 2]` (which calls of this stub, counted from 1) or by `chance`. A failure does nothing
 * but what its own `does` says.
 */
#include <fnmatch.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/world_command.h"

extern const struct fake fake_stubs;

struct behaviour {
    const char *pattern;        /* NULL: always */
    const struct doc *settings; /* of the world, which must be so; or NULL */
    int64_t takes_ns;
    const char *prints, *errors;
    int64_t exit_status;
    bool hangs;
    const struct doc *does;
};

struct failure {
    struct behaviour behaviour;
    double chance;           /* for each call, where no calls are named */
    const struct doc *calls; /* a number or a list of them, from 1; or NULL */
};

struct stub {
    const char *name;
    struct behaviour usual, *when;
    struct failure *fails;
    int n_when, n_fails;
    bool reads, guessed;
    int64_t n_calls;
};

struct stubs {
    struct stub *at;
    int n;
};

/* ---- reading ---- */

/* Lines of the `world` command: what is not one is told now, not in the middle of a run. */
static int check_effects(struct env *env, const struct doc *does, struct error *error)
{
    if (!does)
        return 0;
    if (doc_want(does, DOC_SEQUENCE, error))
        return ERROR_INPUT;
    for (const struct doc *line = does->first; line; line = line->next) {
        const char *text = "";
        if (doc_text(line, &text, error))
            return ERROR_INPUT;
        const char *mistake = world_command_mistake(&env->arena, world_words(&env->arena, text));
        if (mistake)
            return doc_error(line, error, "'%s' is no line of the world command: %s", text,
                             mistake);
    }
    return 0;
}

static int read_behaviour(struct env *env, const struct doc *node, const char *const *keys,
                          struct behaviour *ret, struct error *error)
{
    *ret = (struct behaviour){.prints = "", .errors = ""};
    if (doc_want(node, DOC_MAPPING, error) || doc_only(node, keys, error) ||
        doc_text(doc_get(node, "args"), &ret->pattern, error) ||
        doc_duration(doc_get(node, "takes"), &ret->takes_ns, error) ||
        doc_text(doc_get(node, "prints"), &ret->prints, error) ||
        doc_text(doc_get(node, "errors"), &ret->errors, error) ||
        doc_int(doc_get(node, "exit"), 0, 255, &ret->exit_status, error) ||
        doc_bool(doc_get(node, "hangs"), &ret->hangs, error))
        return ERROR_INPUT;
    ret->does = doc_get(node, "does");
    return check_effects(env, ret->does, error);
}

static int check_settings(const struct doc *settings, struct error *error)
{
    const char *value;
    if (settings && doc_want(settings, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *item = settings ? settings->first : NULL; item; item = item->next) {
        if (doc_text(item, &value, error))
            return ERROR_INPUT;
    }
    return 0;
}

static int check_calls(const struct doc *calls, struct error *error)
{
    int64_t n;
    if (!calls || calls->kind != DOC_SEQUENCE)
        return doc_int(calls, 1, 1000000, &n, error);
    for (const struct doc *item = calls->first; item; item = item->next) {
        if (doc_int(item, 1, 1000000, &n, error))
            return ERROR_INPUT;
    }
    return 0;
}

static int read_failure(struct env *env, const struct doc *node, struct failure *ret,
                        struct error *error)
{
    static const char *const keys[] = {"chance", "calls", "takes", "prints", "errors",
                                       "exit",   "hangs", "does",  NULL};
    if (read_behaviour(env, node, keys, &ret->behaviour, error) ||
        doc_ratio(doc_get(node, "chance"), &ret->chance, error))
        return ERROR_INPUT;
    if (!doc_get(node, "exit"))
        ret->behaviour.exit_status = 1;
    ret->calls = doc_get(node, "calls");
    if (ret->calls && doc_get(node, "chance"))
        return doc_error(ret->calls, error, "a failure has calls or a chance, not both");
    if (!doc_get(node, "chance"))
        ret->chance = 1;
    return check_calls(ret->calls, error);
}

/* One mode, or a list of them. */
static int read_failures(struct env *env, const struct doc *fails, struct stub *ret,
                         struct error *error)
{
    if (!fails)
        return 0;
    bool list = fails->kind == DOC_SEQUENCE;
    ret->fails = ARENA_ARRAY(&env->arena, struct failure, list ? fails->n + 1 : 1);
    for (const struct doc *node = list ? fails->first : fails; node;
         node = list ? node->next : NULL) {
        if (read_failure(env, node, &ret->fails[ret->n_fails++], error))
            return ERROR_INPUT;
    }
    return 0;
}

static int read_stub(struct env *env, const struct doc *node, struct stub *ret, struct error *error)
{
    static const char *const keys[] = {"takes", "prints", "errors", "exit",    "hangs", "does",
                                       "when",  "fails",  "reads",  "guessed", "on",    NULL};
    static const char *const when_keys[] = {"args",  "takes", "prints",   "errors", "exit",
                                            "hangs", "does",  "settings", NULL};
    const char *place = NULL;
    if (read_behaviour(env, node, keys, &ret->usual, error) ||
        doc_bool(doc_get(node, "reads"), &ret->reads, error) ||
        doc_text(doc_get(node, "on"), &place, error) ||
        doc_bool(doc_get(node, "guessed"), &ret->guessed, error) ||
        read_failures(env, doc_get(node, "fails"), ret, error))
        return ERROR_INPUT;
    ret->name = arena_strdup(&env->arena, node->key);
    const struct doc *when = doc_get(node, "when");
    if (when && doc_want(when, DOC_SEQUENCE, error))
        return ERROR_INPUT;
    ret->when = ARENA_ARRAY(&env->arena, struct behaviour, (when ? when->n : 0) + 1);
    for (const struct doc *item = when ? when->first : NULL; item; item = item->next) {
        struct behaviour *behaviour = &ret->when[ret->n_when++];
        struct doc *pattern;
        if (read_behaviour(env, item, when_keys, behaviour, error) ||
            doc_need(item, "args", &pattern, error) ||
            check_settings(doc_get(item, "settings"), error))
            return ERROR_INPUT;
        behaviour->settings = doc_get(item, "settings");
    }
    if (!place && ret->name[0] != '/' && strchr(ret->name, '/'))
        return doc_error(node, error,
                         "'%s': give the absolute path of a command that is not found in PATH",
                         ret->name);
    env_add_command(env, ret->name, place, &fake_stubs);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    struct stubs *stubs = ARENA_NEW(&env->arena, struct stubs);
    *env_slot(env, "stubs") = stubs;
    if (!config)
        return 0;
    if (doc_want(config, DOC_MAPPING, error))
        return ERROR_INPUT;
    stubs->at = ARENA_ARRAY(&env->arena, struct stub, config->n + 1);
    for (const struct doc *node = config->first; node; node = node->next) {
        if (read_stub(env, node, &stubs->at[stubs->n++], error))
            return ERROR_INPUT;
    }
    return 0;
}

/* ---- running ---- */

/* {1} ... {9} and {args} in a text. */
static const char *fill(struct call *call, const char *text, const char *all)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (const char *p = text; *p; p++) {
        if (p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}') {
            int n = p[1] - '0';
            buf_puts(&out, n < call->argc ? call->argv[n] : "");
            p += 2;
        } else if (strncmp(p, "{args}", 6) == 0) {
            buf_puts(&out, all);
            p += 5;
        } else {
            buf_putc(&out, *p);
        }
    }
    const char *filled = arena_str(call->arena, buf_text(&out));
    buf_release(&out);
    return filled;
}

static struct stub *stub_of(struct call *call)
{
    struct stubs *stubs = *env_slot(call->env, "stubs");
    const char *slash = strrchr(call->argv[0], '/');
    const char *base = slash ? slash + 1 : call->argv[0];
    for (int i = 0; stubs && i < stubs->n; i++) {
        const char *name = stubs->at[i].name;
        if (strcmp(name, name[0] == '/' ? call->argv[0] : base) == 0)
            return &stubs->at[i];
    }
    return NULL;
}

static bool is_due(struct call *call, const struct stub *stub, const struct failure *failure)
{
    const struct doc *calls = failure->calls;
    if (!calls)
        return world_uniform(call->env->world, stub->name, "stub fails") < failure->chance;
    const struct doc *item = calls->kind == DOC_SEQUENCE ? calls->first : calls;
    for (; item; item = calls->kind == DOC_SEQUENCE ? item->next : NULL) {
        int64_t n = 0;
        if (doc_int(item, 1, 1000000, &n, NULL) == 0 && n == stub->n_calls)
            return true;
    }
    return false;
}

static bool settings_hold(struct call *call, const struct doc *settings)
{
    for (const struct doc *item = settings ? settings->first : NULL; item; item = item->next) {
        const char *value = world_setting(call->env->world, item->key);
        if (!value || strcmp(value, item->text) != 0)
            return false;
    }
    return true;
}

static const struct behaviour *choose(struct call *call, struct stub *stub, const char *all)
{
    stub->n_calls++;
    for (int i = 0; i < stub->n_fails; i++) {
        if (is_due(call, stub, &stub->fails[i]))
            return &stub->fails[i].behaviour;
    }
    for (int i = 0; i < stub->n_when; i++) {
        if (fnmatch(stub->when[i].pattern, all, 0) == 0 &&
            settings_hold(call, stub->when[i].settings))
            return &stub->when[i];
    }
    return &stub->usual;
}

/* One effect, in the words of `world`. A line that `world` does not understand is a mistake in the
 * system file. */
static void act(struct call *call, const struct doc *line, const char *all)
{
    struct buf why;
    buf_init(&why, 4096);
    char **words = world_words(call->arena, fill(call, line->text ? line->text : "", all));
    if (world_command(call->env, call->arena, words, NULL, &why) == 2)
        record_observe(call->env->record, "not_simulated", line->text ? line->text : "",
                       "%s:%d: the stub's effect is not understood: %s", line->file, line->line,
                       why.at);
    buf_release(&why);
}

static int run(struct call *call)
{
    struct stub *stub = stub_of(call);
    if (!stub)
        return 127;
    const char *all = "";
    for (int i = 1; i < call->argc; i++)
        all = arena_printf(call->arena, "%s%s%s", all, i > 1 ? " " : "", call->argv[i]);
    const struct behaviour *behaviour = choose(call, stub, all);
    if (stub->guessed)
        record_observe(call->env->record, "not_simulated", "",
                       "what '%s%s%s' does here is a guess (stubs in the system file)", stub->name,
                       *all ? " " : "", all);
    if (stub->reads) {
        char block[4096];
        while (call_read(call, 0, block, sizeof block) > 0)
            continue;
    }
    while (behaviour->hangs) {
        if (call_sleep(call, HOUR))
            return 130;
    }
    if (call_sleep(call, behaviour->takes_ns))
        return 130;
    for (const struct doc *line = behaviour->does ? behaviour->does->first : NULL; line;
         line = line->next)
        act(call, line, all);
    const char *out = fill(call, behaviour->prints, all), *err = fill(call, behaviour->errors, all);
    call_write(call, 1, out, strlen(out));
    call_write(call, 2, err, strlen(err));
    return (int)behaviour->exit_status;
}

static const char *const commands[] = {NULL};

const struct fake fake_stubs = {
    .name = "stubs",
    .commands = commands,
    .setup = setup,
    .run = run,
};
