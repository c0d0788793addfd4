#include "tests/coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/drill.h"
#include "tests/drill_expect.h"

enum { ROWS_MAX = 128, LINES_MAX = 1024, NAMES_MAX = 16 };

struct row {
    int line;
    struct str text, reached;
    struct str names[NAMES_MAX];
    int n_names;
};

struct coverage {
    struct arena arena;
    const char *folder;
    struct buf readme, playbook;
    struct str lines[LINES_MAX]; /* of the playbook, from 1 */
    int levels[LINES_MAX];       /* of those that are headings; else 0 */
    int n_lines;
    struct row rows[ROWS_MAX];
    int n_rows;
    struct buf complaints;
};

static void read_names(struct row *row)
{
    struct str rest = row->reached;
    while (str_find(rest, STR("`")) >= 0) {
        str_cut(&rest, '`');
        assert_true(row->n_names < NAMES_MAX);
        row->names[row->n_names++] = str_cut(&rest, '`');
    }
}

static void read_table(struct coverage *c)
{
    struct str rest = buf_text(&c->readme);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, "| ") || line.at[2] < '0' || line.at[2] > '9')
            continue;
        assert_true(c->n_rows < ROWS_MAX);
        struct row *row = &c->rows[c->n_rows++];
        str_cut(&line, '|');
        row->line = (int)strtol(arena_str(&c->arena, str_trim(str_cut(&line, '|'))), NULL, 10);
        row->text = str_trim(str_cut(&line, '|'));
        row->reached = str_trim(str_cut(&line, '|'));
        read_names(row);
    }
    assert_true(c->n_rows > 0);
}

static int level(struct str line)
{
    int n = 0;
    while ((size_t)n < line.len && line.at[n] == '#')
        n++;
    return (size_t)n < line.len && line.at[n] == ' ' ? n : 0;
}

/* Comments in blocks of shell begin as headings do. */
static void read_playbook(struct coverage *c)
{
    struct str rest = buf_text(&c->playbook);
    bool fenced = false;
    while (rest.len && c->n_lines < LINES_MAX - 1) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(str_trim(line), "```"))
            fenced = !fenced;
        c->lines[++c->n_lines] = line;
        c->levels[c->n_lines] = fenced ? 0 : level(line);
    }
}

static const struct row *row_at(const struct coverage *c, int line)
{
    for (int i = 0; i < c->n_rows; i++) {
        if (c->rows[i].line == line)
            return &c->rows[i];
    }
    return NULL;
}

/* Headings below the title; and in the parts about decisions, what stands in lists and tables. */
static void ask_for_every_part(struct coverage *c)
{
    bool deciding = false;
    for (int i = 1; i <= c->n_lines; i++) {
        struct str line = c->lines[i];
        int depth = c->levels[i];
        if (depth)
            deciding =
                str_find(line, STR("Decision Matrix")) >= 0 || str_find(line, STR("When ")) >= 0;
        bool item =
            deciding && (str_starts(line, "- ") || (str_starts(line, "| ") && i < c->n_lines &&
                                                    !str_starts(c->lines[i + 1], "|--")));
        if ((depth > 1 || item) && !row_at(c, i))
            buf_printf(&c->complaints, "%s/README.md: no row for line %d: %.*s\n", c->folder, i,
                       STR_ARG(line));
    }
}

/* The part that a row is about ends where the next heading of its level or above begins. */
static int end_of_part(const struct coverage *c, int line)
{
    for (int i = line + 1; i <= c->n_lines; i++) {
        if (c->levels[i] && c->levels[i] <= c->levels[line])
            return i;
    }
    return c->n_lines + 1;
}

/* Whether a drill runs a line of that part. One that has no commands at all, or runs another
 * document in the place of the owner's, reaches what the table says it does. */
