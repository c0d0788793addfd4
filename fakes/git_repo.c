#include "fakes/git_repo.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fakes/fake.h"
#include "fakes/git_objects.h"
#include "sim/base/xalloc.h"

enum { FILE_MAX = 16 << 20, FILES_MAX = 5000 };

struct release {
    const char *tag;
    struct git_file *files; /* sorted by path */
    int n_files;
    char commit[41];
    struct str index; /* .git/index */
};

/* Where the branch of a working copy stands after a step (0: before the procedure). */
struct tip {
    const char *commit;
    int step;
};

struct repository {
    const char *folder, *origin, *branch;
    struct release *releases;
    int n_releases;
    int checked_out;
    bool protected;
    struct tip *tips; /* where the branch was, in the course of the procedure */
    int n_tips, cap_tips;
    struct repository *next;
};

/* ---- reading folders of the host ---- */

static void put_file(struct release *release, const char *path, int mode, struct str content)
{
    int at = 0;
    while (at < release->n_files && strcmp(release->files[at].path, path) < 0)
        at++;
    if (at == release->n_files || strcmp(release->files[at].path, path) != 0) {
        memmove(release->files + at + 1, release->files + at,
                (size_t)(release->n_files - at) * sizeof *release->files);
        release->n_files++;
    }
    release->files[at] = (struct git_file){.path = path, .mode = mode, .content = content};
}

/* Links are followed: two releases may share what they have in common. */
static int read_folder(struct env *env, struct release *release, const char *host,
                       const char *prefix, const struct doc *node, struct error *error)
{
    struct dirent **list;
    int n = scandir(host, &list, NULL, NULL), code = 0;
    if (n < 0)
        return doc_error(node, error, "cannot read the folder '%s': %s", host, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        struct stat st;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || code)
            continue;
        const char *path = arena_printf(&env->arena, "%s/%s", host, name);
        const char *inside = arena_printf(&env->arena, "%s%s", prefix, name);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            code = read_folder(env, release, path, arena_printf(&env->arena, "%s/", inside), node,
                               error);
        } else if (S_ISREG(st.st_mode) && release->n_files < FILES_MAX) {
            struct buf content;
            buf_init(&content, FILE_MAX);
            if (buf_read_file(&content, path) < 0 || content.truncated)
                code =
                    doc_error(node, error, "cannot read '%s', or it is larger than 16 MiB", path);
            else
                put_file(release, inside, st.st_mode & 0111 ? 0100755 : 0100644,
                         (struct str){arena_str(&env->arena, buf_text(&content)), content.len});
            buf_release(&content);
        } else {
            code = doc_error(node, error,
                             "'%s' is neither a file nor a folder, or there are more than %d", path,
                             FILES_MAX);
        }
    }
    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
    return code;
}

/* ---- making objects and files ---- */

static void write_text(struct env *env, const char *folder, const char *name, const char *text,
                       int mode)
{
    env_write_old(env, "", arena_printf(&env->arena, "%s/%s", folder, name), str_of(text), mode,
                  env->start_unix_ns - DAY);
}

static void write_bytes(struct env *env, const char *folder, const char *name, struct str bytes)
{
    env_write_old(env, "", arena_printf(&env->arena, "%s/%s", folder, name), bytes, 0444,
                  env->start_unix_ns - DAY);
}

/* One commit a release, a week apart, the last one a day before the run. */
static void add_commit(struct env *env, struct git_objects *objects, struct repository *repository,
                       int i)
{
    struct release *release = &repository->releases[i];
    char tree[41];
    git_hex(git_objects_tree(objects, release->files, release->n_files), tree);
    int64_t age_ns = DAY + (repository->n_releases - 1 - i) * 7 * DAY;
    long long at = (long long)((env->start_unix_ns - age_ns) / SECOND);
    const char *parent =
        i ? arena_printf(&env->arena, "parent %s\n", repository->releases[i - 1].commit) : "";
    const char *who = "Release Engineering <release@localhost>";
    const char *text = arena_printf(
        &env->arena, "tree %s\n%sauthor %s %lld +0000\ncommitter %s %lld +0000\n\nRelease %s\n",
        tree, parent, who, at, who, at, release->tag);
    git_hex(git_objects_add(objects, GIT_COMMIT, str_of(text)), release->commit);
    struct buf index;
    buf_init(&index, FILE_MAX);
    git_index(release->files, release->n_files, &index);
    char *copy = arena_alloc(&env->arena, index.len + 1);
    memcpy(copy, index.at, index.len);
    release->index = (struct str){copy, index.len};
    buf_release(&index);
}

