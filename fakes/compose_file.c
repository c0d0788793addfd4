/* The Compose file: found, read, merged with its overrides, variables replaced. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "fakes/compose.h"

enum { FILE_MAX = 4 << 20, VARIABLES_MAX = 512, UNSET_MAX = 64 };

struct reader {
    struct arena *arena;
    const struct compose_source *source;
    const struct compose_request *request;
    struct compose_project *project;
    const char **dotenv; /* NAME=value of the .env file */
    const char **unset;
    int n_unset;
    const char *error;
};

const char *compose_path(struct arena *arena, const char *folder, const char *path)
{
    if (path[0] == '/')
        return path;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    if (strcmp(path, ".") == 0 || path[0] == '\0')
        return folder;
    while (strncmp(path, "../", 3) == 0) {
        const char *slash = strrchr(folder, '/');
        folder = slash && slash != folder
                     ? arena_str(arena, (struct str){folder, (size_t)(slash - folder)})
                     : "/";
        path += 3;
    }
    return arena_printf(arena, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", path);
}

/* ---- each file is read once ---- */

struct cached_file {
    const char *path;
    int code;
    struct str content;
    struct cached_file *next;
};
struct cache {
    const struct compose_source *source;
    struct arena *arena;
    struct cached_file *files;
};

static int load_once(void *ctx, const char *path, struct buf *buf)
{
    struct cache *cache = ctx;
    struct cached_file *file = cache->files;
    while (file && strcmp(file->path, path) != 0)
        file = file->next;
    if (!file) {
        struct buf content;
        buf_init(&content, FILE_MAX);
        file = ARENA_NEW(cache->arena, struct cached_file);
        file->path = arena_strdup(cache->arena, path);
        file->code = cache->source->load(cache->source->ctx, path, &content);
        file->content = (struct str){arena_str(cache->arena, buf_text(&content)), content.len};
        file->next = cache->files;
        cache->files = file;
        buf_release(&content);
    }
    buf_str(buf, file->content);
    return file->code;
}

static const char *pass_on(void *ctx, const char *name)
{
    const struct cache *cache = ctx;
    return cache->source->variable(cache->source->ctx, name);
}

/* ---- variables ---- */

int compose_env_file(struct arena *arena, const struct compose_source *source, const char *path,
                     const char **words, int cap)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    int code = source->load(source->ctx, path, &text);
    int n = 0;
    while (words[n])
        n++;
    struct str rest = buf_text(&text);
    while (code == 0 && rest.len > 0 && n + 1 < cap) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (str_starts(line, "export "))
            line = str_trim((struct str){line.at + 7, line.len - 7});
        if (line.len == 0 || line.at[0] == '#' || !memchr(line.at, '=', line.len))
            continue;
        struct str name = str_trim(str_cut(&line, '='));
        line = str_trim(line);
        if (line.len >= 2 && (line.at[0] == '"' || line.at[0] == '\'') &&
            line.at[line.len - 1] == line.at[0]) {
            line.at++;
            line.len -= 2;
        } else {
            ptrdiff_t comment = str_find(line, STR(" #"));
            if (comment >= 0)
                line = str_trim((struct str){line.at, (size_t)comment});
        }
        words[n++] = arena_printf(arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(line));
    }
    buf_release(&text);
    return code;
}

static const char *variable(void *ctx, const char *name)
{
    struct reader *reader = ctx;
    const char *value = reader->source->variable(reader->source->ctx, name);
    size_t len = strlen(name);
    for (const char **word = reader->dotenv; !value && *word; word++) {
        if (strncmp(*word, name, len) == 0 && (*word)[len] == '=')
            value = *word + len + 1;
    }
    return value;
}

static void note_unset(struct reader *reader, const char *name)
{
    for (int i = 0; i < reader->n_unset; i++) {
        if (strcmp(reader->unset[i], name) == 0)
            return;
    }
    if (reader->n_unset < UNSET_MAX)
        reader->unset[reader->n_unset++] = name;
}

/* Where a node stands, for messages: section, name in it, and the option. */
struct place {
    const char *section, *name, *option;
    const char *pointer; /* services.web.image */
};

static struct place place_of(struct arena *arena, const struct doc *node)
{
    struct place place = {"service", "", "", ""};
    for (const struct doc *at = node; at && at->parent; at = at->parent) {
        const char *key = at->key ? at->key : arena_printf(arena, "%d", at->index);
        place.pointer = place.pointer[0] ? arena_printf(arena, "%s.%s", key, place.pointer) : key;
        if (!at->parent->parent) {
            size_t len = strlen(key);
            place.section =
                len > 1 && key[len - 1] == 's' ? arena_str(arena, (struct str){key, len - 1}) : key;
        } else if (!at->parent->parent->parent) {
            place.name = key;
        } else if (!at->parent->parent->parent->parent) {
            place.option = key;
        }
    }
    return place;
}

