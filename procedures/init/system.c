/* system.yaml. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/init/writer.h"

static void write_calls(struct writer *writer, struct buf *out)
{
    int n = 0;
    for (int i = 0; i < writer->facts.n_services; i++) {
        const struct fact_service *other = &writer->facts.services[i];
        if (other == writer->store || strcasestr(other->name, "redis"))
            buf_printf(out, "%s%s: 1", n++ ? ", " : "    calls: {", other->name);
    }
    buf_puts(out, n ? "}   # for one request; a guess\n" : "");
}

const char *init_version(const struct writer *writer, const struct fact_service *service)
{
    if (service == writer->front)
        return writer->good;
    if (service->version)
        return service->version;
    if (service->engine)
        return "15";
    return strcasestr(service->name, "redis") ? "7" : "v1";
}

static void write_versions(struct writer *writer, struct buf *out,
                           const struct fact_service *service)
{
    if (init_in_compose(writer, service))
        buf_printf(out, "    runs: {compose: %s/%s, service: %s}\n", writer->cwd,
                   writer->compose_file, service->name);
    else if (init_in_cluster(writer, service))
        init_write_runs_in_cluster(out, service);
    else if (service->unit)
        buf_printf(out, "    runs: {unit: %s}\n", service->name);
    if (service != writer->front) {
        buf_puts(out, "    versions: {");
        init_add_scalar(out, init_version(writer, service));
        buf_puts(out, ": {time: {p50: 2ms, p99: 20ms}}}\n");
        return;
    }
    if (!init_in_compose(writer, service) && !service->unit)
        buf_printf(out, "    replicas: %d\n", service->replicas ? service->replicas : 2);
    buf_puts(out, "    versions:\n      ");
    init_add_scalar(out, writer->good);
    buf_puts(out, ": {time: {p50: 20ms, p99: 200ms}, errors: 0.1%, start: 5s}   # what you go back "
                  "to\n      ");
    init_add_scalar(out, writer->bad);
    buf_puts(out, ": {like: ");
    init_add_scalar(out, writer->good);
    buf_puts(
        out,
        ", errors: 30%}   # what went wrong: more errors, slower, or a need that is not met\n");
    write_calls(writer, out);
}

static void write_services(struct writer *writer, struct buf *out)
{
    buf_puts(out, "services:\n");
    for (int i = 0; i < writer->facts.n_services; i++) {
        const struct fact_service *service = &writer->facts.services[i];
        buf_printf(out, "  %s:", service->name);
        if (service->line)
            buf_printf(out, "   # line %d", service->line);
        buf_putc(out, '\n');
        write_versions(writer, out, service);
    }
}

/* The table that users write to: not one that migrations keep for themselves. */
static const char *main_table(const struct facts *facts)
{
    for (int i = 0; i < facts->n_tables; i++)
        if (!strcasestr(facts->tables[i], "migration") && !strcasestr(facts->tables[i], "version"))
            return facts->tables[i];
    return "records";
}

static void write_traffic(struct writer *writer, struct buf *out)
{
    const char *table = main_table(&writer->facts);
    bool listed = false;
    buf_printf(out, "traffic:\n  users: {to: %s, rate: 20/s", writer->front->name);
    if (writer->store)
        buf_printf(out, ", writes: {%s: 5%%}", table);
    buf_puts(out, "}   # a guess: how much do your users ask for, and write?\n");
    if (!writer->store)
        return;
    buf_printf(out, "stores:\n  %s:\n    engine: %s\n", writer->store->name, writer->store->engine);
    if (writer->facts.database)
        buf_printf(out, "    database: %s\n", writer->facts.database);
    if (writer->facts.user)
        buf_printf(out, "    user: %s\n", writer->facts.user);
    if (writer->facts.container)
        buf_printf(out, "    container: %s\n", writer->facts.container);
    buf_puts(out, "    tables: {");
    for (int i = 0; i < writer->facts.n_tables; i++)
        buf_printf(out, "%s%s: {}", i ? ", " : "", writer->facts.tables[i]);
    for (int i = 0; i < writer->facts.n_tables; i++)
        listed |= !strcmp(writer->facts.tables[i], table);
    if (!listed)
        buf_printf(out, "%s%s: {}", writer->facts.n_tables ? ", " : "", table);
    buf_puts(out, "}\n");
}

