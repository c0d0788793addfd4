/* helm list, history, status, get, version. Source: helm cmd/helm; tables: gosuri/uitable. */
#include <inttypes.h>
#include <regex.h>
#include <string.h>
#include <time.h>

#include "fakes/helm/helm.h"
#include "fakes/kubernetes/text/manifest.h"

enum { COLUMNS_MAX = 8, OUTPUT_MAX = 8 << 20 };

/* ---- words for instants ---- */

static const char *instant(struct helm *helm, int64_t at_ns, bool ansi)
{
    char text[64];
    struct tm tm;
    int64_t unix_ns = helm->call->env->start_unix_ns + at_ns;
    time_t seconds = (time_t)(unix_ns / SECOND);
    int64_t fraction = unix_ns % SECOND;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, ansi ? "%a %b %e %H:%M:%S %Y" : "%Y-%m-%d %H:%M:%S", &tm);
    if (ansi)
        return arena_strdup(helm->arena, text);
    const char *digits = "";
    if (fraction) {
        char *all = arena_printf(helm->arena, ".%09" PRId64, fraction);
        for (size_t n = strlen(all); all[n - 1] == '0'; n--)
            all[n - 1] = '\0';
        digits = all;
    }
    return arena_printf(helm->arena, "%s%s +0000 UTC", text, digits);
}

static const char *rfc3339(struct helm *helm, int64_t at_ns)
{
    return cluster_stamp(helm->cluster, helm->arena, at_ns);
}

/* ---- tables ---- */

struct table {
    int n, columns;
    const char *cells[1024][COLUMNS_MAX];
};

static void print_table(struct helm *helm, const struct table *table)
{
    struct buf out;
    size_t width[COLUMNS_MAX] = {0};
    buf_init(&out, OUTPUT_MAX);
    for (int i = 0; i < table->n; i++) {
        for (int k = 0; k < table->columns; k++) {
            size_t len = strlen(table->cells[i][k]);
            width[k] = len > width[k] ? len : width[k];
        }
    }
    for (int i = 0; i < table->n; i++) {
        for (int k = 0; k < table->columns; k++)
            buf_printf(&out, "%s%-*s", k ? "\t" : "", (int)width[k], table->cells[i][k]);
        buf_putc(&out, '\n');
    }
    const char *text = arena_str(helm->arena, buf_text(&out));
    buf_release(&out);
    call_out(helm->call, "%s", text);
}

static void add_row(struct table *table, const char *const *cells)
{
    for (int k = 0; k < table->columns; k++)
        table->cells[table->n][k] = cells[k];
    table->n++;
}

/* ---- JSON and YAML ---- */

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_YAML };

/* --output; false after having said why not. */
static bool output_format(struct helm *helm, enum format *ret)
{
    const char *text = options_value(&helm->options, "output", "table");
    *ret = strcmp(text, "json") == 0   ? FORMAT_JSON
           : strcmp(text, "yaml") == 0 ? FORMAT_YAML
                                       : FORMAT_TABLE;
    if (*ret != FORMAT_TABLE || strcmp(text, "table") == 0)
        return true;
    helm_error(helm, "invalid argument \"%s\" for \"-o, --output\" flag: invalid format type",
               text);
    return false;
}

/* Takes the value. */
static void print_value(struct helm *helm, enum format format, cJSON *value)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    if (format == FORMAT_YAML) {
        yaml_write(&out, value);
    } else {
        char *text = cJSON_PrintUnformatted(value);
        buf_printf(&out, "%s\n", text);
        cJSON_free(text);
    }
    cJSON_Delete(value);
    const char *text = arena_str(helm->arena, buf_text(&out));
    buf_release(&out);
    call_out(helm->call, "%s", text);
}

/* ---- list ---- */

