/* git_objects: git's object store, in memory: blobs, trees and commits, and the pack and index
 * files that hold them.
 *
 * Written by hand after Documentation/gitformat-pack and gitformat-index: a few formats, fixed
 * since 2005, against a library of a megabyte that wants a folder of the host to write in. Real git
 * reads the result in the sandbox.
 */
#ifndef REHEARSE_FAKES_GIT_OBJECTS_H
#define REHEARSE_FAKES_GIT_OBJECTS_H

#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

struct git_id {
    unsigned char byte[20];
};

enum git_kind { GIT_COMMIT = 1, GIT_TREE = 2, GIT_BLOB = 3 };

struct git_objects;

struct git_objects *git_objects_new(void);
void git_objects_free(struct git_objects *);
/* Adds an object, once; its name. */
struct git_id git_objects_add(struct git_objects *, enum git_kind, struct str content);

/* A file of a tree or of the index: path with slashes, mode 0100644 or 0100755. */
struct git_file {
    const char *path;
    int mode;
    struct str content;
    struct git_id id; /* filled by git_objects_tree */
};
/* The tree of files sorted by path (bytes). */
struct git_id git_objects_tree(struct git_objects *, struct git_file *files, int n);

void git_hex(struct git_id, char ret[41]);
/* A pack of all objects, and its .idx. `name` gets the 40 digits both files are named by. */
void git_objects_pack(struct git_objects *, struct buf *pack, struct buf *index, char name[41]);
/* The content of .git/index for these files, as of a fresh checkout. */
void git_index(const struct git_file *files, int n, struct buf *out);

#endif