static bool drill_reaches(struct coverage *c, struct str name, const struct row *row)
{
    struct drill *drill = NULL;
    struct error error = {""};
    const char *path = arena_printf(&c->arena, "%s/drills/%.*s.yaml", c->folder, STR_ARG(name));
    if (drill_load(path, NULL, &drill, &error) < 0)
        return false;
    const struct procedure *procedure = &drill->procedure;
    int end = end_of_part(c, row->line);
    bool reaches = false, owners = false;
    for (int i = 0; i < procedure->n_lines; i++) {
        bool its = strstr(procedure->lines[i].file, "/playbook.md") != NULL;
        owners |= its;
        reaches |= its && procedure->lines[i].line > row->line && procedure->lines[i].line < end;
    }
    drill_free(drill);
    return reaches || !owners;
}

static bool listed(const char *const *names, struct str name)
{
    for (; *names; names++) {
        if (str_is(name, *names))
            return true;
    }
    return false;
}

static void check_row(struct coverage *c, const struct row *row, const char *const *triggers)
{
    if (row->line < 1 || row->line > c->n_lines || str_find(c->lines[row->line], row->text) < 0) {
        buf_printf(&c->complaints, "%s/README.md: line %d of the document does not say '%.*s'\n",
                   c->folder, row->line, STR_ARG(row->text));
        return;
    }
    if (row->n_names == 0 && !str_starts(row->reached, "nothing to run"))
        buf_printf(&c->complaints, "%s/README.md: line %d is reached by nothing\n", c->folder,
                   row->line);
    for (int i = 0; i < row->n_names; i++) {
        if (!listed(triggers, row->names[i]) && !drill_reaches(c, row->names[i], row))
            buf_printf(&c->complaints, "%s/README.md: line %d: '%.*s' does not reach it\n",
                       c->folder, row->line, STR_ARG(row->names[i]));
    }
}

static bool named(const struct coverage *c, const char *name)
{
    for (int i = 0; i < c->n_rows; i++) {
        for (int k = 0; k < c->rows[i].n_names; k++) {
            if (str_is(c->rows[i].names[k], name))
                return true;
        }
    }
    return false;
}

static void ask_for_every_name(struct coverage *c, const char *const *triggers)
{
    for (; *triggers; triggers++) {
        if (!named(c, *triggers))
            buf_printf(&c->complaints, "%s/README.md: no row names the trigger '%s'\n", c->folder,
                       *triggers);
    }
    char **paths = drill_paths(&c->arena, arena_printf(&c->arena, "%s/drills", c->folder));
    for (int i = 0; paths[i]; i++) {
        const char *base = strrchr(paths[i], '/') + 1;
        char *name = arena_printf(&c->arena, "%.*s", (int)(strlen(base) - strlen(".yaml")), base);
        if (!strstr(name, "-hardened") && !named(c, name))
            buf_printf(&c->complaints, "%s/README.md: no row names the drill '%s'\n", c->folder,
                       name);
    }
}

void coverage_check(const char *folder, const char *const *triggers)
{
    struct coverage *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->folder = folder;
    buf_init(&c->complaints, 1 << 20);
    buf_init(&c->readme, 1 << 20);
    buf_init(&c->playbook, 1 << 20);
    assert_int_equal(buf_read_file(&c->readme, arena_printf(&c->arena, "%s/README.md", folder)), 0);
    assert_int_equal(buf_read_file(&c->playbook, arena_printf(&c->arena, "%s/playbook.md", folder)),
                     0);
    read_playbook(c);
    read_table(c);
    ask_for_every_part(c);
    for (int i = 0; i < c->n_rows; i++)
        check_row(c, &c->rows[i], triggers);
    ask_for_every_name(c, triggers);
    if (c->complaints.len) {
        fprintf(stderr, "%s", c->complaints.at); /* longer than cmocka prints */
        fail();
    }
    buf_release(&c->complaints);
    buf_release(&c->readme);
    buf_release(&c->playbook);
    arena_release(&c->arena);
    free(c);
}
