#include "procedures/drill/drill.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes/fake.h"
#include "procedures/drill/files.h"
#include "procedures/drill/model_load.h"
#include "procedures/drill/suppose.h"
#include "sim/base/hash.h"
#include "sim/base/xalloc.h"
#include "sim/record.h"

/* Who claims success without a pattern of the drill's own: a line that speaks of the rollback and
 * of its end. A tool's own "Stopping web ... done" is no claim about the rollback. */
static const char *const default_claims[] = {
    "(roll(ed)?[ -]?back|recovery|revert(ed)?|restoration)([^.]|[.][^ ])*" /* a full stop ends a
                                                                              sentence, not "v1.2.2"
                                                                            */
    "(^|[^a-z])(complete|completed|successful|successfully|succeeded|done)([^a-z]|$)",
    "(^|[^a-z])(completed|successful|successfully)([^.]|[.][^ ])*(roll(ed)?[ "
    "-]?back|recovery|revert(ed)?)",
    NULL,
};

/* What the operator's shell starts with; a host's `env` adds to it and overrides it. */
static const char *const default_env[] = {
    "HOME=/root",
    "USER=root",
    "LOGNAME=root",
    "SHELL=/bin/bash",
    "LANG=C.UTF-8",
    "TERM=dumb",
    "TZ=UTC",
    "GIT_CONFIG_NOSYSTEM=1",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    NULL,
};

static void add_provenance(struct drill *drill, const char *what, const char *value)
{
    XGROW(drill->provenance, drill->n_provenance, drill->cap_provenance);
    drill->provenance[drill->n_provenance++] = (struct provenance){what, value};
}

static int hash_host_file(struct drill *drill, const char *what, const char *path,
                          struct error *error)
{
    struct buf content;
    buf_init(&content, 64 << 20);
    int code = buf_read_file(&content, path);
    if (code == 0)
        add_provenance(drill, what, hash_sha256(&drill->arena, buf_text(&content)));
    else
        code = error_set(error, ERROR_INPUT, "%s: cannot be read: %s", path, strerror(-code));
    buf_release(&content);
    return code;
}

/* ---- hosts: the operator's machine first, then others that are reached by ssh ---- */

static bool same_variable(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return strncmp(a, b, n + 1) == 0;
}