static bool is_shown(struct helm *helm, const struct release *release)
{
    static const struct {
        const char *flag, *status;
    } masks[] = {{"deployed", "deployed"},       {"failed", "failed"},
                 {"pending", "pending-"},        {"superseded", "superseded"},
                 {"uninstalled", "uninstalled"}, {"uninstalling", "uninstalling"}};
    bool any = false, fits = false;
    if (options_has(&helm->options, "all"))
        return true;
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        if (!options_has(&helm->options, masks[i].flag))
            continue;
        any = true;
        fits = fits || strncmp(release->status, masks[i].status, strlen(masks[i].status)) == 0;
    }
    return any ? fits
               : strcmp(release->status, "deployed") == 0 || strcmp(release->status, "failed") == 0;
}

static void list_table(struct helm *helm, struct release **all, int n)
{
    static const char *const head[] = {"NAME",   "NAMESPACE", "REVISION",   "UPDATED",
                                       "STATUS", "CHART",     "APP VERSION"};
    struct table *table = ARENA_NEW(helm->arena, struct table);
    table->columns = 7;
    if (!options_has(&helm->options, "no-headers"))
        add_row(table, head);
    for (int i = 0; i < n && table->n < 1024; i++)
        add_row(table,
                (const char *const[]){all[i]->name, all[i]->ns,
                                      arena_printf(helm->arena, "%" PRId64, all[i]->version),
                                      instant(helm, all[i]->last_ns, false), all[i]->status,
                                      release_chart(helm->arena, all[i]), all[i]->app_version});
    print_table(helm, table);
}

static cJSON *list_value(struct helm *helm, struct release **all, int n)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        cJSON *one = cJSON_CreateObject();
        json_set_text(one, "name", all[i]->name);
        json_set_text(one, "namespace", all[i]->ns);
        json_set_text(one, "revision", arena_printf(helm->arena, "%" PRId64, all[i]->version));
        json_set_text(one, "updated", instant(helm, all[i]->last_ns, false));
        json_set_text(one, "status", all[i]->status);
        json_set_text(one, "chart", release_chart(helm->arena, all[i]));
        json_set_text(one, "app_version", all[i]->app_version);
        cJSON_AddItemToArray(list, one);
    }
    return list;
}

static int run_list(struct helm *helm)
{
    const char *ns = options_has(&helm->options, "all-namespaces") ? NULL : helm->ns;
    const char *filter = options_value(&helm->options, "filter", NULL);
    struct release **all = releases_of(helm->cluster, helm->arena, ns, NULL);
    enum format format;
    regex_t pattern;
    int n = 0;
    if (!output_format(helm, &format))
        return 1;
    if (filter && regcomp(&pattern, filter, REG_EXTENDED | REG_NOSUB) != 0)
        return helm_error(helm, "error parsing regexp: %s", filter);
    for (int i = 0; all[i]; i++) {
        const struct release *after = all[i + 1];
        bool latest =
            !after || strcmp(after->name, all[i]->name) != 0 || strcmp(after->ns, all[i]->ns) != 0;
        if ((latest || options_has(&helm->options, "superseded")) && is_shown(helm, all[i]) &&
            (!filter || regexec(&pattern, all[i]->name, 0, NULL, 0) == 0))
            all[n++] = all[i];
    }
    if (filter)
        regfree(&pattern);
    if (options_has(&helm->options, "short")) {
        for (int i = 0; i < n; i++)
            call_out(helm->call, "%s\n", all[i]->name);
    } else if (format == FORMAT_TABLE) {
        list_table(helm, all, n);
    } else {
        print_value(helm, format, list_value(helm, all, n));
    }
    return 0;
}

/* ---- history ---- */