/* Refs of a clone or of its origin. */
static const char *packed_refs(struct env *env, const struct repository *repository, bool bare)
{
    const char *newest = repository->releases[repository->n_releases - 1].commit;
    const char *text = "# pack-refs with: peeled fully-peeled sorted \n";
    text = arena_printf(&env->arena, "%s%s refs/heads/%s\n", text, newest, repository->branch);
    if (!bare)
        text = arena_printf(&env->arena, "%s%s refs/remotes/origin/%s\n", text, newest,
                            repository->branch);
    const struct release **sorted =
        ARENA_ARRAY(&env->arena, const struct release *, repository->n_releases);
    for (int i = 0; i < repository->n_releases; i++) {
        int at = i;
        for (; at > 0 && strcmp(sorted[at - 1]->tag, repository->releases[i].tag) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &repository->releases[i];
    }
    for (int i = 0; i < repository->n_releases; i++)
        text = arena_printf(&env->arena, "%s%s refs/tags/%s\n", text, sorted[i]->commit,
                            sorted[i]->tag);
    return text;
}

static const char update_hook[] =
    "#!/bin/sh\n"
    "# Refuses forced pushes to the protected branch, and its removal.\n"
    "branch=$(cat \"$GIT_DIR/protected\")\n"
    "[ \"$1\" = \"refs/heads/$branch\" ] || exit 0\n"
    "case $3 in *[!0]*) ;; *) echo \"GL-HOOK-ERR: $branch is protected: it cannot be deleted\" "
    ">&2; exit 1 ;; esac\n"
    "case $2 in *[!0]*) ;; *) exit 0 ;; esac\n"
    "if [ \"$(git merge-base \"$2\" \"$3\")\" != \"$2\" ]; then\n"
    "    echo \"Protected branch: you are not allowed to force push to $branch\" >&2\n"
    "    exit 1\n"
    "fi\n";

static void write_store(struct env *env, const struct repository *repository, const char *folder,
                        bool bare, struct str pack, struct str index, const char *name)
{
    const struct release *out = &repository->releases[repository->checked_out];
    struct arena *arena = &env->arena;
    write_bytes(env, folder, arena_printf(arena, "objects/pack/pack-%s.pack", name), pack);
    write_bytes(env, folder, arena_printf(arena, "objects/pack/pack-%s.idx", name), index);
    write_text(env, folder, "packed-refs", packed_refs(env, repository, bare), 0644);
    write_text(env, folder, "refs/heads/.keep", "", 0644);
    write_text(env, folder, "refs/tags/.keep", "", 0644);
    write_text(env, folder, "HEAD",
               bare ? arena_printf(arena, "ref: refs/heads/%s\n", repository->branch)
                    : arena_printf(arena, "%s\n", out->commit),
               0644);
    write_text(
        env, folder, "config",
        bare ? "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
             : arena_printf(
                   arena,
                   "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = "
                   "false\n\tlogallrefupdates = true\n[remote \"origin\"]\n\turl = %s\n\tfetch = "
                   "+refs/heads/*:refs/remotes/origin/*\n[branch \"%s\"]\n\tremote = origin\n\t"
                   "merge = refs/heads/%s\n[user]\n\tname = Operator\n\temail = "
                   "operator@localhost\n[advice]\n\tdetachedHead = true\n",
                   repository->origin, repository->branch, repository->branch),
        0644);
    if (bare && repository->protected) {
        write_text(env, folder, "hooks/update", update_hook, 0755);
        write_text(env, folder, "protected", repository->branch, 0644);
    }
}

static void write_checkout(struct env *env, const struct repository *repository,
                           const struct release *release)
{
    for (int i = 0; i < release->n_files; i++) {
        const struct git_file *file = &release->files[i];
        env_write_old(env, "", arena_printf(&env->arena, "%s/%s", repository->folder, file->path),
                      file->content, file->mode & 0777, env->start_unix_ns - DAY);
    }
    write_bytes(env, repository->folder, ".git/index", release->index);
}

static void make_repository(struct env *env, struct repository *repository)
{
    struct git_objects *objects = git_objects_new();
    struct buf pack, index;
    char name[41];
    buf_init(&pack, FILE_MAX * 4);
    buf_init(&index, FILE_MAX);
    for (int i = 0; i < repository->n_releases; i++)
        add_commit(env, objects, repository, i);
    git_objects_pack(objects, &pack, &index, name);
    write_store(env, repository, repository->origin, true, buf_text(&pack), buf_text(&index), name);
    write_store(env, repository, arena_printf(&env->arena, "%s/.git", repository->folder), false,
                buf_text(&pack), buf_text(&index), name);
    write_checkout(env, repository, &repository->releases[repository->checked_out]);
    buf_release(&pack);
    buf_release(&index);
    git_objects_free(objects);
}

/* ---- the system file ---- */

static int find_release(const struct repository *repository, const char *tag)
{
    for (int i = 0; i < repository->n_releases; i++) {
        if (strcmp(repository->releases[i].tag, tag) == 0)
            return i;
    }
    return -1;
}

/* What runs at the start is checked out, if a release of that name exists; else the newest. */
static int running_release(struct env *env, const struct repository *repository)
{
    for (int i = 0; i < world_services(env->world); i++) {
        int found =
            find_release(repository, service_initial_version(world_service_at(env->world, i)));
        if (found >= 0)
            return found;
    }
    return repository->n_releases - 1;
}

static int read_releases(struct env *env, struct repository *repository, const struct doc *tags,
                         struct error *error)
{
    repository->releases = ARENA_ARRAY(&env->arena, struct release, tags->n + 1);
    for (const struct doc *node = tags->first; node; node = node->next) {
        struct release *release = &repository->releases[repository->n_releases++];
        const char *folder;
        if (doc_text(node, &folder, error))
            return ERROR_INPUT;
        release->tag = arena_strdup(&env->arena, node->key);
        release->files = ARENA_ARRAY(&env->arena, struct git_file, FILES_MAX + 1);
        if (release != repository->releases) {
            release->n_files = release[-1].n_files;
            memcpy(release->files, release[-1].files,
                   (size_t)release->n_files * sizeof *release->files);
        }
        const char *slash = strrchr(
            node->file, '/'); /* a drill that supposes otherwise names a folder beside itself */
        const char *beside =
            arena_printf(&env->arena, "%.*s/%s", slash ? (int)(slash - node->file) : 1,
                         slash ? node->file : ".", folder);
        if (read_folder(env, release, beside, "", node, error))
            return ERROR_INPUT;
    }
    return 0;
}

static int read_repository(struct env *env, const struct doc *node, struct repository *ret,
                           struct error *error)
{
    static const char *const keys[] = {"origin", "tags", "branch", "checkout", "protected", NULL};
    struct doc *tags;
    const char *checkout = NULL;
    if (node->key[0] != '/')
        return doc_error(node, error, "'%s' is no absolute path of a working copy", node->key);
    const char *slash = strrchr(node->key, '/');
    ret->folder = arena_strdup(&env->arena, node->key);
    ret->origin = arena_printf(&env->arena, "/srv/git%s.git", slash);
    ret->branch = "main";
    if (doc_want(node, DOC_MAPPING, error) || doc_only(node, keys, error) ||
        doc_need(node, "tags", &tags, error) || doc_want(tags, DOC_MAPPING, error) ||
        doc_text(doc_get(node, "origin"), &ret->origin, error) ||
        doc_text(doc_get(node, "branch"), &ret->branch, error) ||
        doc_text(doc_get(node, "checkout"), &checkout, error) ||
        doc_bool(doc_get(node, "protected"), &ret->protected, error))
        return ERROR_INPUT;
    if (tags->n == 0)
        return doc_error(tags, error, "a repository needs at least one tag: 'v1: folder'");
    if (read_releases(env, ret, tags, error))
        return ERROR_INPUT;
    ret->checked_out = checkout ? find_release(ret, checkout) : running_release(env, ret);
    if (ret->checked_out < 0)
        return doc_error(doc_get(node, "checkout"), error, "no tag '%s' in this repository",
                         checkout);
    make_repository(env, ret);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    struct repository *first = NULL, **last = &first;
    for (const struct doc *node = config ? config->first : NULL; node; node = node->next) {
        struct repository *repository = ARENA_NEW(&env->arena, struct repository);
        if (read_repository(env, node, repository, error))
            return ERROR_INPUT;
        *last = repository;
        last = &repository->next;
        *env_slot(env, "git") = first;
    }
    return 0;
}

void git_repo_deployed(struct env *env, const char *tag)
{
    for (struct repository *at = *env_slot(env, "git"); at; at = at->next) {
        int found = find_release(at, tag);
        if (found < 0 || found == at->checked_out)
            continue;
        const struct release *before = &at->releases[at->checked_out], *now = &at->releases[found];
        for (int i = 0; i < before->n_files; i++) {
            bool stays = false;
            for (int k = 0; k < now->n_files && !stays; k++)
                stays = strcmp(before->files[i].path, now->files[k].path) == 0;
            if (!stays)
                env_unlink(env, "",
                           arena_printf(&env->arena, "%s/%s", at->folder, before->files[i].path));
        }
        for (int i = 0; i < now->n_files; i++)
            env_write(env, "", arena_printf(&env->arena, "%s/%s", at->folder, now->files[i].path),
                      now->files[i].content, now->files[i].mode & 0777);
        env_write(env, "", arena_printf(&env->arena, "%s/.git/index", at->folder), now->index,
                  0644);
        env_write(env, "", arena_printf(&env->arena, "%s/.git/HEAD", at->folder),
                  str_of(arena_printf(&env->arena, "%s\n", now->commit)), 0644);
        at->checked_out = found;
    }
}

/* ---- a branch that goes back and comes again ---- */

static bool load_text(struct env *env, const char *path, struct buf *ret)
{
    buf_clear(ret);
    return env_load(env, "", path, ret) >= 0;
}

/* The commit that the branch names, "" if there is no such branch. */
static const char *read_tip(struct env *env, struct arena *arena,
                            const struct repository *repository)
{
    const char *ref = arena_printf(arena, "refs/heads/%s", repository->branch), *commit = "";
    struct buf text;
    buf_init(&text, FILE_MAX);
    if (load_text(env, arena_printf(arena, "%s/.git/%s", repository->folder, ref), &text)) {
        commit = arena_str(arena, str_trim(buf_text(&text)));
    } else if (load_text(env, arena_printf(arena, "%s/.git/packed-refs", repository->folder),
                         &text)) {
        for (struct str rest = buf_text(&text); rest.len;) {
            struct str name = str_cut(&rest, '\n'), id = str_cut(&name, ' ');
            if (str_is(name, ref))
                commit = arena_str(arena, id);
        }
    }
    buf_release(&text);
    return commit;
}

/* "git reset --hard v1; git pull": the second step takes back what the first one did. */
static void look(struct env *env, struct repository *repository)
{
    struct record *record = env->record;
    struct arena arena = {0};
    const char *commit = read_tip(env, &arena, repository);
    int last = repository->n_tips - 1;
    bool moved = *commit && (last < 0 || strcmp(repository->tips[last].commit, commit) != 0);
    for (int i = 0; moved && i < last; i++) {
        if (strcmp(repository->tips[i].commit, commit) != 0)
            continue;
        const struct step *left = &record->steps[repository->tips[i + 1].step - 1];
        record_observe(record, "no_op",
                       arena_printf(&arena, "%s is %s", repository->branch, commit),
                       "branch %s of %s is where it was before line %d ('%.*s') took it back",
                       repository->branch, repository->folder, left->line,
                       (int)strcspn(left->command, "\n"), left->command);
    }
    if (moved) {
        XGROW(repository->tips, repository->n_tips, repository->cap_tips);
        repository->tips[repository->n_tips++] =
            (struct tip){arena_strdup(&env->arena, commit), record->current_step};
    }
    arena_release(&arena);
}

void git_repo_look(struct env *env)
{
    for (struct repository *at = *env_slot(env, "git"); at; at = at->next)
        look(env, at);
}

static void release(struct env *env)
{
    for (struct repository *at = *env_slot(env, "git"); at; at = at->next)
        free(at->tips);
    *env_slot(env, "git") = NULL;
}

/* ---- which release a folder holds ---- */

static const char *load_line(struct call *call, const char *path)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    int code = call_load(call, path, &text);
    const char *line = code < 0 ? NULL : arena_str(call->arena, str_trim(buf_text(&text)));
    buf_release(&text);
    return line;
}

