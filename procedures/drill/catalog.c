#include "procedures/drill/catalog.h"

#include <string.h>

#include "procedures/playbook/playbook.h"

/* A playbook while it is gone through. */
struct going {
    struct arena *arena;
    struct catalog_playbook *playbook;
    const struct drill_head *heads; /* all of them */
    int n_heads;
    const char *system;
    struct playbook text;
    bool *rehearsed; /* by heading: some drill runs it */
};

static bool is_hardened(const struct drill_head *head)
{
    size_t n = strlen(head->name), tail = strlen("-hardened");
    return n > tail && strcmp(head->name + n - tail, "-hardened") == 0;
}

static bool belongs(const struct going *going, const struct drill_head *head)
{
    return !head->mistake && strcmp(head->system, going->system) == 0 &&
           strcmp(head->playbook, going->playbook->path) == 0;
}

static bool has_commands(const struct playbook *text, int heading)
{
    for (int i = 0; i < text->n_blocks; i++) {
        enum block_kind kind = text->blocks[i].kind;
        int at = text->blocks[i].heading;
        while (at >= 0 &&
               text->headings[at].bold_line) /* "**Rollback Steps**:" is a part, not a procedure */
            at--;
        if (at == heading && (kind == BLOCK_SHELL || kind == BLOCK_SCRIPT || kind == BLOCK_SQL))
            return true;
    }
    return false;
}

/* "2. Full rollback > Docker:" for what stands so deep that its own words may say little; a name
 * that --section takes. */
static const char *name_of(struct arena *arena, const struct playbook *text, int heading)
{
    const struct heading *here = &text->headings[heading];
    int parent = heading - 1;
    while (parent >= 0 &&
           (text->headings[parent].bold_line || text->headings[parent].level >= here->level))
        parent--;
    return here->level < 4 || parent < 0
               ? here->text
               : arena_printf(arena, "%s > %s", text->headings[parent].text, here->text);
}

/* The procedure of that line; a new one takes its place among those there are. */
static struct catalog_procedure *procedure_at(struct going *going, const char *heading, int line)
{
    struct catalog_playbook *playbook = going->playbook;
    int at = 0;
    while (at < playbook->n_procedures && playbook->procedures[at].line < line)
        at++;
    struct catalog_procedure *here = &playbook->procedures[at];
    if (at < playbook->n_procedures && here->line == line)
        return here;
    memmove(here + 1, here, (size_t)(playbook->n_procedures - at) * sizeof *here);
    *here = (struct catalog_procedure){
        .heading = heading,
        .line = line,
        .drills = ARENA_ARRAY(going->arena, const struct drill_head *, going->n_heads + 1),
    };
    playbook->n_procedures++;
    return here;
}

static void place(struct going *going, const struct drill_head *head)
{
    struct catalog_procedure *procedure;
    int first = 0, end = going->text.n_headings;
    struct error error = {""};
    if (!head->section[0] || going->playbook->mistake) {
        procedure = procedure_at(going, "", 0);
    } else if (playbook_section(&going->text, head->section, &first, &end, &error) < 0) {
        going->playbook->mistake = arena_strdup(going->arena, error.text);
        procedure = procedure_at(going, "", 0);
        end = first;
    } else {
        procedure = procedure_at(going, name_of(going->arena, &going->text, first),
                                 going->text.headings[first].line);
    }
    for (int i = first; i < end; i++)
        going->rehearsed[i] = true;
    procedure->drills[procedure->n_drills++] = head;
    going->playbook->n_drills++;
}

static void go_through(struct going *going)
{
    struct error error = {""};
    if (playbook_read(going->arena, going->playbook->path, &going->text, &error) < 0) {
        going->playbook->mistake = arena_strdup(going->arena, error.text);
        going->text = (struct playbook){0};
    }
    const struct playbook *text = &going->text;
    going->rehearsed = ARENA_ARRAY(going->arena, bool, text->n_headings + 1);
    going->playbook->procedures =
        ARENA_ARRAY(going->arena, struct catalog_procedure, going->n_heads + text->n_headings + 2);
    for (int i = 0; i < going->n_heads; i++) {
        if (belongs(going, &going->heads[i]))
            place(going, &going->heads[i]);
    }
    for (int i = 0; i < text->n_headings; i++) {
        if (!text->headings[i].bold_line && !going->rehearsed[i] && has_commands(text, i))
            (void)procedure_at(going, name_of(going->arena, text, i), text->headings[i].line);
    }
}

static bool known_playbook(const struct catalog_system *system, const char *path)
{
    for (int i = 0; i < system->n_playbooks; i++) {
        if (strcmp(system->playbooks[i].path, path) == 0)
            return true;
    }
    return false;
}

static void add_playbooks(struct arena *arena, const struct drill_head *heads, int n, bool hardened,
                          struct catalog_system *system)
{
    for (int i = 0; i < n; i++) {
        const struct drill_head *head = &heads[i];
        if (head->mistake || strcmp(head->system, system->name) != 0 ||
            is_hardened(head) != hardened || known_playbook(system, head->playbook))
            continue;
        struct catalog_playbook *playbook = &system->playbooks[system->n_playbooks++];
        *playbook = (struct catalog_playbook){.path = head->playbook};
        struct going going = {.arena = arena,
                              .playbook = playbook,
                              .heads = heads,
                              .n_heads = n,
                              .system = system->name};
        go_through(&going);
    }
}

static bool known_system(const struct catalog *catalog, const char *name)
{
    for (int i = 0; i < catalog->n_systems; i++) {
        if (strcmp(catalog->systems[i].name, name) == 0)
            return true;
    }
    return false;
}

void catalog_make(struct arena *arena, const struct drill_head *heads, int n, struct catalog *ret)
{
    *ret = (struct catalog){
        .systems = ARENA_ARRAY(arena, struct catalog_system, n + 1),
        .unreadable = ARENA_ARRAY(arena, const struct drill_head *, n + 1),
    };
    for (int i = 0; i < n; i++) {
        if (heads[i].mistake) {
            ret->unreadable[ret->n_unreadable++] = &heads[i];
            continue;
        }
        if (known_system(ret, heads[i].system))
            continue;
        struct catalog_system *system = &ret->systems[ret->n_systems++];
        *system = (struct catalog_system){
            .name = heads[i].system,
            .title = heads[i].system_title,
            .playbooks = ARENA_ARRAY(arena, struct catalog_playbook, n + 1),
        };
        add_playbooks(arena, heads, n, false, system);
        add_playbooks(arena, heads, n, true, system);
    }
}
