/* shell: a script as bash would read it, for looking at and not for running.
 *
 * A recursive-descent parser of bash's grammar: simple commands, pipelines, lists, redirections,
 * here-documents, compound commands, functions, quoting and every kind of substitution, with the
 * exact place of each word. No process is started and nothing is expanded. Two things differ from
 * bash on purpose:
 *   - "<service>" and "[previous-version]", which people leave in documents for others to replace,
 *     are parts of a word (PART_PLACEHOLDER) where bash would see redirections and globs;
 *   - after a mistake in the syntax the parser notes it, skips the rest of the line and goes on, as
 *     bash does with pasted lines.
 *
 * Everything lives in the arena, and slices point into the text, which must live as long.
 */
#ifndef REHEARSE_PROCEDURES_SHELL_H
#define REHEARSE_PROCEDURES_SHELL_H

#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/str.h"

enum shell_part_kind {
    PART_TEXT,       /* unquoted characters */
    PART_ESCAPED,    /* one character behind a backslash */
    PART_SINGLE,     /* '...' or $'...' */
    PART_DOUBLE,     /* "..." or $"...", with `parts` */
    PART_PARAMETER,  /* $x, ${x...}: `name`, `operator`, and the `parts` of the operand */
    PART_COMMAND,    /* $(...) or `...`: `script` */
    PART_ARITHMETIC, /* $((...)), with `parts` */
    PART_PROCESS,    /* <(...) or >(...): `script` */
    PART_ARRAY,      /* x=(...): `words` */
    PART_PLACEHOLDER /* "<name>" or "[some name]" */
};

struct shell_part {
    enum shell_part_kind kind;
    size_t offset;     /* of the first byte, in the text that was parsed */
    struct str text;   /* as written, with quotes */
    struct str inside; /* without the quotes, the $ and the brackets */
    struct str name, operator;
    struct shell_part *parts, *next;
    struct shell_script *script;
    struct shell_word *words;
};

struct shell_word {
    int line, column; /* from 1 */
    size_t offset;
    struct str text;   /* as written */
    const char *value; /* with quotes removed, when nothing in it is expanded; else NULL. Globs are
                          kept as written */
    bool quoted;       /* some of it is in quotes or escaped */
    struct shell_part *parts;
    struct shell_word *next;
};

struct shell_redirect {
    int line, column;
    int fd;              /* -1: the usual one of the operator */
    struct str operator; /* "<", ">", ">>", "<<", "<<-", "<<<", "&>", ">&", ... */
    struct shell_word *target;
    struct str body; /* here-document: its lines */
    size_t body_offset;
    int body_line;
    bool body_literal;             /* the end word was quoted: nothing is expanded */
    struct shell_part *body_parts; /* otherwise: the expansions in it */
    struct shell_redirect *next;
};

struct shell_assignment {
    struct str name;
    struct shell_word *value; /* the whole word "name=value" */
    struct shell_assignment *next;
};

enum shell_kind {
    SHELL_SIMPLE,
    SHELL_PIPELINE, /* children: the stages, two or more, or one that is negated */
    SHELL_AND_OR,   /* children joined by && and || */
    SHELL_LIST,
    SHELL_IF,    /* children: condition, body, condition, body ..., perhaps a last ROLE_ELSE */
    SHELL_WHILE, /* children: condition, body; also until */
    SHELL_FOR,   /* words: the list; also select and for ((...)) */
    SHELL_CASE,  /* words: the subject; children: the bodies */
    SHELL_GROUP, /* { ...; } */
    SHELL_SUBSHELL,
    SHELL_FUNCTION,
    SHELL_ARITHMETIC, /* (( ... )) */
    SHELL_TEST        /* [[ ... ]]: words, operators among them */
};

enum shell_role { ROLE_BODY, ROLE_CONDITION, ROLE_ELSE };

struct shell_command {
    enum shell_kind kind;
    enum shell_role role; /* in its parent */
    int line, column, end_line;
    size_t offset, end;
    bool negated;    /* "!" before the pipeline */
    bool background; /* "&" behind it */
    bool or_else;    /* in SHELL_AND_OR: joined to the one before with || */
    bool and_then;   /* ... with && */
    /* SHELL_FUNCTION, SHELL_FOR: its name; of a group or subshell: as a coprocess */
    struct str name;
    struct shell_assignment *assignments;
    /* SHELL_SIMPLE: command and arguments, without assignments and redirections */
    struct shell_word **words;
    int n_words;
    struct shell_redirect *redirects;
    struct shell_part *parts; /* SHELL_ARITHMETIC: the expansions */
    struct shell_command *first, *next, *parent;
};

struct shell_comment {
    int line, column;
    size_t offset;
    struct str text; /* behind the '#', trimmed */
    bool own_line;   /* nothing but blanks before it */
    int depth;       /* 0: not inside any compound command or substitution */
};

struct shell_mistake {
    int line, column;
    const char *text;
};

struct shell_script {
    struct str text;
    struct shell_command *commands; /* a SHELL_LIST, never NULL */
    struct shell_comment *comments;
    int n_comments;
    struct shell_mistake *mistakes;
    int n_mistakes;
};

/* `first_line` is the line number of the first line of the text. Never fails: mistakes are in the
 * result. */
void shell_parse(struct arena *, struct str text, int first_line, struct shell_script *ret);

/* How long a "<placeholder>" or "[placeholder]" beginning at `at` is, or 0. */
size_t shell_placeholder(struct str text, size_t at, size_t end);

/* The value of word i of a command, or NULL if there is none or it is not static. */
const char *shell_value(const struct shell_command *, int i);
/* Is it a simple command of that name? A path before the name and sudo, time, exec, command, nohup
 * are not looked through. */
bool shell_is(const struct shell_command *, const char *name);

/* Calls `visit` for every command, outer before inner, in the order of the text, also inside
 * substitutions. When it returns false, what is inside that command is left out. */
typedef bool shell_visit(struct shell_command *, void *data);
void shell_each_command(const struct shell_script *, shell_visit *visit, void *data);
/* The same for the parts of all words, assignments, redirections and here-documents of one command,
 * but not of the commands inside it or in its substitutions. */
typedef void shell_visit_part(const struct shell_part *, bool in_quotes, void *data);
void shell_each_part(const struct shell_command *, shell_visit_part *visit, void *data);

#endif
