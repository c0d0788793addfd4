/* world: reads and changes the simulated world from a shell script.
 *
 * The means to write a fake of one's own without C: a script on the machine that says `world get
 * flag.checkout` or `world set flag.checkout off`. Exit status 0; 1 where a question is answered
 * with no; 2 where the words are wrong.
 */
#include "fakes/world_command.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "sim/world/store.h"

static const char usage[] =
    "usage: world get KEY                     the value of a setting; exit 1 if it was never set\n"
    "       world set KEY VALUE               feature flags, configuration, anything with a name\n"
    "       world version SERVICE             versions that run, one a line\n"
    "       world ready SERVICE               how many instances take traffic\n"
    "       world probe SERVICE               one request now: exit 0, or 1 and why\n"
    "       world metric SERVICE METRIC       its present value\n"
    "       world deploy SERVICE VERSION      as a deployment would\n"
    "       world restart SERVICE             one instance after the other\n"
    "       world stop SERVICE | start SERVICE\n"
    "       world rotate SERVICE in|out       into or out of load balancing\n"
    "       world schema STORE [NUMBER]       shows or sets the schema version\n"
    "       world rows STORE TABLE            how many records are there\n"
    "       world event NAME [SUBJECT]        somebody sees it: triggers hear of it\n"
    "       world message CHANNEL TEXT        mail, chat, pager, status page\n"
    "       world now                         time since the start of the run, in seconds\n";

struct sentence {
    struct env *env;
    struct arena *arena;
    char *const *words;
    int n;
    struct buf *out, *why;
};

static void say(struct sentence *s, const char *text)
{
    if (s->out)
        buf_printf(s->out, "%s\n", text);
}

/* Writes why the words are wrong; returns 2. */
static int wrong(struct sentence *s, const char *what, const char *name)
{
    if (s->why)
        buf_printf(s->why, "world: %s '%s'\n", what, name);
    return 2;
}

static struct service *service_named(struct sentence *s)
{
    struct service *service = world_service(s->env->world, s->words[1]);
    if (!service)
        wrong(s, "there is no service", s->words[1]);
    return service;
}

static int get(struct sentence *s)
{
    const char *value = world_setting(s->env->world, s->words[1]);
    if (!value)
        return 1;
    say(s, value);
    return 0;
}

static int set(struct sentence *s)
{
    world_set(s->env->world, s->words[1], s->words[2]);
    return 0;
}

static int version(struct sentence *s)
{
    struct service *service = service_named(s);
    const char *last = NULL;
    for (int i = 0; service && i < service_instances(service); i++) {
        const struct instance *instance = service_instance(service, i);
        const char *running = instance_version(instance);
        if (instance_state(instance) != INSTANCE_STOPPED && (!last || strcmp(last, running) != 0))
            say(s, last = running);
    }
    return !service ? 2 : last ? 0 : 1;
}

static int ready(struct sentence *s)
{
    struct service *service = service_named(s);
    if (!service)
        return 2;
    say(s, arena_printf(s->arena, "%d", service_ready(service)));
    return 0;
}

static int probe(struct sentence *s)
{
    struct service *service = service_named(s);
    if (!service)
        return 2;
    struct probe result = service_probe(service);
    if (!result.ok)
        say(s, result.why[0]      ? result.why
               : result.reachable ? "it answered with an error"
                                  : "nothing answers");
    return result.ok ? 0 : 1;
}

static int metric(struct sentence *s)
{
    struct service *service = service_named(s);
    double value;
    if (!service)
        return 2;
    if (!service_metric(service, s->words[2], &value))
        return wrong(s, "this service has no metric", s->words[2]);
    if (isnan(value))
        return 1;
    say(s, arena_printf(s->arena, "%.6g", value));
    return 0;
}

static int deploy(struct sentence *s)
{
    struct service *service = service_named(s);
    if (!service)
        return 2;
    if (!service_has_version(service, s->words[2]))
        return wrong(s, "this service has no version", s->words[2]);
    world_deploy(s->env->world, service, s->words[2]);
    return 0;
}

/* What a platform runs is its own: the world would fight with it. */
static int change_instances(struct sentence *s)
{
    struct service *service = service_named(s);
    if (!service)
        return 2;
    if (service_runs(service))
        return wrong(s,
                     "a platform runs this service; use its own commands, or deploy:", s->words[1]);
    for (int i = 0; i < service_instances(service); i++) {
        struct instance *instance = service_instance(service, i);
        if (s->words[0][2] != 'a') /* not start */
            instance_stop(instance, true);
        if (s->words[0][2] != 'o') /* not stop */
            instance_start(instance);
    }
    return 0;
}

static int rotate(struct sentence *s)
{
    struct service *service = service_named(s);
    bool in = strcmp(s->words[2], "in") == 0;
    if (!service)
        return 2;
    if (!in && strcmp(s->words[2], "out") != 0)
        return wrong(s, "in or out, not", s->words[2]);
    for (int i = 0; i < service_instances(service); i++)
        instance_rotate(service_instance(service, i), in);
    return 0;
}