/* A backup that was taken just before the bad change, for each dump that the playbook names. */
static void write_backups(struct writer *writer, struct buf *out)
{
    for (int i = 0; writer->store && i < writer->facts.n_backups; i++) {
        const char *path = writer->facts.backups[i].path, *slash = strrchr(path, '/');
        const char *file = slash ? slash + 1 : path, *folder = "";
        if (slash && *path == '/')
            folder = arena_str(writer->arena, (struct str){path, (size_t)(slash - path)});
        else
            folder = arena_printf(writer->arena, "%s%s%.*s", writer->cwd, slash ? "/" : "",
                                  slash ? (int)(slash - path) : 0, path);
        buf_printf(out,
                   "%s  backup_%d: {store: %s, at: [9m], to: %s, file: ", i ? "" : "backups:\n",
                   i + 1, writer->store->name, folder);
        init_add_scalar(out, file);
        if (writer->facts.backups[i].custom)
            buf_puts(out, ", format: custom");
        else if (!str_ends(str_of(file), ".sql") && !str_ends(str_of(file), ".gz"))
            buf_puts(out, ", suffix: \"\"");
        buf_printf(out, "}   # line %d\n", writer->facts.backups[i].line);
    }
}

/* The paths by which the playbook asks that service whether it is well; the usual one is left out
 * where it is the only one. */
static void write_health(const struct writer *writer, const struct fact_service *service,
                         struct buf *out)
{
    const char *paths[8];
    int n = 0;
    for (int i = 0; i < writer->facts.n_asked && n < 8; i++) {
        const struct fact_asked *asked = &writer->facts.asked[i];
        bool its = asked->host ? !strcmp(asked->host, service->name) : asked->port == service->port;
        for (int k = 0; k < n; k++)
            its = its && strcmp(paths[k], asked->path) != 0;
        if (its)
            paths[n++] = asked->path;
    }
    if (!n || (n == 1 && !strcmp(paths[0], "/health")))
        return;
    for (int i = 0; i < n; i++) {
        buf_puts(out, i ? ", " : ", health: [");
        init_add_scalar(out, paths[i]);
    }
    buf_putc(out, ']');
}

static void write_http(struct writer *writer, struct buf *out)
{
    bool any = false;
    if (writer->facts.n_ports && !writer->front->port)
        writer->front->port = writer->facts.ports[0];
    for (int i = 0; i < writer->facts.n_services; i++)
        if (writer->facts.services[i].port) {
            buf_printf(out, "%s  %s: {port: %d", any ? "" : "http:\n",
                       writer->facts.services[i].name, writer->facts.services[i].port);
            write_health(writer, &writer->facts.services[i], out);
            buf_puts(out, "}\n");
            any = true;
        }
    for (int i = 1; i < writer->facts.n_ports; i++)
        buf_printf(out, "  # localhost:%d is asked too: say which service answers there\n",
                   writer->facts.ports[i]);
}

static void write_triggers(struct writer *writer, struct buf *out)
{
    const struct facts *facts = &writer->facts;
    int n = 0;
    buf_puts(out, "triggers:\n");
    for (int i = 0; i < facts->n_triggers; i++) {
        const struct fact_trigger *trigger = &facts->triggers[i];
        if (!trigger->when) {
            buf_printf(out, "  # line %d, not understood: %s\n", trigger->line, trigger->text);
            continue;
        }
        buf_printf(out, "  - {id: line_%d, say: ", trigger->line);
        init_add_scalar(out, trigger->text);
        buf_printf(out, ", mode: %s, act: rollback,\n     when: %s}\n",
                   trigger->automatic ? "auto" : "manual", trigger->when);
        n++;
    }
    if (!n)
        buf_puts(out, "  # a guess: the playbook gives no number\n"
                      "  - {id: errors, say: Error ratio over 5% for 2 minutes, mode: manual, act: "
                      "rollback,\n"
                      "     when: {m: error_ratio, op: \">\", thr: 0.05, for: 2m}}\n");
    if (facts->n_triggers > n)
        init_add_todo(
            writer,
            "system.yaml: %d reason%s to roll back %s in words only (triggers, as comments)",
            facts->n_triggers - n, facts->n_triggers - n == 1 ? "" : "s",
            facts->n_triggers - n == 1 ? "is" : "are");
}

static void write_targets(struct writer *writer, struct buf *out)
{
    const struct facts *facts = &writer->facts;
    if (!facts->n_targets)
        return;
    buf_puts(out, "targets:\n");
    for (int i = 0; i < facts->n_targets; i++)
        buf_printf(out, "  %s: %s   # line %d\n", facts->targets[i].key, facts->targets[i].limit,
                   facts->targets[i].line);
}

/* Units of systemd. What a copied file is called after its unit says which version the unit starts.
 */
static void write_host(struct writer *writer, struct buf *out)
{
    int n = 0;
    for (int i = 0; i < writer->facts.n_services; i++) {
        const struct fact_service *service = &writer->facts.services[i];
        const char *file = init_version_file(writer, service);
        if (!service->unit || init_in_compose(writer, service))
            continue;
        buf_puts(out, n++ ? "" : "host:\n  units:\n");
        buf_printf(out, "    %s: {service: %s", service->name, service->name);
        if (file)
            buf_printf(out, ", version_file: %s", file);
        buf_puts(out, file ? "}   # a guess: what lies in that file is what it starts\n" : "}\n");
    }
}

