/* rehearse list: the systems, their procedures and drills, and the last verdict of each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/keep.h"
#include "procedures/drill/catalog.h"
#include "reports/json_writer.h"
#include "reports/words.h"

enum { COLUMNS = 80, NAME_COLUMNS = 58, EXPECTED_COLUMNS = 9, PATHS_MAX = 64, TRIES_MAX = 64 };

struct listing {
    struct arena arena;
    struct history *history; /* NULL: nothing was kept */
    struct catalog catalog;
    struct buf out;
    int n_drills, n_idle; /* procedures without a drill */
};

struct last {
    bool known;
    enum outcome outcome;
    double score;
    int64_t at_s;
};

/* The newest run of what the drill itself names: a try with another document is no result of it. */
static void note_last(void *ctx, const struct history_run *run)
{
    struct last *last = ctx;
    if (!last->known && history_is_own(run))
        *last = (struct last){true, run->outcome, run->score, run->at_s};
}

static struct last last_of(const struct listing *listing, const struct drill_head *head)
{
    struct last last = {.known = false};
    if (listing->history)
        (void)history_each(listing->history, head->name, TRIES_MAX, note_last, &last, NULL);
    return last;
}

/* ---- for people ---- */

/* Words from column `at` on, further lines indented; a word longer than a line stands alone. */
static void put_wrapped(struct listing *listing, const char *text, size_t at, size_t indent)
{
    struct str rest = str_of(words_line(&listing->arena, str_of(text), 1000));
    bool first = true;
    while (rest.len) {
        const char *word = arena_str(&listing->arena, str_cut(&rest, ' '));
        size_t width = words_width(word);
        if (!first && at + 1 + width > COLUMNS) {
            buf_printf(&listing->out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            buf_putc(&listing->out, ' ');
            at++;
        }
        buf_puts(&listing->out, word);
        at += width;
        first = false;
    }
    buf_putc(&listing->out, '\n');
}

static void put_padded(struct listing *listing, const char *text, size_t columns)
{
    buf_puts(&listing->out, text);
    for (size_t n = words_width(text); n < columns; n++)
        buf_putc(&listing->out, ' ');
}

/* "drills/x.yaml" of "shop/drills/x.yaml" where the system's drills lie in shop/. */
static const char *below(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    return n && strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static void put_drill(struct listing *listing, const struct drill_head *head, const char *folder)
{
    struct last last = last_of(listing, head);
    buf_puts(&listing->out, "    ");
    put_padded(listing, below(folder, head->path), NAME_COLUMNS - 4);
    buf_puts(&listing->out, words_width(below(folder, head->path)) < NAME_COLUMNS - 4 ? "" : " ");
    put_padded(listing, head->expects[0] ? head->expects : "-", EXPECTED_COLUMNS);
    if (last.known) {
        buf_printf(&listing->out, "%s ", outcome_names[last.outcome]);
        words_number(&listing->out, round(last.score * 10) / 10);
    } else {
        buf_putc(&listing->out, '-');
    }
    buf_putc(&listing->out, '\n');
    listing->n_drills++;
}

/* The folder of all drills of a playbook, or "". */
static const char *common_folder(struct listing *listing, const struct catalog_playbook *playbook)
{
    const char *folder = NULL;
    for (int i = 0; i < playbook->n_procedures; i++) {
        for (int k = 0; k < playbook->procedures[i].n_drills; k++) {
            const char *path = playbook->procedures[i].drills[k]->path, *slash = strrchr(path, '/');
            const char *here =
                arena_printf(&listing->arena, "%.*s", slash ? (int)(slash - path) : 0, path);
            if (folder && strcmp(folder, here) != 0)
                return "";
            folder = here;
        }
    }
    return folder ? folder : "";
}

static void put_playbook(struct listing *listing, const struct catalog_playbook *playbook)
{
    struct arena *arena = &listing->arena;
    const char *folder = common_folder(listing, playbook);
    int n_idle = 0;
    put_wrapped(listing,
                folder[0] ? arena_printf(arena, "%s, drills in %s/", playbook->path, folder)
                          : playbook->path,
                0, 2);
    if (playbook->mistake)
        put_wrapped(listing, arena_printf(arena, "  cannot be read: %s", playbook->mistake), 0, 6);
    for (int i = 0; i < playbook->n_procedures; i++) {
        const struct catalog_procedure *procedure = &playbook->procedures[i];
        n_idle += procedure->n_drills == 0;
        if (procedure->n_drills == 0)
            continue;
        buf_puts(&listing->out, "  ");
        put_wrapped(listing, procedure->heading[0] ? procedure->heading : "the whole document", 2,
                    4);
        for (int k = 0; k < procedure->n_drills; k++)
            put_drill(listing, procedure->drills[k], folder);
    }
    listing->n_idle += n_idle;
    if (n_idle)
        buf_puts(&listing->out, "  without a drill\n");
    for (int i = 0; i < playbook->n_procedures; i++) {
        const struct catalog_procedure *procedure = &playbook->procedures[i];
        if (procedure->n_drills == 0) {
            buf_puts(&listing->out, "    ");
            put_wrapped(listing,
                        arena_printf(arena, "%s (line %d)", procedure->heading, procedure->line), 4,
                        6);
        }
    }
}

static void print_text(struct listing *listing)
{
    const struct catalog *catalog = &listing->catalog;
    for (int i = 0; i < catalog->n_systems; i++) {
        const struct catalog_system *system = &catalog->systems[i];
        put_wrapped(listing, arena_printf(&listing->arena, "%s: %s", system->name, system->title),
                    0, 2);
        put_padded(listing, "", NAME_COLUMNS);
        buf_puts(&listing->out, "expected last run\n");
        for (int k = 0; k < system->n_playbooks; k++)
            put_playbook(listing, &system->playbooks[k]);
        buf_putc(&listing->out, '\n');
    }
    for (int i = 0; i < catalog->n_unreadable; i++)
        put_wrapped(listing,
                    arena_printf(&listing->arena, "%s cannot be read: %s",
                                 catalog->unreadable[i]->path, catalog->unreadable[i]->mistake),
                    0, 2);
    int n = listing->n_drills + catalog->n_unreadable;
    buf_printf(&listing->out, "%d drill%s", n, n == 1 ? "" : "s");
    if (listing->n_idle)
        buf_printf(&listing->out, "; %d procedure%s without one", listing->n_idle,
                   listing->n_idle == 1 ? "" : "s");
    buf_putc(&listing->out, '\n');
}

/* ---- for programs ---- */

static void write_drill(struct listing *listing, struct json_writer *json,
                        const struct drill_head *head)
{
    struct last last = last_of(listing, head);
    json_open_object(json, NULL);
    json_string(json, "path", arguments_path(&listing->arena, head->path));
    json_string(json, "name", head->name);
    json_string(json, "title", head->title);
    json_string(json, "expects", head->expects[0] ? head->expects : NULL);
    if (last.known) {
        json_open_object(json, "last");
        json_string(json, "at", words_date(&listing->arena, last.at_s * SECOND));
        json_string(json, "verdict", outcome_names[last.outcome]);
        json_number(json, "score", last.score);
        json_close_object(json);
    } else {
        json_null(json, "last");
    }
    json_close_object(json);
}

static void write_playbook(struct listing *listing, struct json_writer *json,
                           const struct catalog_playbook *playbook)
{
    json_open_object(json, NULL);
    json_string(json, "path", arguments_path(&listing->arena, playbook->path));
    json_string(json, "mistake", playbook->mistake);
    json_open_array(json, "procedures");
    for (int i = 0; i < playbook->n_procedures; i++) {
        const struct catalog_procedure *procedure = &playbook->procedures[i];
        json_open_object(json, NULL);
        json_string(json, "section", procedure->heading);
        json_integer(json, "line", procedure->line);
        json_open_array(json, "drills");
        for (int k = 0; k < procedure->n_drills; k++)
            write_drill(listing, json, procedure->drills[k]);
        json_close_array(json);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

static void print_json(struct listing *listing)
{
    struct json_writer json = {.buf = &listing->out};
    json_open_object(&json, NULL);
    json_string(&json, "format", "rehearse.list/1");
    json_open_array(&json, "systems");
    for (int i = 0; i < listing->catalog.n_systems; i++) {
        const struct catalog_system *system = &listing->catalog.systems[i];
        json_open_object(&json, NULL);
        json_string(&json, "name", system->name);
        json_string(&json, "title", system->title);
        json_open_array(&json, "playbooks");
        for (int k = 0; k < system->n_playbooks; k++)
            write_playbook(listing, &json, &system->playbooks[k]);
        json_close_array(&json);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_open_array(&json, "unreadable");
    for (int i = 0; i < listing->catalog.n_unreadable; i++) {
        json_open_object(&json, NULL);
        json_string(&json, "path",
                    arguments_path(&listing->arena, listing->catalog.unreadable[i]->path));
        json_string(&json, "mistake", listing->catalog.unreadable[i]->mistake);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
}

/* ---- the command ---- */

static struct history *open_history(const char *option, struct arena *arena)
{
    struct history *history = NULL;
    const char *path = option && strcmp(option, "none") == 0 ? NULL : keep_path(option, arena);
    if (path && history_open(path, false, &history, NULL) < 0)
        return NULL; /* nothing was kept yet */
    return history;
}

static void list(struct listing *listing, const struct drill_head *heads, int n,
                 const char *history_option, bool json)
{
    listing->history = open_history(history_option, &listing->arena);
    catalog_make(&listing->arena, heads, n, &listing->catalog);
    buf_init(&listing->out, 64 << 20);
    if (json)
        print_json(listing);
    else
        print_text(listing);
    fwrite(listing->out.at, 1, listing->out.len, stdout);
    buf_release(&listing->out);
    if (listing->history)
        history_close(listing->history);
}

static int run(int argc, char **argv)
{
    const char *paths[PATHS_MAX] = {"."}, *history_option = NULL, *format = NULL;
    const struct option_spec specs[] = {
        {"--history", &history_option, NULL}, {"--format", &format, NULL}, {NULL, NULL, NULL}};
    struct error error = {""};
    struct listing listing = {.history = NULL};
    struct drill_head *heads = NULL;
    int n = 0, cap = 0;
    int n_paths = arguments_parse(argc, argv, specs, paths, PATHS_MAX, &error);
    int code = n_paths < 0 ? n_paths : 0;
    if (code == 0 && format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        code = error_set(&error, ERROR_INPUT, "--format '%s' is not known: text or json", format);
    for (int i = 0; i < (n_paths > 0 ? n_paths : 1) && i < PATHS_MAX && code == 0; i++)
        code = drill_find(&listing.arena, paths[i], &heads, &n, &cap, &error);
    if (code == 0)
        list(&listing, heads, n, history_option, format && strcmp(format, "json") == 0);
    int status = code == 0 ? EXIT_PASS : arguments_fail(code, &error);
    free(heads);
    arena_release(&listing.arena);
    return status;
}

const struct command command_list = {
    .name = "list",
    .usage = "[PATH...] [--format text|json] [--history FILE|none]",
    .summary = "the systems, their procedures and drills, and the last verdict of each",
    .help = "  PATH             a drill file, or a folder that is searched for them (default: the "
            "current one)\n"
            "  --format FORMAT  text (default), or json: the same as one document\n"
            "  --history FILE   where the last verdicts are looked up; none: nowhere\n"
            "\n"
            "A procedure is a heading with commands below it. What no drill rehearses is listed as "
            "such.\n",
    .run = run,
};
