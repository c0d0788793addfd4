/* first_files: what the sandbox will hold when it starts: the system's host files, and what fakes
 * write during their setup (backups that exist already, a git repository, logs). */
#ifndef REHEARSE_PROCEDURES_DRILL_FIRST_FILES_H
#define REHEARSE_PROCEDURES_DRILL_FIRST_FILES_H

#include "procedures/drill/drill.h"
#include "sim/base/buf.h"

struct first_files {
    struct arena arena;
    struct sandbox_file *at;
    int n, cap;
};

/* Starts with the hosts' files, which look a week old. */
void first_files_init(struct first_files *, const struct drill *);
void first_files_release(struct first_files *);
/* Lays the scripts that the procedure brings along over what is there. */
void first_files_lay(struct first_files *, const struct drill *);
/* As in struct env_files; negative errno. Content is copied. */
int first_files_write(struct first_files *, const char *place, const char *path, const void *at,
                      size_t len, int mode, int64_t unix_ns);
int first_files_append(struct first_files *, const char *place, const char *path, const void *at,
                       size_t len, int64_t unix_ns);
int first_files_load(const struct first_files *, const char *place, const char *path, struct buf *);
int first_files_unlink(struct first_files *, const char *place, const char *path);
int first_files_list(const struct first_files *, const char *place, const char *path,
                     struct buf *entries);

#endif
