/* Writing the first system and drill from the facts. */
#include "procedures/init/init.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "procedures/init/writer.h"
#include "procedures/playbook/placeholder.h"
#include "sim/base/buf.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

/* ---- small things ---- */

void init_add_file(struct writer *writer, const char *path, struct buf *content, int mode)
{
    struct init_result *result = writer->result;
    XGROW(result->files, result->n_files, writer->cap_files);
    result->files[result->n_files++] = (struct init_file){
        .path = path,
        .content = {arena_str(writer->arena, buf_text(content)), content->len},
        .mode = mode,
    };
    buf_release(content);
}

void init_add_todo(struct writer *writer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    XGROW(writer->result->todo, writer->n_todo + 1, writer->cap_todo);
    writer->result->todo[writer->n_todo++] = arena_vprintf(writer->arena, format, args);
    writer->result->todo[writer->n_todo] = NULL;
    va_end(args);
}

/* A scalar that reads back as this text: plain where that is safe. */
static void add_scalar(struct buf *out, const char *text)
{
    bool plain = isalpha((unsigned char)*text) || *text == '/';
    for (const char *at = text; *at; at++)
        plain &= isalnum((unsigned char)*at) || strchr("_./-", *at);
    if (plain && strcasecmp(text, "true") && strcasecmp(text, "false") &&
        strcasecmp(text, "null")) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *at == '\n' ? ' ' : *at);
    }
    buf_putc(out, '"');
}

/* "Rollback Plan.md" becomes "rollback-plan". */
static const char *slug(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strcspn(name, ".");
    char *text = arena_str(arena, (struct str){name, len});
    for (char *at = text; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at) : '-';
    return *text ? text : "system";
}

/* ---- the section to rehearse ---- */

static int changes_in(const struct facts *facts, int heading)
{
    int n = 0;
    for (int i = 0; i < facts->lint.n_uses; i++)
        if (facts->lint.blocks[facts->lint.uses[i].block].scope == heading &&
            (use_changes_state(&facts->lint.uses[i]) || facts->lint.uses[i].argv[0][0] == '.'))
            n++;
    return n;
}

static int busiest_heading(const struct facts *facts)
{
    int best = -1, most = 0;
    for (int i = 0; i < facts->playbook->n_headings; i++) {
        int n = facts->playbook->headings[i].bold_line ? 0 : changes_in(facts, i);
        if (n > most) {
            most = n;
            best = i;
        }
    }
    return best;
}

static const char *section_name(const struct writer *writer)
{
    const struct playbook *playbook = writer->facts.playbook;
    const struct heading *heading = &playbook->headings[writer->heading];
    int same = 0;
    for (int i = 0; i < playbook->n_headings; i++)
        same += !strcasecmp(playbook->headings[i].text, heading->text);
    if (same > 1)
        for (int i = writer->heading - 1; i >= 0; i--)
            if (playbook->headings[i].level < heading->level)
                return arena_printf(writer->arena, "%s > %s", playbook->headings[i].text,
                                    heading->text);
    return heading->text;
}

/* ---- the system ---- */

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
    if (service != writer->front) {
        buf_puts(out, "    versions: {");
        add_scalar(out, init_version(writer, service));
        buf_puts(out, ": {time: {p50: 2ms, p99: 20ms}}}\n");
        return;
    }
    if (!init_in_compose(writer, service))
        buf_printf(out, "    replicas: %d\n", service->replicas ? service->replicas : 2);
    buf_puts(out, "    versions:\n      ");
    add_scalar(out, writer->good);
    buf_puts(out, ": {time: {p50: 20ms, p99: 200ms}, errors: 0.1%, start: 5s}   # what you go back "
                  "to\n      ");
    add_scalar(out, writer->bad);
    buf_puts(out, ": {like: ");
    add_scalar(out, writer->good);
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