static int run_history(struct helm *helm)
{
    static const char *const head[] = {"REVISION", "UPDATED",     "STATUS",
                                       "CHART",    "APP VERSION", "DESCRIPTION"};
    struct release **all = releases_of(helm->cluster, helm->arena, helm->ns, helm->args[0]);
    struct table *table = ARENA_NEW(helm->arena, struct table);
    enum format format;
    int64_t most = 256, n = 0;
    if (!output_format(helm, &format))
        return 1;
    if (!all[0])
        return helm_error(helm, "release: not found");
    (void)options_number(&helm->options, "max", 256, &most);
    while (all[n])
        n++;
    cJSON *list = cJSON_CreateArray();
    table->columns = 6;
    add_row(table, head);
    for (int64_t i = n > most ? n - most : 0; i < n && table->n < 1024; i++) {
        const struct release *release = all[i];
        const char *chart = release_chart(helm->arena, release);
        cJSON *one = cJSON_CreateObject();
        json_set_int(one, "revision", release->version);
        json_set_text(one, "updated", rfc3339(helm, release->last_ns));
        json_set_text(one, "status", release->status);
        json_set_text(one, "chart", chart);
        json_set_text(one, "app_version", release->app_version);
        json_set_text(one, "description", release->description);
        cJSON_AddItemToArray(list, one);
        add_row(table,
                (const char *const[]){arena_printf(helm->arena, "%" PRId64, release->version),
                                      instant(helm, release->last_ns, true), release->status, chart,
                                      release->app_version, release->description});
    }
    if (format != FORMAT_TABLE) {
        print_value(helm, format, list);
        return 0;
    }
    cJSON_Delete(list);
    print_table(helm, table);
    return 0;
}

/* ---- status and get ---- */

/* The release that the arguments name, at --revision or the last; NULL after having said so. */
static const struct release *named(struct helm *helm)
{
    int64_t version = 0;
    if (!options_number(&helm->options, "revision", 0, &version)) {
        const char *text = options_value(&helm->options, "revision", "");
        helm_error(helm,
                   "invalid argument \"%s\" for \"--revision\" flag: strconv.ParseInt: parsing "
                   "\"%s\": invalid syntax",
                   text, text);
        return NULL;
    }
    const struct release *release =
        version ? release_at(helm->cluster, helm->arena, helm->ns, helm->args[0], version)
                : release_last(helm->cluster, helm->arena, helm->ns, helm->args[0]);
    if (!release)
        helm_error(helm, "release: not found");
    return release;
}

void helm_print_status(struct helm *helm, const struct release *release, bool description)
{
    struct call *call = helm->call;
    call_out(call,
             "NAME: %s\nLAST DEPLOYED: %s\nNAMESPACE: %s\nSTATUS: %s\nREVISION: %" PRId64 "\n",
             release->name, instant(helm, release->last_ns, true), release->ns, release->status,
             release->version);
    if (description)
        call_out(call, "DESCRIPTION: %s\n", release->description);
    call_out(call, "TEST SUITE: None\n");
    struct str notes = str_trim(str_of(release->notes));
    if (notes.len)
        call_out(call, "NOTES:\n%.*s\n", STR_ARG(notes));
}

static cJSON *status_value(struct helm *helm, const struct release *release)
{
    cJSON *json = cJSON_CreateObject(), *info = json_child(json, "info");
    json_set_text(json, "name", release->name);
    json_set_text(info, "first_deployed", rfc3339(helm, release->first_ns));
    json_set_text(info, "last_deployed", rfc3339(helm, release->last_ns));
    json_set_text(info, "deleted", "");
    json_set_text(info, "description", release->description);
    json_set_text(info, "status", release->status);
    if (*release->notes)
        json_set_text(info, "notes", release->notes);
    json_set(json, "config", cJSON_Parse(release->config));
    json_set_text(json, "manifest", release->manifest);
    json_set_int(json, "version", release->version);
    json_set_text(json, "namespace", release->ns);
    return json;
}

static int run_status(struct helm *helm)
{
    enum format format;
    if (!output_format(helm, &format))
        return 1;
    if (options_has(&helm->options, "show-resources"))
        return helm_refuse(helm, "helm status --show-resources");
    const struct release *release = named(helm);
    if (!release)
        return 1;
    if (format == FORMAT_TABLE)
        helm_print_status(helm, release, options_has(&helm->options, "show-desc"));
    else
        print_value(helm, format, status_value(helm, release));
    return 0;
}

