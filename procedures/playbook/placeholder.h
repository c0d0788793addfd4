/* placeholder: what a document leaves for a person to fill in, and variables that nothing sets.
 *
 * Found in the shell as bash tokenises it, so that comments, globs ("[0-9]"), tests ("[ -f x ]"),
 * arrays ("${a[0]}") and redirections are none. Kinds, and where they count:
 *   "<service>"      unquoted, or in quotes unless it is an HTML tag or a pattern for sed, grep,
 *                    awk ...
 *   "[timestamp]"    unquoted; in quotes only with words that stand for values, since "[ERROR]" is
 *                    a label
 *   "YYYYMMDD", "TIMESTAMP", "vX.Y.Z", "xxxxx", "COMMIT_HASH", "your-server"   anywhere in a word
 *   "$NAME"          used without a default, and set by nothing that is run and not in the
 *                    environment
 *
 * In a here-document that cat or tee writes to a text file they are blanks in a report: seen, not
 * refused. What goes to the screen (echo and the like, in quotes; a help text) is left alone.
 */
#ifndef REHEARSE_PROCEDURES_PLACEHOLDER_H
#define REHEARSE_PROCEDURES_PLACEHOLDER_H

#include "procedures/shell/shell.h"

struct placeholder {
    int line, column;
    struct str text; /* as written; a variable with its "$" */
    bool is_variable;
    bool is_blank; /* in text that is written down, not executed */
};

struct placeholders {
    struct arena *arena;
    struct placeholder *at; /* in the order of the text; each text once per script */
    int n, cap;
    struct str *set; /* names of variables that the scripts scanned so far set */
    int n_set, cap_set;
    bool sources; /* a file is sourced or text evaluated: more variables may be set than can be seen
                   */
};

void placeholders_init(struct placeholders *, struct arena *);
void placeholders_release(struct placeholders *);
/* Adds those of a script that was parsed with `first_line`; variables are added whether set or not.
 */
void placeholders_scan(struct placeholders *, const struct shell_script *, int first_line);
/* Is that variable set by a script scanned so far, or by bash itself, or usually by a login? */
bool placeholders_is_set(const struct placeholders *, struct str name);

#endif
