/* What word.c (characters to words) and parse.c (words to commands) share. */
#ifndef REHEARSE_PROCEDURES_SHELL_INTERNAL_H
#define REHEARSE_PROCEDURES_SHELL_INTERNAL_H

#include "procedures/shell/shell.h"

enum { SHELL_DEPTH_MAX = 100, SHELL_MISTAKES_MAX = 50 };

struct shell_parser {
    struct arena *arena;
    struct str text;
    size_t pos,
        end; /* `end`: of what is parsed just now; smaller than text.len inside backquotes */
    size_t *line_starts;
    int n_lines, first_line;
    int depth;   /* of compound commands and substitutions */
    int quotes;  /* double quotes around what is read, in which a single quote is an ordinary
                    character */
    bool failed; /* a mistake was noted: unwind to the next line of the outermost list */
    struct shell_redirect *pending[16]; /* here-documents whose bodies begin on the next line */
    int n_pending;
    struct shell_comment *comments;
    int n_comments, cap_comments;
    struct shell_mistake *mistakes;
    int n_mistakes, cap_mistakes;
};

static inline char shell_peek(const struct shell_parser *parser, size_t ahead)
{
    return parser->pos + ahead < parser->end ? parser->text.at[parser->pos + ahead] : '\0';
}

int shell_line(const struct shell_parser *, size_t offset);
int shell_column(const struct shell_parser *, size_t offset);
void shell_fail(struct shell_parser *, size_t offset, const char *text);

/* Blanks, continued lines and a comment; never a newline. */
void shell_skip_blanks(struct shell_parser *);
/* At a newline: steps over it and takes the here-documents that begin there. */
void shell_newline(struct shell_parser *);
/* Newlines, blanks and comments. */
void shell_skip_lines(struct shell_parser *);

/* The word that begins here, or NULL at an operator, a newline or the end. */
struct shell_word *shell_word(struct shell_parser *);
/* The right side of =~, in which ( ) | are ordinary. */
struct shell_word *shell_regex(struct shell_parser *);
/* Parts of text that is expanded but not quoted away, up to `end`: here-documents and arithmetic.
 */
struct shell_part *shell_expansions(struct shell_parser *, size_t end);
/* Commands up to a ")" (not taken), as the inside of a substitution that begins here. */
struct shell_script *shell_substitution(struct shell_parser *);

/* ---- parse.c: the grammar ---- */
void shell_fail_here(struct shell_parser *, const char *expected); /* "expected ..., found ..." */
bool shell_at(const struct shell_parser *, const char *operator);
bool shell_at_word(const struct shell_parser *, const char *word); /* exactly this one, unquoted */
bool shell_take_word(struct shell_parser *, const char *word);     /* behind blanks and newlines */
void shell_need_word(struct shell_parser *, const char *word);
struct shell_command *shell_new_command(struct shell_parser *, enum shell_kind);
void shell_add_child(struct shell_command *parent, struct shell_command *child, enum shell_role);
void shell_set_words(struct shell_parser *, struct shell_command *, struct shell_word *first);
/* Commands up to one of the words (or ")", ";;"), which is not taken; NULL: to the end. */
struct shell_command *shell_list(struct shell_parser *, const char *const *stops);
struct shell_command *shell_command(struct shell_parser *);
/* ---- compound.c ---- */
struct shell_command *
shell_compound(struct shell_parser *); /* NULL: a simple command begins here */

#endif
