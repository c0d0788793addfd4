/* drill: one rehearsal as its file declares it: system, scenario, procedure, operator, targets,
 * expectation.
 *
 * A drill is loaded once and can be run many times (run.h). Everything lives in the drill's arena;
 * paths in the files are relative to the file that names them.
 */
#ifndef REHEARSE_PROCEDURES_DRILL_H
#define REHEARSE_PROCEDURES_DRILL_H

#include <regex.h>
#include <stdint.h>

#include "procedures/drill/declared.h"
#include "procedures/lint/lint.h"
#include "procedures/playbook/playbook.h"
#include "procedures/sandbox/sandbox.h"
#include "sim/base/doc.h"
#include "sim/world/model.h"

/* What happens when a step fails. Again: a person sees it and runs its block once more from the
 * top; when that fails too, it is over. */
enum on_error { ON_ERROR_CONTINUE, ON_ERROR_STOP, ON_ERROR_AGAIN };

/* A file or folder of the host's disk that becomes part of the sandbox's first content. */
struct drill_file {
    const char *place;
    const char *path; /* absolute, in the sandbox */
    struct str content;
    int mode;
    bool is_dir;
};

struct drill_claim {
    const char *pattern;
    regex_t regex;
};

struct drill {
    struct arena arena;
    const char *path;        /* of the drill file, as the user named it */
    const char *name;        /* SYSTEM/FILE, e.g. "shop/database" */
    const char *title;       /* one line for people */
    const char *system_path; /* of the system file */
    const char *system_name;
    struct doc *system_doc, *drill_doc;
    struct model model; /* what the simulated world is made from */

    int64_t start_unix_ns; /* the simulation's time 0 */
    const char *hostname, *cwd;
    char **envp; /* NULL-terminated */
    struct drill_file *files;
    int n_files, cap_files;
    int n_host_files; /* the first so many are the hosts'; the rest belongs to the procedure, and is
                         laid over them */
    const char **programs; /* real programs beyond the standard ones; NULL-terminated */

    const char *playbook_path;
    struct playbook playbook;
    struct lint_result lint; /* of the whole playbook: findings of the run point to its rules */
    struct procedure procedure;
    const char *section;
    enum on_error on_error;
    const char *sql_command;    /* that takes SQL blocks on its stdin, or NULL */
    int64_t watch_until_ns;     /* monitors run until the system has been stable for this long */
    struct drill_claim *claims; /* a line of output that matches one claims success */
    int n_claims;
    struct declared declared;
    struct doc *expect; /* read by `rehearse check`; NULL if absent */
    struct sandbox_limits limits;
    struct provenance *provenance;
    int n_provenance, cap_provenance;
};

struct drill_options {
    const char *playbook; /* another document in the place of the drill's own, or NULL */
    const char *section;  /* another section, or NULL */
};

/* Reads and checks everything; nothing runs. On failure *ret is NULL and `error` says file, line
 * and what to do. */
int drill_load(const char *path, const struct drill_options *, struct drill **ret, struct error *);
void drill_free(struct drill *);

#endif
