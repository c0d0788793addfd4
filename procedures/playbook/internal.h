/* What the files of this folder share and nobody else needs. */
#ifndef REHEARSE_PROCEDURES_PLAYBOOK_INTERNAL_H
#define REHEARSE_PROCEDURES_PLAYBOOK_INTERNAL_H

#include "procedures/playbook/playbook.h"

/* The first heading behind the section of `heading`. */
int playbook_section_end(const struct playbook *, int heading);

/* A list of notes under construction; the strings live in the arena. */
struct note_list {
    struct arena *arena;
    struct procedure_note *at;
    int n, cap;
};

void note_list_release(struct note_list *);
void add_note(struct note_list *, const char *id, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Which lines of a shell block run: keep[i] is false for line i of an alternative that was not
 * taken. Notes are added for what was dropped and for steps that are only a comment. `keep` has
 * block->n_lines elements. */
void choose_lines(const struct block *, const struct procedure_options *, bool *keep,
                  struct note_list *);

/* Puts the bound values into the text; the number of lines stays as it is. */
struct str bind_text(struct arena *, struct str text, const struct procedure_options *);

/* Refuses what nobody bound: see placeholder.h. */
int refuse_unbound(struct arena *, const struct playbook *, const struct procedure *,
                   const struct procedure_options *, struct note_list *, struct error *);

#endif