static int schema(struct sentence *s)
{
    struct store *store = world_store(s->env->world, s->words[1]);
    int64_t number;
    if (!store)
        return wrong(s, "there is no store", s->words[1]);
    if (!s->words[2]) {
        say(s, arena_printf(s->arena, "%" PRId64, store_schema(store)));
        return 0;
    }
    if (!str_int64(str_of(s->words[2]), &number))
        return wrong(s, "a schema version is a whole number, not", s->words[2]);
    store_set_schema(store, number);
    return 0;
}

static int rows(struct sentence *s)
{
    struct store *store = world_store(s->env->world, s->words[1]);
    const struct idset *set_of = store ? dataset_rows(store_serving(store), s->words[2]) : NULL;
    if (!store)
        return wrong(s, "there is no store", s->words[1]);
    if (!set_of)
        return wrong(s, "this store has no table", s->words[2]);
    say(s, arena_printf(s->arena, "%" PRId64, idset_count(set_of)));
    return 0;
}

static int event(struct sentence *s)
{
    world_declare(s->env->world, s->words[1], s->words[2] ? s->words[2] : "");
    return 0;
}

static int message(struct sentence *s)
{
    const char *text = "";
    for (int i = 2; i < s->n; i++)
        text = arena_printf(s->arena, "%s%s%s", text, i > 2 ? " " : "", s->words[i]);
    world_message(s->env->world, s->words[1], text);
    return 0;
}

static int now(struct sentence *s)
{
    say(s, arena_printf(s->arena, "%.3f", (double)world_now(s->env->world) / 1e9));
    return 0;
}

static const struct {
    const char *name;
    int least, most; /* words behind it; most -1: any number */
    int (*run)(struct sentence *);
} table[] = {
    {"get", 1, 1, get},
    {"set", 2, 2, set},
    {"version", 1, 1, version},
    {"ready", 1, 1, ready},
    {"probe", 1, 1, probe},
    {"metric", 2, 2, metric},
    {"deploy", 2, 2, deploy},
    {"restart", 1, 1, change_instances},
    {"stop", 1, 1, change_instances},
    {"start", 1, 1, change_instances},
    {"rotate", 2, 2, rotate},
    {"schema", 1, 2, schema},
    {"rows", 2, 2, rows},
    {"event", 1, 2, event},
    {"message", 2, -1, message},
    {"now", 0, 0, now},
};

const char *world_command_mistake(struct arena *arena, char *const words[])
{
    int n = 0;
    bool any = false;
    for (; words[n]; n++)
        any |= strstr(words[n], "{args}") != NULL;
    for (size_t i = 0; n && i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, words[0]) != 0)
            continue;
        bool few = n - 1 < table[i].least && !any,
             many = table[i].most >= 0 && n - 1 > table[i].most;
        return few || many ? arena_printf(arena, "'%s' takes %s words than that", words[0],
                                          few ? "more" : "fewer")
                           : NULL;
    }
    return n ? arena_printf(arena, "there is no 'world %s'", words[0]) : "an empty line";
}

int world_command(struct env *env, struct arena *arena, char *const words[], struct buf *out,
                  struct buf *why)
{
    struct sentence s = {.env = env, .arena = arena, .words = words, .out = out, .why = why};
    while (words[s.n])
        s.n++;
    for (size_t i = 0; s.n && i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, words[0]) != 0)
            continue;
        if (s.n - 1 < table[i].least || (table[i].most >= 0 && s.n - 1 > table[i].most))
            break;
        return table[i].run(&s);
    }
    if (why)
        buf_puts(why, usage);
    return 2;
}

char **world_words(struct arena *arena, const char *line)
{
    char **words = ARENA_ARRAY(arena, char *, strlen(line) / 2 + 2);
    int n = 0;
    for (const char *p = line; *p;) {
        while (*p == ' ' || *p == '\t')
            p++;
        if (!*p)
            break;
        char *word = arena_alloc(arena, strlen(p) + 1), quote = 0;
        size_t len = 0;
        for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
            if (quote ? *p == quote : *p == '\'' || *p == '"')
                quote = quote ? 0 : *p;
            else
                word[len++] = *p;
        }
        words[n++] = word;
    }
    return words;
}

static int run(struct call *call)
{
    struct buf out, why;
    buf_init(&out, 1 << 16);
    buf_init(&why, 1 << 16);
    int status = world_command(call->env, call->arena, call->argv + 1, &out, &why);
    const char *said = arena_str(call->arena, buf_text(&out)),
               *wrong_text = arena_str(call->arena, buf_text(&why));
    buf_release(&out);
    buf_release(&why);
    call_write(call, 1, said, strlen(said));
    call_write(call, 2, wrong_text, strlen(wrong_text));
    return status;
}

static const char *const commands[] = {"world", NULL};

const struct fake fake_world = {
    .name = "world",
    .commands = commands,
    .run = run,
};
