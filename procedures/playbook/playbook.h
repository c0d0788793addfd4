/* playbook: the owner's document, read as it stands, and the procedure picked out of it.
 *
 * Markdown is parsed by cmark-gfm; a file whose first line is a shell shebang, or named *.sh, is
 * one script. Every line of every block keeps its file and line.
 */
#ifndef REHEARSE_PROCEDURES_PLAYBOOK_H
#define REHEARSE_PROCEDURES_PLAYBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/error.h"
#include "sim/base/str.h"

enum block_kind {
    BLOCK_SHELL,  /* bash, sh, shell, console: pasted into the long-lived bash */
    BLOCK_SCRIPT, /* a shell block with a shebang, or a whole .sh file: run in a process of its own
                   */
    BLOCK_SQL,    /* goes to the store that the drill names */
    BLOCK_UNTAGGED,  /* runs only if the drill lists it */
    BLOCK_OTHER,     /* yaml, text, markdown ...: read by a person */
    BLOCK_CHECKLIST, /* "- [ ]" items: one each, costs reading time */
    BLOCK_PROSE      /* paragraphs and tables: costs reading time */
};

struct heading {
    const char *text; /* plain text, without markup */
    int level, line;
    bool bold_line; /* a paragraph of bold text alone, that acts as a heading below all others */
    int alternative_of; /* index of the first sibling alternative (Option, Method, Alternative), or
                           -1 */
};

struct block {
    enum block_kind kind;
    const char *language; /* info string, "" if none */
    int line;             /* of the first line of content */
    int n_lines;
    struct str text; /* content as in the document, with the fence's indentation removed */
    int heading;     /* index of the heading it stands under, -1 before the first */
    int words;       /* prose: how much there is to read */
};

struct playbook {
    const char *file; /* as the user named it */
    struct str source;
    struct heading *headings;
    int n_headings;
    struct block *blocks;
    int n_blocks;
};

/* Reads a playbook from the host's disk; everything lives in the arena. */
int playbook_read(struct arena *, const char *path, struct playbook *ret, struct error *);
/* The same on text. */
int playbook_parse(struct arena *, const char *name, struct str text, struct playbook *ret,
                   struct error *);

/* Would a person take the block for commands, whatever its language says? */
bool block_looks_like_shell(struct arena *, const struct block *);

/* ---- the procedure: what is run ---- */

struct binding {
    /* as written in the document: "<timestamp>", "v[X.Y.Z]", "YYYYMMDD", "$VAR" */
    const char *from;
    const char *to;
};

enum alternatives { ALTERNATIVES_FIRST, ALTERNATIVES_ALL, ALTERNATIVES_CHOSEN };

struct procedure_options {
    const char *section; /* heading text; NULL or "": the whole document */
    const struct binding *bind;
    int n_bind;
    enum alternatives alternatives;
    const char *const
        *choose; /* ALTERNATIVES_CHOSEN: headings or comments to take, NULL-terminated */
    /* lines of untagged blocks to run (any line of each), 0-terminated; or NULL */
    const int *untagged;
    const char *const *environment; /* names of variables that are set before the procedure starts,
                                     * NULL-terminated; or NULL */
    bool sql; /* take SQL blocks too; else a note "sql_skipped" says they were left out */
    /* of a playbook that is one script file: what to type after its name; or NULL */
    const char *arguments;
};

/* One line as it is pasted, with where it came from. */
struct procedure_line {
    const char *file;
    int line;
    struct str text; /* bound, without newline */
    int block;       /* index into playbook.blocks */
    bool block_start;
    int64_t reading_ns;   /* time a person reads (prose, checklist) before this line, at 238 words a
                             minute */
    enum block_kind kind; /* BLOCK_SHELL: typed; BLOCK_SCRIPT: typed, it starts one of `scripts`;
                           * BLOCK_SQL: for the store, never typed into the shell */
};

/* A block with a shebang, or a whole .sh file, as a file: the procedure has one line that starts it
 * by its path. Line k of the file is line `line + k - 1` of the playbook. */
struct procedure_script {
    const char *path; /* where to put it in the sandbox, mode 0755: "/tmp/block-LINE.sh" or
                         "/tmp/NAME.sh" */
    struct str text;  /* bound */
    int block, line;
};

/* A bound "$VAR": to be set and exported in the shell before the first line. Bound as a variable
 * and not as text, so that the playbook's own quoting decides what happens to a value with blanks.
 */
struct procedure_variable {
    const char *name, *value;
};

/* Something worth a finding that was seen while picking the procedure:
 *   "alternatives"  commands left out because others before them do the same job
 *   "manual_edit"   a step that is only a comment: a person must change something by hand
 *   "placeholder"   a variable that nothing seen here sets, though a sourced file may
 *   "blank"         a blank in a report that is written down but not executed
 *   "no_commands"   a section of prose and comments alone: nothing runs
 *   "sql_skipped", "untagged_skipped"  a block left out because the drill did not ask for it */
struct procedure_note {
    const char *id;
    int line;
    const char *message;
};

struct procedure {
    const struct playbook *playbook;
    const char *section;
    struct procedure_line *lines;
    int n_lines;
    struct procedure_note *notes;
    int n_notes;
    struct procedure_script *scripts;
    int n_scripts;
    struct procedure_variable *variables;
    int n_variables;
    int64_t reading_after_ns; /* what there is to read behind the last line */
};

/* Finds a section: a heading (or bold line) and everything to the next heading of equal or higher
 * level. The text is compared trimmed, first exactly, then without regard to case. "Parent > Child"
 * looks for the child inside the parent. None found: the error names the nearest; more than one: it
 * lists their lines. *ret_end is the first heading behind the section. */
int playbook_section(const struct playbook *, const char *name, int *ret_first, int *ret_end,
                     struct error *);

/* Picks the section, drops alternatives not chosen, binds placeholders; an unbound one is an error
 * with file and line. */
int procedure_pick(struct arena *, const struct playbook *, const struct procedure_options *,
                   struct procedure *ret, struct error *);

#endif