const char *git_repo_version(struct call *call, const char *folder)
{
    const char *version = load_line(call, arena_printf(call->arena, "%s/VERSION", folder));
    if (version)
        return version;
    const char *head = load_line(call, arena_printf(call->arena, "%s/.git/HEAD", folder));
    const char *refs = load_line(call, arena_printf(call->arena, "%s/.git/packed-refs", folder));
    if (head && strncmp(head, "ref: ", 5) == 0) {
        const char *commit =
            load_line(call, arena_printf(call->arena, "%s/.git/%s", folder, head + 5));
        struct str rest = str_of(refs);
        while (!commit && rest.len > 0) {
            struct str line = str_cut(&rest, '\n');
            struct str id = str_cut(&line, ' ');
            if (str_is(line, head + 5))
                commit = arena_str(call->arena, id);
        }
        head = commit;
    }
    struct str rest = str_of(refs);
    while (head && rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        struct str id = str_cut(&line, ' ');
        if (str_is(id, head) && str_starts(line, "refs/tags/"))
            return arena_str(call->arena, (struct str){line.at + 10, line.len - 10});
    }
    return NULL;
}

static int run(struct call *call)
{
    (void)call; /* git itself is real: no command leads here */
    return 127;
}

static const char *const commands[] = {NULL};

const struct fake fake_git = {
    .name = "git",
    .commands = commands,
    .setup = setup,
    .run = run,
    .release = release,
};