static int run_get_values(struct helm *helm)
{
    enum format format;
    if (!output_format(helm, &format))
        return 1;
    if (options_has(&helm->options, "all"))
        return helm_refuse(helm, "helm get values --all: the chart's own values are not known");
    const struct release *release = named(helm);
    if (!release)
        return 1;
    if (format == FORMAT_TABLE)
        call_out(helm->call, "USER-SUPPLIED VALUES:\n");
    cJSON *values = cJSON_Parse(release->config);
    if (cJSON_GetArraySize(values) == 0) {
        cJSON_Delete(values);
        values = cJSON_CreateNull();
    }
    print_value(helm, format == FORMAT_TABLE ? FORMAT_YAML : format, values);
    return 0;
}

static int run_get_manifest(struct helm *helm)
{
    const struct release *release = named(helm);
    if (release)
        call_out(helm->call, "%s\n", release->manifest);
    return !release;
}

static int run_get_notes(struct helm *helm)
{
    const struct release *release = named(helm);
    if (release && *release->notes)
        call_out(helm->call, "NOTES:\n%s\n", release->notes);
    return !release;
}

static int run_get_metadata(struct helm *helm)
{
    enum format format;
    if (!output_format(helm, &format))
        return 1;
    const struct release *release = named(helm);
    if (!release)
        return 1;
    if (format == FORMAT_TABLE) {
        call_out(helm->call,
                 "NAME: %s\nCHART: %s\nVERSION: %s\nAPP_VERSION: %s\nANNOTATIONS: \nLABELS: "
                 "\nDEPENDENCIES: \nNAMESPACE: %s\nREVISION: %" PRId64
                 "\nSTATUS: %s\nDEPLOYED_AT: %s\n",
                 release->name, release->chart, release->chart_version, release->app_version,
                 release->ns, release->version, release->status, rfc3339(helm, release->last_ns));
        return 0;
    }
    cJSON *json = cJSON_CreateObject();
    json_set_text(json, "name", release->name);
    json_set_text(json, "chart", release->chart);
    json_set_text(json, "version", release->chart_version);
    json_set_text(json, "appVersion", release->app_version);
    json_set_text(json, "namespace", release->ns);
    json_set_int(json, "revision", release->version);
    json_set_text(json, "status", release->status);
    json_set_text(json, "deployedAt", rfc3339(helm, release->last_ns));
    print_value(helm, format, json);
    return 0;
}

static int run_version(struct helm *helm)
{
    if (options_value(&helm->options, "template", NULL))
        return helm_refuse(helm, "helm version --template");
    call_out(helm->call, "%s\n",
             options_has(&helm->options, "short")
                 ? "v3.17.3+ge4da497"
                 : "version.BuildInfo{Version:\"v3.17.3\", "
                   "GitCommit:\"e4da49785aa6e6ee2b86efd5dd9e43400318262b\", "
                   "GitTreeState:\"clean\", GoVersion:\"go1.23.7\"}");
    return 0;
}

const struct helm_command helm_show_commands[] = {
    {"list", "helm list [flags]",
     "all|a all-namespaces|A date|d deployed failed filter|f= max|m= no-headers offset= output|o= "
     "pending reverse|r selector|l= short|q superseded time-format= uninstalled uninstalling",
     0, 0, run_list},
    {"history", "helm history RELEASE_NAME [flags]", "max= output|o=", 1, 1, run_history},
    {"status", "helm status RELEASE_NAME [flags]", "output|o= revision= show-desc show-resources",
     1, 1, run_status},
    {"get values", "helm get values RELEASE_NAME [flags]", "all|a output|o= revision=", 1, 1,
     run_get_values},
    {"get manifest", "helm get manifest RELEASE_NAME [flags]", "revision=", 1, 1, run_get_manifest},
    {"get notes", "helm get notes RELEASE_NAME [flags]", "revision=", 1, 1, run_get_notes},
    {"get metadata", "helm get metadata RELEASE_NAME [flags]", "output|o= revision=", 1, 1,
     run_get_metadata},
    {"version", "helm version [flags]", "short client|c template=", 0, 0, run_version},
    {NULL, NULL, NULL, 0, 0, NULL},
};