static void write_http(struct writer *writer, struct buf *out)
{
    bool any = false;
    if (writer->facts.n_ports && !writer->front->port)
        writer->front->port = writer->facts.ports[0];
    for (int i = 0; i < writer->facts.n_services; i++)
        if (writer->facts.services[i].port)
            buf_printf(out, "%s  %s: {port: %d}\n", any ? "" : "http:\n",
                       writer->facts.services[i].name, writer->facts.services[i].port),
                any = true;
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
        add_scalar(out, trigger->text);
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

/* A declaration for each command that nothing answers, with every way in which the playbook calls it. */
static void write_declared(struct writer *writer, struct buf *out)
{
    int n = 0;
    for (int i = 0; i < writer->facts.n_commands; i++) {
        const struct fact_command *command = &writer->facts.commands[i];
        if (command->is_path)
            continue;
        if (!n++)
            buf_puts(out, "# Commands that nothing answers yet: as they stand they take a second "
                          "and do nothing. Say under `does`\n"
                          "# what each changes, as lines of the `world` command: "
                          "fakes/YOUR-OWN-COMMANDS.md.\nstubs:\n");
        buf_puts(out, "  ");
        add_scalar(out, command->name);
        buf_puts(out, ":\n    takes: 1s\n    when:\n");
        for (int u = 0; u < command->n_usages; u++) {
            buf_puts(out, "      - {args: ");
            add_scalar(out, command->usages[u].args);
            buf_printf(out, ", takes: 1s}   # line %d", command->usages[u].line);
            if (goes_back(command->usages[u].args))
                buf_printf(out, "; perhaps does: [\"deploy %s %s\"]", writer->front->name,
                           writer->good);
            buf_putc(out, '\n');
        }
    }
    if (n) {
        buf_putc(out, '\n');
        init_add_todo(writer, "system.yaml: %d command%s of the playbook %s nothing yet (stubs)", n,
                      n == 1 ? "" : "s", n == 1 ? "does" : "do");
    }
}

static void write_system(struct writer *writer)
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
    write_http(writer, &out);
    init_write_platform(writer, &out);
    buf_puts(&out, "hosts:\n  ops: {files: host}   # the operator's machine: what lies in "
                   "host/etc/x is /etc/x there\n\n");
    write_declared(writer, &out);
    buf_printf(&out, "good_state: {%s: ", writer->front->name);
    add_scalar(&out, writer->good);
    buf_puts(&out, "}\n\n");
    write_triggers(writer, &out);
    buf_putc(&out, '\n');
    write_targets(writer, &out);
    buf_puts(&out, "\nassume:\n  - what: rates, response times, error shares and start-up times\n"
                   "    why: the playbook does not say them; guessed by rehearse init\n");
    if (writer->facts.n_commands)
        buf_puts(&out, "  - what: what the declared commands and the scripts of the project do\n"
                       "    why: the playbook calls them and does not show them; as they stand "
                       "they do nothing\n");
    init_add_file(writer, "system.yaml", &out, 0644);
}

/* ---- the drill ---- */

static const char *guess(const struct writer *writer, struct str text)
{
    static const struct {
        const char *part, *value;
    } guesses[] = {{"timestamp", "20260115_143000"},
                   {"yyyy", "20260115"},
                   {"date", "2026-01-15"},
                   {"time", "14:30"},
                   {"commit", "HEAD~1"},
                   {"sha", "HEAD~1"},
                   {"hash", "HEAD~1"},
                   {"namespace", "default"},
                   {"region", "eu-west-1"},
                   {"revision", "1"},
                   {"env", "production"},
                   {"url", "http://localhost"},
                   {"host", "localhost"},
                   {"user", "admin"},
                   {"token", "secret"},
                   {"password", "secret"},
                   {"port", "80"},
                   {"reason", "drill"},
                   {"id", "1"}};
    const char *z = arena_str(writer->arena, text);
    if (strcasestr(z, "version") || strcasestr(z, "x.y") || strcasestr(z, "tag"))
        return writer->good;
    if (strcasestr(z, "service") || strcasestr(z, "deployment") || strcasestr(z, "app") ||
        strcasestr(z, "container"))
        return writer->front->name;
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++)
        if (strcasestr(z, guesses[i].part))
            return guesses[i].value;
    return "CHANGE_ME";
}

static bool in_section(const struct writer *writer, const struct lint_block *block)
{
    return writer->heading < 0 || block->scope == writer->heading;
}

static void write_bindings(struct writer *writer, struct buf *out)
{
    const struct facts *facts = &writer->facts;
    struct placeholders found;
    int n = 0;
    placeholders_init(&found, writer->arena);
    for (int i = 0; i < facts->lint.n_blocks; i++)
        if (in_section(writer, &facts->lint.blocks[i]))
            placeholders_scan(&found, &facts->lint.blocks[i].script,
                              facts->lint.blocks[i].block->line);
    for (int i = 0; i < found.n; i++) {
        const struct placeholder *at = &found.at[i];
        struct str name = {at->text.at + 1, at->text.len - 1};
        bool again = false;
        for (int j = 0; j < i; j++)
            again |= str_eq(found.at[j].text, at->text);
        if (again || at->is_blank || (at->is_variable && placeholders_is_set(&found, name)))
            continue;
        buf_puts(out,
                 n++ ? "" : "  # Blanks of the playbook. These values are guesses.\n  bind:\n");
        buf_puts(out, "    ");
        add_scalar(out, arena_str(writer->arena, at->text));
        buf_puts(out, ": ");
        add_scalar(out, guess(writer, at->text));
        buf_printf(out, "   # line %d\n", at->line);
    }
    if (n)
        init_add_todo(writer, "drills/first.yaml: %d blank%s of the playbook %s guessed (bind)", n,
                      n == 1 ? "" : "s", n == 1 ? "is" : "are");
    placeholders_release(&found);
}