/* By its words, does the call bring the old version back? */
static bool goes_back(const char *args)
{
    static const char *const words[] = {"rollback", "revert", "undo", "downgrade", NULL};
    for (int i = 0; words[i]; i++) {
        const char *at = strcasestr(args, words[i]);
        if (at && (at == args || at[-1] == ' '))
            return true;
    }
    return false;
}

/* The service that a call speaks of, or the one that users talk to. */
static const struct fact_service *spoken_of(const struct writer *writer, const char *args)
{
    const struct fact_service *best = NULL;
    for (int i = 0; i < writer->facts.n_services; i++) {
        const struct fact_service *service = &writer->facts.services[i];
        if (strstr(args, service->name) && (!best || strlen(service->name) > strlen(best->name)))
            best = service;
    }
    return best ? best : writer->front;
}

static void write_effect(struct writer *writer, struct buf *out, const struct fact_usage *usage)
{
    const struct fact_service *service = spoken_of(writer, usage->args);
    buf_printf(out, ", takes: 1s}   # line %d", usage->line);
    if (goes_back(usage->args))
        buf_printf(out, "; perhaps does: [\"deploy %s %s\"]", service->name,
                   init_version(writer, service));
    buf_putc(out, '\n');
}

/* A declaration for each command that nothing answers, with every way in which the playbook calls
 * it. */
static void write_declared(struct writer *writer, struct buf *out)
{
    int n = 0;
    for (int i = 0; i < writer->facts.n_commands; i++) {
        const struct fact_command *command = &writer->facts.commands[i];
        if (command->is_path)
            continue;
        if (!n++)
            buf_puts(
                out,
                "# Commands that nothing answers yet: where no `does` stands they take a second "
                "and do nothing. Say under\n"
                "# `does` what each changes, as lines of the `world` command: "
                "fakes/YOUR-OWN-COMMANDS.md.\nstubs:\n");
        buf_puts(out, "  ");
        init_add_scalar(out, command->name);
        buf_puts(
            out,
            ":\n    takes: 1s\n    guessed: true   # take this out when it does what the real one "
            "does\n    when:\n");
        for (int u = 0; u < command->n_usages; u++) {
            buf_puts(out, "      - {args: ");
            init_add_scalar(out, command->usages[u].args);
            write_effect(writer, out, &command->usages[u]);
        }
    }
    if (n) {
        buf_putc(out, '\n');
        init_add_todo(writer,
                      "system.yaml: what %d command%s of the playbook %s is guessed (stubs)", n,
                      n == 1 ? "" : "s", n == 1 ? "does" : "do");
    }
}

/* psql without -h asks a server on the same machine, or the one that the environment names. */
static void write_operator(struct writer *writer, struct buf *out)
{
    bool names = writer->facts.bare_client && writer->store && *writer->store->engine == 'p';
    buf_puts(out, "hosts:\n  ops: {files: host");
    if (names)
        buf_printf(out, ", env: {PGHOST: %s}", writer->store->name);
    buf_puts(out, "}   # the operator's machine: what lies in host/etc/x is /etc/x there\n\n");
    if (names)
        init_add_todo(writer, "system.yaml: psql is called without -h; PGHOST (hosts) is a guess");
}

void init_write_system(struct writer *writer)
{
    struct buf out;
    buf_init(&out, FILE_MAX);
    buf_printf(&out,
               "# What is operated, as far as %s says it. Lines named here are the playbook's.\n"
               "# Every key: procedures/drill/README.md.\nformat: rehearse.system/1\nname: %s\n\n",
               writer->facts.playbook->file, writer->result->name);
    buf_puts(
        &out,
        "# Which answers are good, the share that must be, and below which it counts as down.\n"
        "indicator: {good: status < 500 within 1s, target: 99%, down_below: 50%}\n\n");
    write_services(writer, &out);
    buf_putc(&out, '\n');
    write_traffic(writer, &out);
    buf_putc(&out, '\n');
    write_backups(writer, &out);
    write_http(writer, &out);
    init_write_platform(writer, &out);
    write_host(writer, &out);
    init_write_cluster(writer, &out);
    write_operator(writer, &out);
    write_declared(writer, &out);
    buf_printf(&out, "good_state: {%s: ", writer->front->name);
    init_add_scalar(&out, writer->good);
    buf_puts(&out, "}\n\n");
    write_triggers(writer, &out);
    buf_putc(&out, '\n');
    write_targets(writer, &out);
    buf_puts(&out, "\nassume:\n  - what: rates, response times, error shares and start-up times\n"
                   "    why: the playbook does not say them; guessed by rehearse init\n");
    if (writer->facts.n_commands)
        buf_puts(
            &out,
            "  - what: what the declared commands and the scripts of the project do\n"
            "    why: the playbook calls them and does not show them; guessed by rehearse init, "
            "and mostly nothing\n");
    init_add_file(writer, "system.yaml", &out, 0644);
}
