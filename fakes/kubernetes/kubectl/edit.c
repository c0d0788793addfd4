/* kubectl edit and diff, which run programs of the operator's own; what is not simulated beside
 * them. Sources: k8s.io/kubectl pkg/cmd/util/editor, pkg/cmd/diff/diff.go. */
#include "fakes/kubernetes/kubectl/edit.h"

#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/kubectl/apply.h"
#include "fakes/kubernetes/text/manifest.h"

/* ---- edit ---- */

static const char head[] =
    "# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
    "# and an empty file will abort the edit. If an error occurs while saving this file will be\n"
    "# reopened with the relevant failures.\n#\n";

struct edit {
    struct kubectl *k;
    struct resources resources;
    enum validation validation;
    const char *path, *cause;
    const char *complaint; /* what was wrong with the last version; NULL */
    bool json;
};

/* Without the lines that begin with "#". */
static const char *without_comments(struct arena *arena, const char *text)
{
    char *plain = arena_alloc(arena, strlen(text) + 1), *to = plain;
    struct str rest = str_of(text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (line.len && line.at[0] == '#')
            continue;
        memcpy(to, line.at, line.len);
        to += line.len;
        *to++ = '\n';
    }
    return plain;
}

static const char *text_of(struct edit *e, const cJSON *json)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    (e->json ? json_write : yaml_write)(&text, json);
    const char *ret = arena_str(e->k->arena, buf_text(&text));
    buf_release(&text);
    return ret;
}

static void release(void *buf)
{
    buf_release(buf);
}

/* The file's text after the editor; NULL: said. */
static const char *run_editor(struct edit *e, const char *text)
{
    struct kubectl *k = e->k;
    const char *editor = call_getenv(k->call, "KUBE_EDITOR");
    if (!editor || !*editor)
        editor = call_getenv(k->call, "EDITOR");
    if (!editor || !*editor)
        editor = "vi";
    if (call_save(k->call, e->path, text, strlen(text), 0600) < 0) {
        kubectl_error(k, "open %s: permission denied", e->path);
        return NULL;
    }
    bool simple = strcspn(editor, "\"'\\ \t") == strlen(editor);
    char *const words[] = {(char *)(uintptr_t)editor, (char *)(uintptr_t)e->path, NULL};
    char *const shell[] = {"/bin/bash", "-c", arena_printf(k->arena, "%s %s", editor, e->path),
                           NULL};
    int status = call_run(k->call, simple ? words : shell);
    if (status) {
        call_unlink(k->call, e->path);
        kubectl_error(k,
                      status == 127 ? "unable to launch the editor \"%s\""
                                    : "there was a problem with the editor \"%s\"",
                      editor);
        return NULL;
    }
    struct buf *edited = ARENA_NEW(k->arena, struct buf);
    buf_init(edited, 4 << 20);
    call_defer(k->call, release, edited);
    if (call_load(k->call, e->path, edited) < 0)
        return "";
    return arena_str(k->arena, buf_text(edited));
}

/* Sends what was changed of one object. False, and e->complaint: it is not as the server wants it.
 */
static bool save(struct edit *e, const struct resource *r, const cJSON *edited)
{
    struct kubectl *k = e->k;
    struct api_error error = {0};
    bool strategic = !r->kind->custom, changed;
    const char *name = json_text(edited, "metadata", "name");
    if (!name || strcmp(name, r->name) != 0) {
        e->complaint = "At least one of apiVersion, kind and name was changed";
        kubectl_error(k, "%s", e->complaint);
        return false;
    }
    cJSON *sent = kubectl_keep(
        k, patch_three_way(k->arena, r->object->json, edited, r->object->json, strategic));
    if (!sent->child) {
        kubectl_print_done(k, r->kind, r->name, r->object->json, DRY_RUN_NONE, "skipped");
        return true;
    }
    kubectl_set_cause(sent, e->cause);
    kubectl_request(k);
    if (kubectl_check_patch(k, e->validation, r->object, sent, strategic, &error) &&
        cluster_patch(k->cluster, r->object, strategic ? PATCH_STRATEGIC : PATCH_MERGE,
                      kubectl_json_text(k, sent), false, &changed, &error)) {
        kubectl_print_done(k, r->kind, r->name, r->object->json, DRY_RUN_NONE, "edited");
        return true;
    }
    e->complaint = error.message;
    kubectl_error(k, "%s \"%s\" could not be patched: %s", kind_qualified(k->arena, r->kind),
                  r->name, error.message);
    return false;
}

static int give_up(struct edit *e)
{
    call_err(e->k->call,
             "A copy of your changes has been stored to \"%s\"\nerror: Edit cancelled, "
             "no valid changes were saved.\n",
             e->path);
    return 1;
}

