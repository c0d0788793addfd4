#include "procedures/drill/find.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "procedures/drill/files.h"
#include "sim/base/buf.h"
#include "sim/base/xalloc.h"

enum { DEPTH_MAX = 16, HEAD_BYTES = 512 };

struct search {
    struct arena *arena;
    struct drill_head **heads;
    int *n, *cap;
    struct error *error;
};

static bool ends_with_format(struct str text)
{
    while (text.len && strchr(" \t\n\"'", text.at[text.len - 1]))
        text.len--;
    return text.len >= 6 && memcmp(text.at + text.len - 6, "format", 6) == 0;
}

/* The value of `format`, near the top of the file: most YAML and JSON files are not opened further,
 * and a schema that says which formats there are is no drill. */
static bool says_drill(const char *path)
{
    struct buf head;
    buf_init(&head, HEAD_BYTES * 8);
    ptrdiff_t at =
        buf_read_file(&head, path) == 0 ? str_find(buf_text(&head), STR("rehearse.drill/")) : -1;
    struct str before = {head.at, at > 0 ? (size_t)at : 0};
    while (before.len && strchr(" \t\n\"'", before.at[before.len - 1]))
        before.len--;
    bool found = before.len && before.at[before.len - 1] == ':' &&
                 ends_with_format((struct str){before.at, before.len - 1});
    buf_release(&head);
    return found;
}

static const char *text_or(const struct doc *node, const char *otherwise)
{
    const char *text = otherwise;
    return doc_text(node, &text, NULL) < 0 ? otherwise : text;
}

static int read_head(struct search *search, const char *path, struct drill_head *ret)
{
    struct doc *doc = NULL, *system = NULL, *named = NULL;
    if (doc_read_file(search->arena, path, &doc, search->error) < 0 ||
        doc_need(doc, "system", &named, search->error) < 0)
        return ERROR_INPUT;
    const char *system_path = path_beside(search->arena, path, text_or(named, ""));
    if (doc_read_file(search->arena, system_path, &system, search->error) < 0)
        return error_wrap(search->error, ERROR_INPUT, "%s:%d", path, named->line);
    const struct doc *procedure = doc_get(doc, "procedure");
    *ret = (struct drill_head){
        .path = path,
        .system = text_or(doc_get(system, "name"), "?"),
        .system_title = text_or(doc_get(system, "title"), ""),
        .title = text_or(doc_get(doc, "title"), ""),
        .section = text_or(doc_get(procedure, "section"), ""),
        .playbook =
            doc_get(procedure, "playbook")
                ? path_beside(search->arena, path, text_or(doc_get(procedure, "playbook"), ""))
                : "",
        .expects = text_or(doc_get(doc_get(doc, "expect"), "verdict"), ""),
    };
    ret->name = arena_printf(search->arena, "%s/%s", ret->system, path_stem(search->arena, path));
    return 0;
}

static void add(struct search *search, const char *path)
{
    struct error mistake = {""};
    struct error *outer = search->error;
    struct drill_head head;
    search->error = &mistake;
    if (read_head(search, path, &head) < 0)
        head = (struct drill_head){.path = path,
                                   .name = path,
                                   .system = "",
                                   .system_title = "",
                                   .title = "",
                                   .section = "",
                                   .playbook = "",
                                   .expects = "",
                                   .mistake = arena_strdup(search->arena, mistake.text)};
    search->error = outer;
    XGROW(*search->heads, *search->n, *search->cap);
    (*search->heads)[(*search->n)++] = head;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool passed_over(const char *name)
{
    return name[0] == '.' || strcmp(name, "build") == 0 || strcmp(name, "rehearse-out") == 0;
}

static const char *below(struct arena *arena, const char *folder, const char *name)
{
    if (strcmp(folder, ".") == 0)
        return arena_strdup(arena, name);
    return arena_printf(arena, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                        name);
}

static int walk(struct search *search, const char *path, int depth)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return error_set(search->error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode)) {
        if (depth == 0 || (path_is_document(path) && says_drill(path)))
            add(search, path);
        return 0;
    }
    struct dirent **names = NULL;
    int n = depth < DEPTH_MAX ? scandir(path, &names, NULL, by_name) : 0;
    int code = n < 0 ? error_set(search->error, ERROR_INPUT, "%s: %s", path, strerror(errno)) : 0;
    for (int i = 0; i < n; i++) {
        if (code == 0 && !passed_over(names[i]->d_name))
            code = walk(search, below(search->arena, path, names[i]->d_name), depth + 1);
        free(names[i]);
    }
    free(names);
    return code;
}

int drill_find(struct arena *arena, const char *path, struct drill_head **heads, int *n, int *cap,
               struct error *error)
{
    struct search search = {arena, heads, n, cap, error};
    return walk(&search, path, 0);
}
