/* files: reading and writing below a root folder from outside, so that no link leads out of it.
 *
 * Every path is resolved by the kernel inside `root_fd` (openat2 with RESOLVE_IN_ROOT): an absolute
 * link, or any number of "..", ends at that root. Missing parents are made. Nothing here allocates,
 * except files_load and files_list: the sandbox fills its root with these functions between fork
 * and exec. All return 0 or negative errno.
 */
#ifndef REHEARSE_PROCEDURES_FILES_H
#define REHEARSE_PROCEDURES_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "sim/base/buf.h"

#define FILES_KEEP_MTIME INT64_MIN

int files_write(int root_fd, const char *path, const void *at, size_t len, int mode,
                int64_t mtime_unix_ns);
int files_append(int root_fd, const char *path, const void *at, size_t len, int64_t mtime_unix_ns);
int files_load(int root_fd, const char *path, struct buf *);
int files_unlink(int root_fd, const char *path, int64_t mtime_unix_ns);
/* A folder's entries as struct env_files says them. */
int files_list(int root_fd, const char *path, struct buf *entries);
int files_make_folder(int root_fd, const char *path, int mode, int64_t mtime_unix_ns);
int files_make_link(int root_fd, const char *path, const char *to, int64_t mtime_unix_ns);
/* An open descriptor, with openat2's RESOLVE_IN_ROOT. */
int files_open(int root_fd, const char *path, int flags, int mode);
struct open_how;
/* openat2, tried again as long as it says so. */
int files_resolve(int from_fd, const char *path, struct open_how *how);
int files_set_mtime(int fd, int64_t mtime_unix_ns);

#endif
