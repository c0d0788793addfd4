/* drills/first.yaml. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/init/writer.h"
#include "procedures/playbook/placeholder.h"

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

int init_busiest_heading(const struct facts *facts)
{
    int best = -1, most = 0;
    for (int i = 0; i < facts->playbook->n_headings; i++) {
        int n = 0;
        if (facts->playbook->headings[i].bold_line)
            continue;
        for (int u = 0; u < facts->lint.n_uses; u++)
            n += facts->lint.blocks[facts->lint.uses[u].block].scope == i;
        n += changes_in(facts, i) *
             1000; /* commands that only look count where nothing changes anything */
        if (n > most) {
            most = n;
            best = i;
        }
    }
    return best;
}

/* Where bold lines divide the section ("**Procedure**:", "**Backup Strategy**:"), the part that
 * holds the steps. */
static const struct heading *steps_below(const struct writer *writer)
{
    static const char *const words[] = {"procedure", "steps", "rollback steps", NULL};
    const struct playbook *playbook = writer->facts.playbook;
    int bold = 0;
    const struct heading *found = NULL;
    for (int i = writer->heading + 1; i < playbook->n_headings && playbook->headings[i].bold_line;
         i++) {
        bold++;
        for (int w = 0; words[w]; w++)
            if (!strncasecmp(playbook->headings[i].text, words[w], strlen(words[w])))
                found = found ? found : &playbook->headings[i];
    }
    return bold > 1 ? found : NULL;
}

static const char *section_name(const struct writer *writer)
{
    const struct playbook *playbook = writer->facts.playbook;
    const struct heading *heading = &playbook->headings[writer->heading];
    int same = 0;
    const struct heading *steps = steps_below(writer);
    if (steps)
        return arena_printf(writer->arena, "%s > %s", heading->text, steps->text);
    for (int i = 0; i < playbook->n_headings; i++)
        same += !strcasecmp(playbook->headings[i].text, heading->text);
    if (same > 1)
        for (int i = writer->heading - 1; i >= 0; i--)
            if (playbook->headings[i].level < heading->level)
                return arena_printf(writer->arena, "%s > %s", playbook->headings[i].text,
                                    heading->text);
    return heading->text;
}

/* ---- the drill ---- */

/* Whether that line of the playbook says so. */
static bool line_has(const struct writer *writer, int line, const char *words)
{
    struct str rest = writer->facts.playbook->source, one = {0};
    while (rest.len && line-- > 0)
        one = str_cut(&rest, '\n');
    return str_find(one, str_of(words)) >= 0;
}

static const char *guess(const struct writer *writer, struct str text, int line)
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
    if (line_has(writer, line, "git revert")) /* the bad one, not the one before it */
        return "HEAD";
    if (strcasestr(z, "compose_file"))
        return writer->compose_file;
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
        init_add_scalar(out, arena_str(writer->arena, at->text));
        buf_puts(out, ": ");
        init_add_scalar(out, guess(writer, at->text, at->line));
        buf_printf(out, "   # line %d\n", at->line);
    }
    if (n)
        init_add_todo(writer, "drills/first.yaml: %d blank%s of the playbook %s guessed (bind)", n,
                      n == 1 ? "" : "s", n == 1 ? "is" : "are");
    placeholders_release(&found);
}

/* Blocks without a language run only if they are listed. */
static void write_untagged(struct writer *writer, struct buf *out)
{
    int n = 0;
    for (int i = 0; i < writer->facts.lint.n_blocks; i++) {
        const struct lint_block *block = &writer->facts.lint.blocks[i];
        if (in_section(writer, block) && !block->is_script && !*block->block->language)
            buf_printf(out, "%s%d", n++ ? ", " : "  untagged: [", block->block->line);
    }
    if (n)
        buf_puts(out, "]   # blocks that name no language, by a line of each: these are run\n");
}

static void find_positional(const struct shell_part *part, bool in_quotes, void *data)
{
    int *most = data;
    (void)in_quotes;
    if (part->kind == PART_PARAMETER && part->name.len == 1 && *part->name.at >= '1' &&
        *part->name.at <= '9' && *part->name.at - '0' > *most)
        *most = *part->name.at - '0';
}

/* Functions have arguments of their own. */
static bool visit_positional(struct shell_command *command, void *data)
{
    if (command->kind == SHELL_FUNCTION)
        return false;
    shell_each_part(command, find_positional, data);
    return true;
}

/* A playbook that is one script, and reads what is typed behind its name. */
static void write_arguments(struct writer *writer, struct buf *out)
{
    const struct lint *lint = &writer->facts.lint;
    int most = 0;
    if (writer->facts.playbook->n_headings || lint->n_blocks != 1 || !lint->blocks[0].is_script)
        return;
    shell_each_command(&lint->blocks[0].script, visit_positional, &most);
    if (!most)
        return;
    buf_printf(out, "  # arguments: what is typed behind the script's name; it reads $1%s\n",
               most > 1 ? arena_printf(writer->arena, " to $%d", most) : "");
    init_add_todo(writer, "drills/first.yaml: what is typed behind the script's name (arguments)");
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
    init_add_scalar(out, writer->bad);
    buf_puts(out, "}}\n");
}

void init_write_drill(struct writer *writer)
{
    struct buf out;
    buf_init(&out, FILE_MAX);
    buf_puts(&out, "# What goes wrong, and who rolls it back.\nformat: rehearse.drill/1\nsystem: "
                   "../system.yaml\ntitle: ");
    init_add_scalar(&out,
                    arena_printf(writer->arena, "%s is bad, and is rolled back", writer->bad));
    buf_puts(&out, "\n\nstart: 2026-01-15T14:30:00Z\ncwd: ");
    init_add_scalar(&out, writer->cwd);
    buf_putc(&out, '\n');
    write_change(writer, &out);
    buf_puts(&out, "\nprocedure:\n  playbook: ");
    init_add_scalar(&out, writer->options->playbook_path);
    buf_putc(&out, '\n');
    if (writer->heading >= 0) {
        buf_puts(&out, "  section: ");
        init_add_scalar(&out, section_name(writer));
        buf_printf(&out, "   # line %d\n", writer->facts.playbook->headings[writer->heading].line);
    }
    if (has_sql(writer) && writer->store && writer->facts.database)
        buf_printf(&out, "  sql: psql -U %s -d %s\n",
                   writer->facts.user ? writer->facts.user : "postgres", writer->facts.database);
    write_untagged(writer, &out);
    write_arguments(writer, &out);
    write_bindings(writer, &out);
    buf_puts(&out,
             "\noperator: on_call   # or automation, team\n\n"
             "# Say what you expect before the first run, and why; `rehearse check` compares.\n"
             "# expect: {verdict: pass, because: ...}\n");
    write_other_sections(writer, &out);
    init_add_file(writer, "drills/first.yaml", &out, 0644);
}