static int expand_node(struct reader *reader, struct doc *node)
{
    for (struct doc *child = node->first; child; child = child->next) {
        if (expand_node(reader, child))
            return 1;
    }
    if (node->kind != DOC_SCALAR || !strchr(node->text, '$'))
        return 0;
    const char *unset = NULL, *why = NULL, *text = node->text;
    int code = compose_expand(reader->arena, node->text, variable, reader, &text, &unset, &why);
    if (unset)
        note_unset(reader, unset);
    if (code == 0) {
        node->text = text;
        return 0;
    }
    struct place place = place_of(reader->arena, node);
    struct str message = str_of(why);
    struct str name = str_cut(&message, '\n');
    if (code == 2 && reader->request->edition == COMPOSE_V1)
        reader->error = arena_printf(reader->arena,
                                     "Missing mandatory value for \"%s\" option in %s \"%s\": %.*s",
                                     place.option, place.section, place.name, STR_ARG(message));
    else if (code == 2)
        reader->error =
            arena_printf(reader->arena,
                         "error while interpolating %s: required variable %.*s is missing "
                         "a value: %.*s",
                         place.pointer, STR_ARG(name), STR_ARG(message));
    else if (reader->request->edition == COMPOSE_V1)
        reader->error = arena_printf(
            reader->arena, "Invalid interpolation format for \"%s\" option in %s \"%s\": \"%s\"",
            place.option, place.section, place.name, node->text);
    else
        reader->error =
            arena_printf(reader->arena,
                         "invalid interpolation format for %s.\nYou may need to escape any "
                         "$ with another $.\n%s",
                         place.pointer, node->text);
    return 1;
}

/* ---- files ---- */

static int read_one(struct reader *reader, const char *name, const char *path, struct doc **ret)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    int code = reader->source->load(reader->source->ctx, path, &text);
    struct error error = {{0}};
    if (code < 0 && reader->request->edition == COMPOSE_V1)
        reader->error = arena_printf(reader->arena,
                                     ".FileNotFoundError: [Errno 2] No such file or "
                                     "directory: '%s'",
                                     name);
    else if (code < 0)
        reader->error = arena_printf(reader->arena, "open %s: no such file or directory", path);
    else if (doc_read_text(reader->arena, name, str_of(arena_str(reader->arena, buf_text(&text))),
                           ret, &error))
        reader->error =
            reader->request->edition == COMPOSE_V1
                ? arena_printf(reader->arena, "yaml.scanner.ScannerError: %s", error.text)
                : arena_printf(reader->arena, "yaml: %s", error.text);
    buf_release(&text);
    return reader->error ? 1 : 0;
}

static bool file_there(struct reader *reader, const char *path)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    int code = reader->source->load(reader->source->ctx, path, &text);
    buf_release(&text);
    return code == 0;
}

/* The names that are tried, best first: v2 prefers its own new one. */
static const char *const *default_names(enum compose_edition edition)
{
    static const char *const v1[] = {"docker-compose.yml", "docker-compose.yaml", "compose.yml",
                                     "compose.yaml", NULL};
    static const char *const v2[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                     "docker-compose.yaml", NULL};
    return edition == COMPOSE_V1 ? v1 : v2;
}

static const char *override_of(struct arena *arena, const char *file)
{
    const char *dot = strrchr(file, '.');
    return arena_printf(arena, "%.*s.override%s", (int)(dot - file), file, dot);
}

/* Looks in the folder and above it. Fills `files` (NULL-terminated); false: none. */
static bool find_files(struct reader *reader, const char **folder, const char **files)
{
    const char *at = *folder;
    for (;;) {
        for (const char *const *name = default_names(reader->request->edition); *name; name++) {
            const char *path = compose_path(reader->arena, at, *name);
            if (!file_there(reader, path))
                continue;
            *folder = at;
            files[0] = *name;
            const char *override = override_of(reader->arena, *name);
            if (file_there(reader, compose_path(reader->arena, at, override)))
                files[1] = override;
            return true;
        }
        const char *slash = strrchr(at, '/');
        if (!slash || strcmp(at, "/") == 0)
            return false;
        at = slash == at ? "/" : arena_str(reader->arena, (struct str){at, (size_t)(slash - at)});
    }
}

static const char *no_file(const struct reader *reader)
{
    if (reader->request->edition == COMPOSE_V2)
        return "no configuration file provided: not found";
    return "\n        Can't find a suitable configuration file in this directory or any\n"
           "        parent. Are you in the right directory?\n\n"
           "        Supported filenames: docker-compose.yml, docker-compose.yaml, compose.yml, "
           "compose.yaml\n        ";
}

/* A project's name: of the folder, in lower case, without what is no letter, digit, - or _. */
static const char *project_name(struct reader *reader, const char *folder)
{
    const char *given = reader->request->project;
    if (!given || !given[0])
        given = variable(reader, "COMPOSE_PROJECT_NAME");
    const struct doc *name = doc_get(reader->project->doc, "name");
    if ((!given || !given[0]) && reader->request->edition == COMPOSE_V2 && name && name->text)
        given = name->text;
    if (!given || !given[0]) {
        const char *slash = strrchr(folder, '/');
        given = slash ? slash + 1 : folder;
    }
    char *clean = arena_alloc(reader->arena, strlen(given) + 1);
    size_t n = 0;
    for (const char *p = given; *p; p++) {
        char c = (char)tolower((unsigned char)*p);
        if (isalnum((unsigned char)c) || c == '-' || c == '_')
            clean[n++] = c;
    }
    return n ? clean : "default";
}