static int load_env(struct drill *drill, const struct doc *env, struct error *error)
{
    int n = 0;
    while (default_env[n])
        n++;
    drill->envp = ARENA_ARRAY(&drill->arena, char *, n + (env ? env->n : 0) + 1);
    for (int i = 0; i < n; i++)
        drill->envp[i] = arena_strdup(&drill->arena, default_env[i]);
    if (env && doc_want(env, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *value = env ? env->first : NULL; value; value = value->next) {
        const char *text = NULL;
        if (doc_text(value, &text, error) < 0)
            return ERROR_INPUT;
        char *variable = arena_printf(&drill->arena, "%s=%s", value->key, text);
        int i = 0;
        while (i < n && !same_variable(drill->envp[i], variable))
            i++;
        drill->envp[i] = variable;
        if (i == n)
            n++;
    }
    return 0;
}

/* One folder, or a list of them, each laid over those before it. */
static int load_folders(struct drill *drill, const struct doc *node, const char *place,
                        const char *below, struct error *error)
{
    const struct doc *item = node && node->kind == DOC_SEQUENCE ? node->first : node;
    for (; item; item = item == node ? NULL : item->next) {
        const char *folder = NULL;
        if (doc_text(item, &folder, error) < 0 ||
            drill_read_folder(drill, drill_path(drill, item, folder), place, below, item, error) <
                0)
            return ERROR_INPUT;
    }
    return 0;
}

static int load_host(struct drill *drill, const struct doc *host, struct error *error)
{
    static const char *const keys[] = {"files", "commands", "env", "programs", NULL};
    bool first = host->index == 0;
    const char *place = first ? "" : host->key;
    if (host->kind == DOC_NULL)
        return 0;
    if (doc_want(host, DOC_MAPPING, error) < 0 || doc_only(host, keys, error) < 0 ||
        load_folders(drill, doc_get(host, "files"), place, "", error) < 0 ||
        load_folders(drill, doc_get(host, "commands"), place, "/usr/local/bin", error) < 0)
        return ERROR_INPUT;
    const struct doc *programs = doc_get(host, "programs");
    if (!first)
        return 0;
    drill->hostname = host->key;
    if (load_env(drill, doc_get(host, "env"), error) < 0)
        return ERROR_INPUT;
    drill->programs = ARENA_ARRAY(&drill->arena, const char *, (programs ? programs->n : 0) + 1);
    for (const struct doc *p = programs ? programs->first : NULL; p; p = p->next) {
        if (doc_text(p, &drill->programs[p->index], error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

/* A full disk is that of a store, of a host, or of the container that holds a store. */
static int check_disks(const struct drill *drill, struct error *error)
{
    const struct model *model = &drill->model;
    const struct doc *hosts = doc_get(drill->system_doc, "hosts");
    for (int i = 0; i < model->n_faults; i++) {
        const struct model_fault *fault = &model->faults[i];
        if (fault->kind != FAULT_DISK_FULL || model_store(model, fault->target) ||
            doc_get(hosts, fault->target) || strcmp(fault->target, drill->hostname) == 0)
            continue;
        bool container = false;
        for (int j = 0; j < model->n_stores; j++) {
            const struct doc *name = doc_get(model->stores[j].config, "container");
            container = container || (name && name->text && strcmp(name->text, fault->target) == 0);
        }
        const struct doc *node = doc_get(drill->drill_doc, "faults")->first;
        while (node && node->index < i)
            node = node->next;
        if (!container)
            return doc_error(doc_get(node, "disk_full"), error,
                             "no store, host or container of a store is called '%s'",
                             fault->target);
    }
    return 0;
}

/* Keys of a system file that are not the model's: ours, and one for each fake. */
static const char *const *other_system_keys(struct drill *drill)
{
    static const char *const ours[] = {"format", "name",    "title", "hosts",
                                       "assume", "targets", NULL};
    int n = 0;
    while (all_fakes[n])
        n++;
    const char **keys =
        ARENA_ARRAY(&drill->arena, const char *, (size_t)n + sizeof ours / sizeof *ours);
    n = 0;
    for (int i = 0; ours[i]; i++)
        keys[n++] = ours[i];
    for (int i = 0; all_fakes[i]; i++)
        keys[n++] = all_fakes[i]->name;
    return keys;
}

static int load_system(struct drill *drill, struct error *error)
{
    struct doc *named = NULL;
    const char *path = NULL, *format = NULL;
    if (doc_need(drill->drill_doc, "system", &named, error) < 0 ||
        doc_text(named, &path, error) < 0)
        return ERROR_INPUT;
    drill->system_path = drill_path(drill, named, path);
    if (doc_read_file(&drill->arena, drill->system_path, &drill->system_doc, error) <
        0) /* a mistake in it has its own place */
        return access(drill->system_path, R_OK) == 0
                   ? ERROR_INPUT
                   : error_wrap(error, ERROR_INPUT, "%s:%d", named->file, named->line);
    const struct doc *system = drill->system_doc, *otherwise = doc_get(drill->drill_doc, "suppose");
    struct doc *node = NULL;
    if (otherwise && (doc_want(system, DOC_MAPPING, error) < 0 ||
                      suppose(&drill->arena, drill->system_doc, otherwise, error) < 0))
        return ERROR_INPUT;
    if (doc_want(system, DOC_MAPPING, error) < 0 || doc_need(system, "format", &node, error) < 0 ||
        doc_text(node, &format, error) < 0)
        return ERROR_INPUT;
    if (strcmp(format, "rehearse.system/1") != 0)
        return doc_error(node, error, "format '%s' is not known, expected rehearse.system/1",
                         format);
    if (doc_need(system, "name", &node, error) < 0 ||
        doc_text(node, &drill->system_name, error) < 0)
        return ERROR_INPUT;
    model_defaults(&drill->model);
    if (model_load_system(&drill->arena, system, other_system_keys(drill), &drill->model, error) <
            0 ||
        model_load_scenario(&drill->arena, drill->drill_doc, &drill->model, error) < 0 ||
        declared_load(&drill->arena, system, drill->drill_doc, &drill->declared, error) < 0)
        return ERROR_INPUT;
    drill->hostname = "ops";
    const struct doc *hosts = doc_get(system, "hosts");
    if (!hosts && load_env(drill, NULL, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *host = hosts ? hosts->first : NULL; host; host = host->next) {
        if (load_host(drill, host, error) < 0)
            return ERROR_INPUT;
    }
    if (!drill->programs)
        drill->programs = ARENA_ARRAY(&drill->arena, const char *, 1);
    if (check_disks(drill, error) < 0)
        return ERROR_INPUT;
    return hash_host_file(drill, "system sha256", drill->system_path, error);
}

/* ---- the procedure ---- */

static int load_bindings(struct drill *drill, const struct doc *bind,
                         struct procedure_options *options, struct error *error)
{
    if (!bind)
        return 0;
    if (doc_want(bind, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    struct binding *list = ARENA_ARRAY(&drill->arena, struct binding, bind->n);
    for (const struct doc *value = bind->first; value; value = value->next) {
        list[value->index].from = value->key;
        if (doc_text(value, &list[value->index].to, error) < 0)
            return ERROR_INPUT;
    }
    options->bind = list;
    options->n_bind = bind->n;
    return 0;
}

static int load_alternatives(struct drill *drill, const struct doc *node,
                             struct procedure_options *options, struct error *error)
{
    static const char *const words[] = {"first", "all", NULL};
    if (!node)
        return 0;
    if (node->kind == DOC_SCALAR) {
        int choice = 0;
        if (doc_choice(node, words, &choice, error) < 0)
            return ERROR_INPUT;
        options->alternatives = choice == 0 ? ALTERNATIVES_FIRST : ALTERNATIVES_ALL;
        return 0;
    }
    if (doc_want(node, DOC_SEQUENCE, error) < 0)
        return ERROR_INPUT;
    const char **list = ARENA_ARRAY(&drill->arena, const char *, node->n + 1);
    for (const struct doc *item = node->first; item; item = item->next) {
        if (doc_text(item, &list[item->index], error) < 0)
            return ERROR_INPUT;
    }
    options->alternatives = ALTERNATIVES_CHOSEN;
    options->choose = list;
    return 0;
}

static int load_untagged(struct drill *drill, const struct doc *node,
                         struct procedure_options *options, struct error *error)
{
    if (!node)
        return 0;
    if (doc_want(node, DOC_SEQUENCE, error) < 0)
        return ERROR_INPUT;
    int *lines = ARENA_ARRAY(&drill->arena, int, node->n + 1);
    for (const struct doc *item = node->first; item; item = item->next) {
        int64_t line = 0;
        if (doc_int(item, 1, 10000000, &line, error) < 0)
            return ERROR_INPUT;
        lines[item->index] = (int)line;
    }
    options->untagged = lines;
    return 0;
}

static const char *const *environment_names(struct drill *drill)
{
    int n = 0;
    while (drill->envp[n])
        n++;
    const char **names = ARENA_ARRAY(&drill->arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        names[i] =
            arena_str(&drill->arena, (struct str){drill->envp[i], strcspn(drill->envp[i], "=")});
    return names;
}

static int load_procedure(struct drill *drill, const struct drill_options *given,
                          struct error *error)
{
    static const char *const keys[] = {"playbook", "section",  "bind", "alternatives",
                                       "untagged", "on_error", "sql",  "arguments",
                                       "files",    NULL};
    static const char *const on_error_words[] = {"continue", "stop", "again", NULL};
    struct doc *node = NULL, *named = NULL;
    const char *path = NULL, *folder = NULL;
    int on_error = ON_ERROR_CONTINUE;
    drill->section = "";
    if (doc_need(drill->drill_doc, "procedure", &node, error) < 0 ||
        doc_want(node, DOC_MAPPING, error) < 0 || doc_only(node, keys, error) < 0 ||
        doc_need(node, "playbook", &named, error) < 0 || doc_text(named, &path, error) < 0 ||
        doc_text(doc_get(node, "section"), &drill->section, error) < 0 ||
        doc_text(doc_get(node, "sql"), &drill->sql_command, error) < 0 ||
        doc_text(doc_get(node, "files"), &folder, error) < 0 ||
        doc_choice(doc_get(node, "on_error"), on_error_words, &on_error, error) < 0)
        return ERROR_INPUT;
    drill->on_error = (enum on_error)on_error;
    struct procedure_options options = {.environment = environment_names(drill),
                                        .sql = drill->sql_command != NULL};
    if (doc_text(doc_get(node, "arguments"), &options.arguments, error) < 0)
        return ERROR_INPUT;
    if (load_bindings(drill, doc_get(node, "bind"), &options, error) < 0 ||
        load_alternatives(drill, doc_get(node, "alternatives"), &options, error) < 0 ||
        load_untagged(drill, doc_get(node, "untagged"), &options, error) < 0)
        return ERROR_INPUT;
    drill->n_host_files = drill->n_files;
    if (folder && drill_read_folder(drill, drill_path(drill, node, folder), "", "",
                                    doc_get(node, "files"), error) < 0)
        return ERROR_INPUT;
    drill->playbook_path = drill_path(drill, named, path);
    if (given && given->playbook)
        drill->playbook_path = arena_strdup(&drill->arena, given->playbook);
    if (given && given->section)
        drill->section = arena_strdup(&drill->arena, given->section);
    options.section = drill->section;
    if (playbook_read(&drill->arena, drill->playbook_path, &drill->playbook, error) < 0)
        return given && given->playbook
                   ? ERROR_INPUT
                   : error_wrap(error, ERROR_INPUT, "%s:%d", named->file, named->line);
    lint_playbook(&drill->arena, &drill->playbook, &drill->lint);
    if (procedure_pick(&drill->arena, &drill->playbook, &options, &drill->procedure, error) < 0)
        return ERROR_INPUT;
    return hash_host_file(drill, "playbook sha256", drill->playbook_path, error);
}

static int load_claims(struct drill *drill, struct error *error)
{
    const struct doc *node = doc_get(drill->drill_doc, "claims");
    int n = 0;
    if (node && doc_want(node, DOC_SEQUENCE, error) < 0)
        return ERROR_INPUT;
    while (!node && default_claims[n])
        n++;
    if (node)
        n = node->n;
    drill->claims = ARENA_ARRAY(&drill->arena, struct drill_claim, n);
    const struct doc *item = node ? node->first : NULL;
    for (int i = 0; i < n; i++) {
        struct drill_claim *claim = &drill->claims[i];
        claim->pattern = node ? NULL : default_claims[i];
        if (item && doc_text(item, &claim->pattern, error) < 0)
            return ERROR_INPUT;
        int code = regcomp(&claim->regex, claim->pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB);
        if (code != 0) {
            char why[128];
            regerror(code, &claim->regex, why, sizeof why);
            return doc_error(item ? item : drill->drill_doc, error,
                             "'%s' is no extended regular expression: %s", claim->pattern, why);
        }
        drill->n_claims++;
        item = item ? item->next : NULL;
    }
    return 0;
}

/* ---- the drill file ---- */

static int load_limits(struct drill *drill, struct error *error)
{
    static const char *const keys[] = {"tasks",      "output", "disk", "memory",
                                       "open_files", "cpu",    NULL};
    const struct doc *node = doc_get(drill->drill_doc, "limits");
    drill->limits = sandbox_default_limits;
    int64_t tasks = drill->limits.tasks, files = drill->limits.open_files;
    if (node && (doc_want(node, DOC_MAPPING, error) < 0 || doc_only(node, keys, error) < 0))
        return ERROR_INPUT;
    if (doc_int(doc_get(node, "tasks"), 2, 4096, &tasks, error) < 0 ||
        doc_size(doc_get(node, "output"), &drill->limits.output_bytes, error) < 0 ||
        doc_size(doc_get(node, "disk"), &drill->limits.disk_bytes, error) < 0 ||
        doc_size(doc_get(node, "memory"), &drill->limits.memory_bytes, error) < 0 ||
        doc_int(doc_get(node, "open_files"), 16, 65536, &files, error) < 0 ||
        doc_duration(doc_get(node, "cpu"), &drill->limits.cpu_ns, error) < 0)
        return ERROR_INPUT;
    drill->limits.tasks = (int)tasks;
    drill->limits.open_files = (int)files;
    return 0;
}

static const char *const *drill_keys(struct drill *drill)
{
    static const char *const ours[] = {"format",  "title",       "system",  "cwd",    "procedure",
                                       "claims",  "expect",      "waive",   "assume", "limits",
                                       "targets", "watch_until", "suppose", NULL};
    int n = 0;
    while (model_drill_keys[n])
        n++;
    const char **keys =
        ARENA_ARRAY(&drill->arena, const char *, (size_t)n + sizeof ours / sizeof *ours);
    memcpy(keys, model_drill_keys, (size_t)n * sizeof *keys);
    for (int i = 0; ours[i]; i++)
        keys[n++] = ours[i];
    return keys;
}

static int load_head(struct drill *drill, struct error *error)
{
    const struct doc *doc = drill->drill_doc;
    const char *format = NULL;
    struct doc *node = NULL;
    if (doc_want(doc, DOC_MAPPING, error) < 0 || doc_need(doc, "format", &node, error) < 0 ||
        doc_text(node, &format, error) < 0)
        return ERROR_INPUT;
    if (strcmp(format, "rehearse.drill/1") != 0)
        return doc_error(node, error, "format '%s' is not known, expected rehearse.drill/1",
                         format);
    drill->watch_until_ns = 5 * MINUTE;
    if (doc_only(doc, drill_keys(drill), error) < 0 || doc_need(doc, "start", &node, error) < 0 ||
        doc_time(node, &drill->start_unix_ns, error) < 0 ||
        doc_need(doc, "cwd", &node, error) < 0 || doc_text(node, &drill->cwd, error) < 0)
        return ERROR_INPUT;
    if (drill->cwd[0] != '/')
        return doc_error(node, error, "'%s' is not an absolute path", drill->cwd);
    drill->expect = doc_get(doc, "expect");
    if (doc_duration(doc_get(doc, "watch_until"), &drill->watch_until_ns, error) < 0 ||
        doc_text(doc_get(doc, "title"), &drill->title, error) < 0)
        return ERROR_INPUT;
    return hash_host_file(drill, "drill sha256", drill->path, error);
}

static const char *name_of(struct drill *drill)
{
    return arena_printf(&drill->arena, "%s/%s", drill->system_name,
                        path_stem(&drill->arena, drill->path));
}

/* One hash over all files that the system brings along, so that a changed script changes the
 * provenance. */
static void hash_files(struct drill *drill)
{
    if (drill->n_files == 0)
        return;
    struct buf all;
    buf_init(&all, 256 << 20);
    for (int i = 0; i < drill->n_files; i++) {
        const struct drill_file *file = &drill->files[i];
        buf_printf(&all, "%s:%s %o %zu\n", file->place, file->path, (unsigned)file->mode,
                   file->content.len);
        buf_str(&all, file->content);
    }
    add_provenance(drill, "host files sha256", hash_sha256(&drill->arena, buf_text(&all)));
    buf_release(&all);
}

int drill_load(const char *path, const struct drill_options *options, struct drill **ret,
               struct error *error)
{
    *ret = NULL;
    struct drill *drill = xcalloc(1, sizeof *drill);
    drill->path = arena_strdup(&drill->arena, path);
    int code = doc_read_file(&drill->arena, drill->path, &drill->drill_doc, error);
    if (code == 0)
        code = load_head(drill, error);
    if (code == 0)
        code = load_system(drill, error);
    if (code == 0)
        code = load_procedure(drill, options, error);
    if (code == 0)
        code = load_claims(drill, error);
    if (code == 0)
        code = load_limits(drill, error);
    if (code < 0) {
        drill_free(drill);
        return code;
    }
    hash_files(drill);
    drill->name = name_of(drill);
    if (!drill->title)
        drill->title = drill->name;
    *ret = drill;
    return 0;
}

void drill_free(struct drill *drill)
{
    if (!drill)
        return;
    for (int i = 0; i < drill->n_claims; i++)
        regfree(&drill->claims[i].regex);
    free(drill->files);
    free(drill->provenance);
    arena_release(&drill->arena);
    free(drill);
}
