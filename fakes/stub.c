/* stubs: commands that are declared in system.yaml and need no script at all.
 *
 *   stubs:
 *     flagctl:                        # found in PATH under this name; or an absolute path
 *       takes: 2s                     # default: no time
 *       prints: "{args}: done\n"      # {1} ... {9} and {args} are the words of the command line
 *       does: ["set flag.{2} off"]    # lines of the `world` command (fakes/world_command.c)
 *       when:                         # the first whose pattern fits the words (a shell glob) counts instead
 *         - {args: "get *", prints: "off\n"}
 *         - {args: "* --force", errors: "flagctl: --force is not allowed\n", exit: 64}
 *       fails: {chance: 5%, takes: 30s, errors: "flagctl: no answer\n", exit: 75}
 *       guessed: true                 # nobody has said yet what it does: each call is noted as not simulated
 *       on: ops                       # a place (container, host); default: everywhere
 */
#include <fnmatch.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/world_command.h"

extern const struct fake fake_stubs;

struct behaviour {
    const char *pattern; /* NULL: always */
    int64_t takes_ns;
    const char *prints, *errors;
    int64_t exit_status;
    bool hangs;
    const struct doc *does;
    double chance; /* of a failure; 0 or more */
};

struct stub {
    const char *name;
    struct behaviour usual, failing, *when;
    int n_when;
    bool may_fail, guessed;
};

struct stubs {
    struct stub *at;
    int n;
};

/* ---- reading ---- */

static int read_behaviour(const struct doc *node, const char *const *keys, struct behaviour *ret,
                          struct error *error)
{
    *ret = (struct behaviour){.prints = "", .errors = ""};
    if (doc_want(node, DOC_MAPPING, error) || doc_only(node, keys, error) ||
        doc_text(doc_get(node, "args"), &ret->pattern, error) ||
        doc_duration(doc_get(node, "takes"), &ret->takes_ns, error) ||
        doc_text(doc_get(node, "prints"), &ret->prints, error) ||
        doc_text(doc_get(node, "errors"), &ret->errors, error) ||
        doc_int(doc_get(node, "exit"), 0, 255, &ret->exit_status, error) ||
        doc_bool(doc_get(node, "hangs"), &ret->hangs, error) ||
        doc_ratio(doc_get(node, "chance"), &ret->chance, error))
        return ERROR_INPUT;
    ret->does = doc_get(node, "does");
    return ret->does ? doc_want(ret->does, DOC_SEQUENCE, error) : 0;
}

static int read_stub(struct env *env, const struct doc *node, struct stub *ret, struct error *error)
{
    static const char *const keys[] = {"takes", "prints", "errors", "exit",    "hangs", "does",
                                       "when",  "fails",  "on",     "guessed", NULL};
    static const char *const when_keys[] = {"args", "takes", "prints", "errors",
                                            "exit", "hangs", "does",   NULL};
    static const char *const fail_keys[] = {"chance", "takes", "prints", "errors",
                                            "exit",   "hangs", NULL};
    const char *place = NULL;
    if (read_behaviour(node, keys, &ret->usual, error) ||
        doc_text(doc_get(node, "on"), &place, error) ||
        doc_bool(doc_get(node, "guessed"), &ret->guessed, error))
        return ERROR_INPUT;
    ret->name = arena_strdup(&env->arena, node->key);
    const struct doc *when = doc_get(node, "when"), *fails = doc_get(node, "fails");
    if (when && doc_want(when, DOC_SEQUENCE, error))
        return ERROR_INPUT;
    ret->when = ARENA_ARRAY(&env->arena, struct behaviour, (when ? when->n : 0) + 1);
    for (const struct doc *item = when ? when->first : NULL; item; item = item->next) {
        struct doc *pattern;
        if (read_behaviour(item, when_keys, &ret->when[ret->n_when++], error) ||
            doc_need(item, "args", &pattern, error))
            return ERROR_INPUT;
    }
    if (fails) {
        ret->may_fail = true;
        ret->failing.exit_status = 1;
        if (read_behaviour(fails, fail_keys, &ret->failing, error))
            return ERROR_INPUT;
        if (!doc_get(fails, "exit"))
            ret->failing.exit_status = 1;
        if (!doc_get(fails, "chance"))
            ret->failing.chance = 1;
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

static const struct stub *stub_of(struct call *call)
{
    const struct stubs *stubs = *env_slot(call->env, "stubs");
    const char *slash = strrchr(call->argv[0], '/');
    const char *base = slash ? slash + 1 : call->argv[0];
    for (int i = 0; stubs && i < stubs->n; i++) {
        const char *name = stubs->at[i].name;
        if (strcmp(name, name[0] == '/' ? call->argv[0] : base) == 0)
            return &stubs->at[i];
    }
    return NULL;
}

static const struct behaviour *choose(struct call *call, const struct stub *stub, const char *all)
{
    if (stub->may_fail &&
        world_uniform(call->env->world, stub->name, "stub fails") < stub->failing.chance)
        return &stub->failing;
    for (int i = 0; i < stub->n_when; i++) {
        if (fnmatch(stub->when[i].pattern, all, 0) == 0)
            return &stub->when[i];
    }
    return &stub->usual;
}

/* One effect, in the words of `world`. A line that `world` does not understand is a mistake in the system file. */
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
    const struct stub *stub = stub_of(call);
    if (!stub)
        return 127;
    const char *all = "";
    for (int i = 1; i < call->argc; i++)
        all = arena_printf(call->arena, "%s%s%s", all, i > 1 ? " " : "", call->argv[i]);
    const struct behaviour *behaviour = choose(call, stub, all);
    if (stub->guessed)
        record_observe(call->env->record, "not_simulated", "",
                       "what '%s %s' does here is a guess (stubs in the system file)", stub->name,
                       all);
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