static bool changes_elsewhere(const struct writer *writer, int heading)
{
    return heading != writer->heading && !writer->facts.playbook->headings[heading].bold_line &&
           changes_in(&writer->facts, heading) > 0;
}

static void write_other_sections(struct writer *writer, struct buf *out)
{
    int n = 0;
    for (int i = 0; i < writer->facts.playbook->n_headings; i++)
        if (changes_elsewhere(writer, i))
            buf_printf(out, "%s#   %s (line %d)\n",
                       n++ ? ""
                           : "\n# Further sections that change something, each worth a drill of "
                             "its own:\n",
                       writer->facts.playbook->headings[i].text,
                       writer->facts.playbook->headings[i].line);
}

static bool has_sql(const struct writer *writer)
{
    const struct playbook *playbook = writer->facts.playbook;
    for (int i = 0; i < playbook->n_blocks; i++) {
        int heading = playbook->blocks[i].heading;
        while (heading >= 0 && playbook->headings[heading].bold_line)
            heading--;
        if (playbook->blocks[i].kind == BLOCK_SQL &&
            (writer->heading < 0 || heading == writer->heading))
            return true;
    }
    return false;
}

static void write_change(struct writer *writer, struct buf *out)
{
    if (init_in_compose(writer, writer->front)) {
        buf_printf(out, "change: {at: 10m, run: %s}\n", init_deploy_command(writer));
        return;
    }
    buf_printf(out, "change: {at: 10m, deploy: {%s: ", writer->front->name);
    add_scalar(out, writer->bad);
    buf_puts(out, "}}\n");
}

static void write_drill(struct writer *writer)
{
    struct buf out;
    buf_init(&out, FILE_MAX);
    buf_puts(&out, "# What goes wrong, and who rolls it back.\nformat: rehearse.drill/1\nsystem: "
                   "../system.yaml\ntitle: ");
    add_scalar(&out, arena_printf(writer->arena, "%s is bad, and is rolled back", writer->bad));
    buf_puts(&out, "\n\nstart: 2026-01-15T14:30:00Z\ncwd: ");
    add_scalar(&out, writer->cwd);
    buf_putc(&out, '\n');
    write_change(writer, &out);
    buf_puts(&out, "\nprocedure:\n  playbook: ");
    add_scalar(&out, writer->options->playbook_path);
    buf_putc(&out, '\n');
    if (writer->heading >= 0) {
        buf_puts(&out, "  section: ");
        add_scalar(&out, section_name(writer));
        buf_printf(&out, "   # line %d\n", writer->facts.playbook->headings[writer->heading].line);
    }
    if (has_sql(writer) && writer->store && writer->facts.database)
        buf_printf(&out, "  sql: psql -U %s -d %s\n",
                   writer->facts.user ? writer->facts.user : "postgres", writer->facts.database);
    write_bindings(writer, &out);
    buf_puts(&out,
             "\noperator: on_call   # or automation, team\n\n"
             "# Say what you expect before the first run, and why; `rehearse check` compares.\n"
             "# expect: {verdict: pass, because: ...}\n");
    write_other_sections(writer, &out);
    init_add_file(writer, "drills/first.yaml", &out, 0644);
}

/* ---- files of the operator's machine ---- */

static const char *stub_path(struct writer *writer, const struct fact_command *command)
{
    const char *name = command->name;
    if (!command->is_path)
        return NULL; /* declared in system.yaml */
    while (!strncmp(name, "./", 2))
        name += 2;
    if (!strncmp(name, "../", 3) || strstr(name, "/../"))
        return NULL;
    return *name == '/' ? arena_printf(writer->arena, "host%s", name)
                        : arena_printf(writer->arena, "%s/%s", writer->content, name);
}