/* Another file that one of the project's names. */
static const char *read_part(void *ctx, const char *path, struct doc **ret)
{
    struct reader *reader = ctx;
    if (read_one(reader, path, path, ret))
        return reader->error;
    compose_merge_keys(reader->arena, *ret);
    return NULL;
}

static int read_files(struct reader *reader, const char *folder, const char *const *files)
{
    struct compose_project *project = reader->project;
    const struct compose_parts parts = {reader->arena, reader->request->edition, reader, read_part};
    struct doc *root = NULL;
    const char *all = "";
    for (int i = 0; files[i]; i++) {
        struct doc *one = NULL;
        const char *path = compose_path(reader->arena, folder, files[i]);
        const char *shown = files[i][0] == '/' || files[i][0] == '.'
                                ? files[i]
                                : arena_printf(reader->arena, "./%s", files[i]);
        if (read_one(reader, shown, path, &one))
            return 1;
        if (!project->file)
            project->file = shown;
        all = arena_printf(reader->arena, "%s%s%s", all, all[0] ? "," : "", path);
        if (one->kind != DOC_MAPPING) {
            reader->error =
                arena_printf(reader->arena,
                             reader->request->edition == COMPOSE_V1
                                 ? "Top level object in '%s' needs to be an object not '%s'."
                                 : "%s: top-level object must be a mapping%.0s",
                             shown, "<class 'str'>");
            return 1;
        }
        compose_merge_keys(reader->arena, one);
        reader->error = compose_extend(&parts, one, path);
        if (!reader->error)
            reader->error = compose_include(&parts, one, path, 0);
        if (reader->error)
            return 1;
        if (root)
            compose_merge(reader->arena, root, one);
        else
            root = one;
    }
    project->doc = root;
    project->config_files = all;
    return expand_node(reader, root);
}

static const char *const *active_profiles(struct arena *arena,
                                          const struct compose_request *request, const char *listed)
{
    const char **active = ARENA_ARRAY(arena, const char *, UNSET_MAX + 1);
    int n = 0;
    for (int i = 0; request->profiles && request->profiles[i] && n < UNSET_MAX; i++)
        active[n++] = request->profiles[i];
    struct str rest = str_of(listed);
    while (n == 0 && rest.len > 0) { /* --profile takes its place */
        for (; rest.len > 0 && n < UNSET_MAX; n++)
            active[n] = arena_str(arena, str_trim(str_cut(&rest, ',')));
    }
    return active;
}

int compose_load(struct arena *arena, const struct compose_source *uncached,
                 const struct compose_request *request, struct compose_project *ret,
                 const char **error)
{
    *ret = (struct compose_project){.edition = request->edition, .arena = arena};
    struct cache cache = {.source = uncached, .arena = arena};
    const struct compose_source once = {&cache, load_once, pass_on}, *source = &once;
    struct reader reader = {
        .arena = arena,
        .source = source,
        .request = request,
        .project = ret,
        .dotenv = ARENA_ARRAY(arena, const char *, VARIABLES_MAX + 1),
        .unset = ARENA_ARRAY(arena, const char *, UNSET_MAX + 1),
    };
    ret->unset = reader.unset;
    ret->profiles =
        active_profiles(arena, request, source->variable(source->ctx, "COMPOSE_PROFILES"));
    const char *found[UNSET_MAX + 1] = {NULL};
    const char *folder = request->folder;
    int n = 0;
    for (; request->files && request->files[n] && n < UNSET_MAX; n++)
        found[n] = request->files[n];
    const char *listed = source->variable(source->ctx, "COMPOSE_FILE");
    struct str rest = str_of(listed);
    while (n == 0 && rest.len > 0) {
        for (; rest.len > 0 && n < UNSET_MAX; n++)
            found[n] = arena_str(arena, str_cut(&rest, ':'));
    }
    if (n == 0 && !find_files(&reader, &folder, found)) {
        *error = no_file(&reader);
        return 1;
    }
    const char *first = compose_path(arena, folder, found[0]);
    const char *slash = strrchr(first, '/');
    ret->folder =
        slash == first ? "/" : arena_str(arena, (struct str){first, (size_t)(slash - first)});
    if (request->project_folder)
        ret->folder = compose_path(arena, request->folder, request->project_folder);
    const char *env_file = request->env_file
                               ? compose_path(arena, request->folder, request->env_file)
                               : compose_path(arena, ret->folder, ".env");
    compose_env_file(arena, source, env_file, reader.dotenv, VARIABLES_MAX);
    if (read_files(&reader, folder, found) == 0) {
        ret->name = project_name(&reader, ret->folder);
        const struct doc *version = doc_get(ret->doc, "version");
        ret->version = version ? version->text : NULL;
        compose_read_services(ret, source, ret->doc, &reader.error);
    }
    *error = reader.error;
    return reader.error ? 1 : 0;
}