/* The edited text as an object; NULL, and e->complaint: it is none. */
static const cJSON *parse(struct edit *e, const char *text)
{
    static const char prefix[] = "error converting YAML to JSON: ";
    struct kubectl *k = e->k;
    struct manifest manifest;
    const char *why = manifest_read(k->arena, str_of(text), &manifest);
    cJSON *edited = manifest.n ? cJSON_Duplicate(manifest.documents[0], true) : NULL;
    manifest_release(&manifest);
    if (edited)
        kubectl_keep(k, edited);
    if (!why && !edited)
        why = "the edited file is empty";
    if (!why)
        why = manifest_decode_error(k->arena, edited, e->path);
    if (why && !strncmp(why, prefix, sizeof prefix - 1))
        why += sizeof prefix - 1;
    e->complaint = why;
    return why ? NULL : edited;
}

/* What the editor is given: in YAML, with what was wrong before. */
static const char *page(struct edit *e, const struct resource *r, const char *text)
{
    struct arena *arena = e->k->arena;
    if (e->json)
        return text;
    if (!e->complaint)
        return arena_printf(arena, "%s%s", head, text);
    return arena_printf(arena,
                        "%s# %s \"%s\" was not valid:\n# * <nil>: Invalid value: \"The edited file "
                        "failed validation\": %s\n#\n%s",
                        head, kind_qualified(arena, r->kind), r->name, e->complaint, text);
}

/* Until it is saved, left as it was, or wrong twice in the same way. */
static int edit_one(struct edit *e, const struct resource *r)
{
    struct kubectl *k = e->k;
    const char *original = text_of(e, r->object->json), *before = original;
    for (;;) {
        const char *after = run_editor(e, page(e, r, before));
        if (!after)
            return 1;
        after = without_comments(k->arena, after);
        bool empty = !str_trim(str_of(after)).len;
        if (e->complaint && !strcmp(after, before))
            return give_up(e);
        if (empty || (!e->complaint && !strcmp(after, original))) {
            call_unlink(k->call, e->path);
            call_err(k->call, "Edit cancelled, %s\n",
                     empty ? "saved file was empty." : "no changes made.");
            return 0;
        }
        before = after;
        kubectl_request(k); /* an editor that never makes it right goes on for ever, in time */
        const cJSON *edited = parse(e, after);
        if (!edited)
            kubectl_error(k, "%s \"%s\" is invalid", kind_qualified(k->arena, r->kind), r->name);
        else if (save(e, r, edited))
            break;
    }
    call_unlink(k->call, e->path);
    return 0;
}

/* A file that is not there yet; the real one's number is random. */
static const char *new_path(const struct edit *e)
{
    for (int i = 1;; i++) {
        const char *path =
            arena_printf(e->k->arena, "/tmp/kubectl-edit-%d.%s", i, e->json ? "json" : "yaml");
        if (call_exists(e->k->call, path) != 1 || i == 10000)
            return path;
    }
}

static int run_edit(struct kubectl *k)
{
    struct edit *e = ARENA_NEW(k->arena, struct edit);
    const char *format = options_value(&k->options, "output", "yaml");
    e->k = k;
    e->cause = kubectl_change_cause(k);
    e->json = !strcmp(format, "json");
    if (!e->json && strcmp(format, "yaml") != 0)
        return kubectl_error(k, "The flag 'output' must be one of yaml|json");
    if (!kubectl_validation(k, &e->validation))
        return 1;
    if (options_has(&k->options, "output-patch") || options_value(&k->options, "subresource", NULL))
        return kubectl_refuse(k, "edit --output-patch and --subresource");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT | RESOURCES_NEED_NAME,
                                   &e->resources);
    if (failed)
        return failed;
    if (kubectl_finish(k, &e->resources))
        return 1;
    if (e->resources.n != 1)
        return kubectl_refuse(k, "edit of several objects at once");
    for (int i = 0; i < k->options.n_given; i++) {
        struct option *option = &k->options.given[i]; /* -o is of the file, not of what is said */
        if (!strcmp(option->name, "output"))
            option->value = "";
    }
    e->path = new_path(e);
    return edit_one(e, &e->resources.at[0]);
}

/* ---- others ---- */

static int run_refused(struct kubectl *k)
{
    return kubectl_refuse(k, "%s", k->command->words);
}

#define PATCH_FLAGS "local patch|p= patch-file= subresource= type="
#define REPLACE_FLAGS                                                                              \
    "cascade=? force grace-period= raw= save-config subresource= timeout= validate=? wait"
#define EDIT_FLAGS "output-patch save-config subresource= validate=? windows-line-endings"
#define DIFF_FLAGS                                                                                 \
    "concurrency= field-manager= force-conflicts prune prune-allowlist= selector|l= server-side "  \
    "show-managed-fields"

const struct kubectl_command kubectl_edit_commands[] = {
    {"edit", EDIT_FLAGS KUBECTL_RECORD_FLAGS KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS, run_edit},
    {"diff", DIFF_FLAGS KUBECTL_FILE_FLAGS, kubectl_diff},
    {"patch",
     PATCH_FLAGS KUBECTL_RECORD_FLAGS KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS,
     kubectl_patch},
    {"replace", REPLACE_FLAGS KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS,
     kubectl_replace},
    {"explain", "api-version= output= recursive", run_refused},
    {"kustomize", "output|o= enable-helm load-restrictor=", run_refused},
    {NULL, NULL, NULL},
};