static void write_stubs(struct writer *writer)
{
    int n = 0;
    struct buf out;
    for (int i = 0; i < writer->facts.n_commands; i++) {
        const struct fact_command *command = &writer->facts.commands[i];
        const char *path = stub_path(writer, command);
        if (!path)
            continue;
        buf_init(&out, FILE_MAX);
        buf_printf(&out,
                   "#!/bin/bash\n"
                   "# Stands for %s, which the playbook calls on line %d%s. As it is, it does "
                   "nothing and succeeds.\n"
                   "# Put the real one here, or say what it does in ordinary shell, with the other "
                   "commands of the\n"
                   "# playbook and `world`: fakes/YOUR-OWN-COMMANDS.md.\n"
                   "echo \"%s $*: only a stub, see %s\" >&2\n",
                   command->name, command->line, command->uses > 1 ? " and others" : "",
                   command->name, path);
        init_add_file(writer, path, &out, 0755);
        n++;
    }
    if (n)
        init_add_todo(writer, "%s: %d script%s of the project %s does nothing; put your own there",
                      writer->content, n, n == 1 ? "" : "s",
                      n == 1 ? "is made up and" : "are made up; each");
    buf_init(&out, FILE_MAX);
    buf_printf(&out,
               "What lies below this folder is on the operator's machine in the rehearsal, at the "
               "same place:\n"
               "host/etc/x is /etc/x. Put here what the playbook finds there: compose files, "
               "scripts, configuration.\n"
               "The operator begins in %s%s.\n",
               writer->cwd, writer->git ? ", a git working copy: its files are in repo/" : "");
    init_add_file(writer,
                  writer->git ? "host/root/ABOUT.txt"
                              : arena_printf(writer->arena, "host%s/ABOUT.txt", writer->cwd),
                  &out, 0644);
}

/* ---- the whole ---- */

/* "v1.2.2" becomes "v1.2.3". */
static const char *next_version(struct arena *arena, const char *version)
{
    size_t len = strlen(version), start = len;
    int64_t last = 0;
    while (start && isdigit((unsigned char)version[start - 1]))
        start--;
    if (start == len || !str_int64((struct str){version + start, len - start}, &last))
        return arena_printf(arena, "%s-next", version);
    return arena_printf(arena, "%.*s%lld", (int)start, version, (long long)last + 1);
}

static void choose_versions(struct writer *writer)
{
    writer->good = writer->front->version       ? writer->front->version
                   : writer->facts.good_version ? writer->facts.good_version
                                                : "v1";
    writer->bad = writer->facts.bad_version && strcmp(writer->facts.bad_version, writer->good)
                      ? writer->facts.bad_version
                      : next_version(writer->arena, writer->good);
}

static int choose_section(struct writer *writer, struct error *error)
{
    int end;
    if (writer->options->section)
        return playbook_section(writer->facts.playbook, writer->options->section, &writer->heading,
                                &end, error);
    writer->heading = busiest_heading(&writer->facts);
    return 0;
}

int init_from_playbook(struct arena *arena, const struct playbook *playbook,
                       const struct init_options *options, struct init_result *ret,
                       struct error *error)
{
    struct init_result result = {.name = slug(arena, playbook->file)};
    struct writer writer = {.arena = arena,
                            .facts = {.arena = arena, .playbook = playbook},
                            .options = options,
                            .result = &result};
    int r;
    facts_from_commands(&writer.facts);
    facts_from_prose(&writer.facts);
    if (!writer.facts.lint.n_uses) {
        r = error_set(error, ERROR_INPUT, "%s: no commands in it; shell blocks begin with ```bash",
                      playbook->file);
        goto out;
    }
    if ((r = init_take_compose(&writer, error)) < 0 || (r = choose_section(&writer, error)) < 0)
        goto out;
    facts_front(&writer.facts); /* may add one: pointers into the list only after it */
    writer.front = facts_front(&writer.facts);
    writer.store = facts_store(&writer.facts);
    writer.cwd = writer.facts.cwd ? writer.facts.cwd : arena_printf(arena, "/opt/%s", result.name);
    choose_versions(&writer);
    init_choose_platform(&writer);
    result.todo = xcalloc(1, sizeof *result.todo);
    writer.cap_todo = 1;
    write_system(&writer);
    write_drill(&writer);
    write_stubs(&writer);
    init_write_compose(&writer);
    ret->name = result.name;
    ret->n_files = result.n_files;
    ret->files = ARENA_ARRAY(arena, struct init_file, result.n_files);
    memcpy(ret->files, result.files, sizeof *ret->files * (size_t)result.n_files);
    ret->todo = ARENA_ARRAY(arena, const char *, writer.n_todo + 1);
    for (int i = 0; i < writer.n_todo; i++)
        ret->todo[i] = result.todo[i];
out:
    free(result.files);
    free((void *)(uintptr_t)result.todo);
    facts_release(&writer.facts);
    return r;
}
