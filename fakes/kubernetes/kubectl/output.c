/* Names of what was changed, or the object itself as -o wants it. */
#include "fakes/kubernetes/kubectl/output.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "fakes/go_template.h"
#include "fakes/kubernetes/kubectl/apply.h"
#include "fakes/kubernetes/text/jsonpath.h"
#include "fakes/kubernetes/text/manifest.h"

enum { MAX_OUTPUT = 8 << 20 };

cJSON *kubectl_copy(struct kubectl *k, const cJSON *json)
{
    return kubectl_keep(k, cJSON_Duplicate(json, true));
}

bool kubectl_dry_run(struct kubectl *k, enum dry_run *ret)
{
    const char *typed = options_value(&k->options, "dry-run", "none");
    *ret = DRY_RUN_NONE;
    if (strcmp(typed, "true") == 0) { /* "--dry-run" alone */
        int64_t now = call_unix_ns(k->call);
        time_t seconds = (time_t)(now / SECOND);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        call_err(k->call,
                 "W%02d%02d %02d:%02d:%02d.%06" PRId64
                 "       1 helpers.go:702] --dry-run is deprecated and can be replaced with "
                 "--dry-run=client.\n",
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                 now % SECOND / MICROSECOND);
        *ret = DRY_RUN_CLIENT;
    } else if (strcmp(typed, "client") == 0) {
        *ret = DRY_RUN_CLIENT;
    } else if (strcmp(typed, "server") == 0) {
        *ret = DRY_RUN_SERVER;
    } else if (strcmp(typed, "none") != 0) {
        kubectl_error(k, "Invalid dry-run value (%s). Must be \"none\", \"server\", or \"client\".",
                      typed);
        return false;
    }
    return true;
}

/* The template of "-o FORMAT=TEMPLATE", or of --template; NULL: another format. */
static const char *template_of(struct kubectl *k, const char *format)
{
    const char *typed = options_value(&k->options, "output", "");
    size_t len = strlen(format);
    if (strncmp(typed, format, len) != 0)
        return NULL;
    if (typed[len] == '=')
        return typed + len + 1;
    return typed[len] ? NULL : options_value(&k->options, "template", NULL);
}

static const char *go_template_of(struct kubectl *k)
{
    const char *template = template_of(k, "go-template");
    return template ? template : template_of(k, "template");
}

bool kubectl_can_print(struct kubectl *k)
{
    static const char *const formats[] = {"", "name", "json", "yaml"};
    const char *typed = options_value(&k->options, "output", "");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(typed, formats[i]) == 0)
            return true;
    if (template_of(k, "jsonpath") || go_template_of(k))
        return true;
    if (strncmp(typed, "jsonpath-", 9) == 0 || strncmp(typed, "go-template-file", 16) == 0 ||
        strncmp(typed, "templatefile", 12) == 0)
        kubectl_refuse(k, "-o %s of a command that changes something", typed);
    else
        kubectl_error(k,
                      "unable to match a printer suitable for the output format \"%s\", allowed "
                      "formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,"
                      "jsonpath-file,name,template,templatefile,yaml",
                      typed);
    return false;
}

static void release_buf(void *buf)
{
    buf_release(buf);
}

int kubectl_print_done(struct kubectl *k, const struct kind *kind, const char *name,
                       const cJSON *json, enum dry_run dry_run, const char *what)
{
    const char *format = options_value(&k->options, "output", "");
    const char *full =
        arena_printf(k->arena, "%s/%s", kind_qualified_singular(k->arena, kind), name);
    if (strcmp(format, "name") == 0 || (!*format && !*what)) {
        call_out(k->call, "%s\n", full);
        return 0;
    }
    if (!*format) {
        call_out(k->call, "%s %s%s\n", full, what,
                 dry_run == DRY_RUN_CLIENT   ? " (dry run)"
                 : dry_run == DRY_RUN_SERVER ? " (server dry run)"
                                             : "");
        return 0;
    }
    const char *why = NULL;
    struct buf *out = ARENA_NEW(k->arena, struct buf);
    buf_init(out, MAX_OUTPUT);
    call_defer(k->call, release_buf, out);
    if (strcmp(format, "json") == 0)
        json_write(out, json);
    else if (strcmp(format, "yaml") == 0)
        yaml_write(out, json);
    else if (template_of(k, "jsonpath"))
        why = jsonpath(k->arena, template_of(k, "jsonpath"), json, out);
    else
        why = go_template(k->arena, go_template_of(k), json, false, out);
    if (why)
        return kubectl_error(k, "%s", why);
    call_write(k->call, 1, out->at, out->len);
    return 0;
}
