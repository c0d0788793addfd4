/* What the checks of this folder work on: every command that the playbook would run, in order. */
#ifndef REHEARSE_PROCEDURES_LINT_INTERNAL_H
#define REHEARSE_PROCEDURES_LINT_INTERNAL_H

#include "procedures/lint/lint.h"
#include "procedures/shell/shell.h"

/* One use of a command. `docker exec C psql ...` is two: docker, and psql with `inside`. */
struct use {
    const char *name; /* without its directory, except for scripts of the project ("./x.sh");
                       * "compose" for docker-compose and docker compose */
    /* [0] is the name as written; arguments as their value, or as written if dynamic */
    const char **argv;
    int argc;
    const char **operands; /* argv without argv[0], options and their values; ends in NULL */
    int n_operands;
    struct shell_word **words;     /* argc of them */
    struct shell_command *command; /* the simple command that it is or is in */
    int block;                     /* index in lint.blocks */
    int line, column;
    bool inside;  /* of a container, pod, remote host or sh -c: wrapped in another use */
    bool remote;  /* in a container, pod or on another host */
    bool watched; /* repeated by watch */
    bool limited; /* by timeout */
    bool by_xargs;
    bool in_condition, in_loop, in_function, background;
    bool last_stage, first_stage; /* of its pipeline, or alone: both */
    bool ignored;                 /* "|| true", "|| echo ..." behind it */
    bool guarded;  /* "|| exit", "|| return" or a group behind it, or "&&" before what follows */
    bool silenced; /* its errors go to /dev/null */
};

struct lint_block {
    const struct block *block;
    bool is_script;
    bool set_e, pipefail;
    int first, end; /* its uses */
    int scope; /* blocks with the same scope belong to one procedure: nearest real heading, or -1 */
    struct shell_script script;
};

struct lint {
    struct arena *arena;
    const struct playbook *playbook;
    struct lint_block *blocks;
    int n_blocks, cap_blocks;
    struct use *uses;
    int n_uses, cap_uses, n_left_out;
    struct from_command {
        struct str name; /* of a variable that a command substitution fills: x=$(...) */
        int block;
    } * from_commands;
    int n_from_commands, cap_from_commands;
    struct lint_finding *findings;
    int n_findings, cap_findings;
};

/* Fills blocks and uses. */
void lint_collect(struct lint *);

void lint_add(struct lint *, const char *id, int line, int column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void lint_add_use(struct lint *, const char *id, const struct use *, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- questions about one use ---- */
bool use_is(const struct use *, const char *name, const char *operand0,
            const char *operand1);                    /* NULL: any */
bool use_has(const struct use *, const char *option); /* "--wait", also as "--wait=..." */
bool use_short(const struct use *, char letter);      /* -f, also inside "-sf" */
const char *use_value(const struct use *, const char *short_option,
                      const char *long_option);          /* or NULL */
bool use_mentions(const struct use *, const char *text); /* in any argument, ignoring case */
bool use_changes_state(const struct use *);
bool use_verifies(const struct use *);
bool use_compares(const struct use *); /* [, [[, test: it may look at what a check said */
bool use_is_backup(const struct use *);
bool use_stops_writers(const struct use *);
bool use_never_ends(const struct use *);
const char *use_sql(const struct lint *,
                    const struct use *); /* what psql or mysql would run, or NULL */

/* The uses of the same procedure before or after one: loops are written over lint.uses with this.
 */
bool same_scope(const struct lint *, const struct use *, const struct use *);

/* RB009 in a manifest whose first line is `line`, and in the text of a patch. */
void lint_check_manifest(struct lint *, struct str text, int line);
void lint_check_patch(struct lint *, const struct use *, const char *patch, bool config_map);

/* ---- the checks ---- */
void lint_check_shell(struct lint *);
void lint_check_scripts(struct lint *);
void lint_check_kubernetes(struct lint *);
void lint_check_docker(struct lint *);
void lint_check_database(struct lint *);
void lint_check_document(struct lint *);

#endif
