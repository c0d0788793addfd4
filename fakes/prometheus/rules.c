#include "fakes/prometheus/rules.h"

#include <string.h>
#include <time.h>

#include "fakes/prometheus/promql_tree.h"
#include "sim/base/doc.h"

enum { FILE_MAX = 1 << 20, HISTORY_STEPS = 2000 };

struct rule {
    const char *alert, *name, *query; /* alert or name: of an alerting or a recording rule */
    int64_t for_ns;
    const struct doc *labels, *annotations;
    struct rule *next;
};

struct rule_group {
    const char *name, *file;
    int64_t interval_ns;
    struct rule *rules;
    struct rule_group *next;
};

struct prom_rules {
    int64_t interval_ns;
    struct rule_group *groups;
};

/* ---- reading ---- */

static const char *refuse(struct env *env, const char *path, const char *what)
{
    return arena_printf(
        &env->arena, "couldn't load configuration (--config.file=\"%s\"): parsing YAML file %s: %s",
        path, path, what);
}

/* The text of a file as a document; NULL: *ret_why. */
static struct doc *read_yaml(struct env *env, const char *path, const char **ret_why)
{
    struct buf text;
    struct doc *doc = NULL;
    struct error error = {""};
    buf_init(&text, FILE_MAX);
    int code = env_load(env, "", path, &text);
    if (code < 0)
        *ret_why = arena_printf(&env->arena, "open %s: no such file or directory", path);
    else if (doc_read_text(&env->arena, path,
                           (struct str){arena_str(&env->arena, buf_text(&text)), text.len}, &doc,
                           &error) < 0)
        *ret_why = arena_printf(&env->arena, "yaml: %s", error.text);
    buf_release(&text);
    return *ret_why ? NULL : doc;
}

/* A key that the real file does not have. */
static const char *unknown_key(struct env *env, const struct doc *node, const char *const *known,
                               const char *type)
{
    for (const struct doc *child = node->kind == DOC_MAPPING ? node->first : NULL; child;
         child = child->next) {
        int i = 0;
        while (known[i] && strcmp(known[i], child->key) != 0)
            i++;
        if (!known[i])
            return arena_printf(&env->arena,
                                "yaml: unmarshal errors:\n  line %d: field %s not found in type %s",
                                child->line, child->key, type);
    }
    return NULL;
}

/* True: the rule is one; what is wrong is only counted, as Prometheus's answer does not say more.
 */
static bool read_rule(struct env *env, const struct doc *node, struct rule *rule)
{
    static const char *const known[] = {"alert",           "record", "expr",        "for",
                                        "keep_firing_for", "labels", "annotations", NULL};
    struct arena arena = {0};
    struct error error = {""};
    const char *why = NULL;
    bool unknown = false;
    if (node->kind != DOC_MAPPING || unknown_key(env, node, known, "rulefmt.RuleNode") ||
        doc_text(doc_get(node, "alert"), &rule->alert, &error) < 0 ||
        doc_text(doc_get(node, "record"), &rule->name, &error) < 0 ||
        doc_text(doc_get(node, "expr"), &rule->query, &error) < 0)
        return false;
    if ((rule->alert == NULL) == (rule->name == NULL) || !rule->query ||
        (doc_get(node, "for") && doc_duration(doc_get(node, "for"), &rule->for_ns, &error) < 0))
        return false;
    prom_parse(&arena, rule->query, &why, &unknown);
    arena_release(&arena);
    rule->labels = doc_get(node, "labels");
    rule->annotations = doc_get(node, "annotations");
    return !why || unknown;
}

static bool read_groups(struct env *env, const char *path, struct prom_rules *rules)
{
    const char *why = NULL;
    struct doc *root = read_yaml(env, path, &why);
    struct rule_group **last = &rules->groups;
    const struct doc *groups = root ? doc_get(root, "groups") : NULL;
    struct error error = {""};
    while (*last)
        last = &(*last)->next;
    for (const struct doc *node = groups && groups->kind == DOC_SEQUENCE ? groups->first : NULL;
         node; node = node->next) {
        struct rule_group *group = ARENA_NEW(&env->arena, struct rule_group);
        const struct doc *list = doc_get(node, "rules");
        *group = (struct rule_group){.file = path, .interval_ns = rules->interval_ns};
        if (node->kind != DOC_MAPPING ||
            doc_text(doc_get(node, "name"), &group->name, &error) < 0 || !group->name ||
            (doc_get(node, "interval") &&
             doc_duration(doc_get(node, "interval"), &group->interval_ns, &error) < 0))
            return false;
        *last = group;
        last = &group->next;
        struct rule **end = &group->rules;
        for (const struct doc *item = list && list->kind == DOC_SEQUENCE ? list->first : NULL; item;
             item = item->next) {
            *end = ARENA_NEW(&env->arena, struct rule);
            if (!read_rule(env, item, *end))
                return false;
            end = &(*end)->next;
        }
    }
    return root != NULL;
}

const char *prom_load_rules(struct env *env, const char *path, const struct prom_rules **ret)
{
    static const char *const known[] = {"global",   "scrape_configs", "rule_files",
                                        "alerting", "remote_write",   "remote_read",
                                        "storage",  "tracing",        "scrape_config_files",
                                        "runtime",  "otlp",           NULL};
    struct prom_rules *rules = ARENA_NEW(&env->arena, struct prom_rules);
    struct error error = {""};
    const char *why = NULL;
    struct doc *root = read_yaml(env, path, &why);
    rules->interval_ns = MINUTE;
    if (why)
        return strncmp(why, "open ", 5) == 0
                   ? arena_printf(&env->arena,
                                  "couldn't load configuration (--config.file=\"%s\"): %s", path,
                                  why)
                   : refuse(env, path, why);
    if ((why = unknown_key(env, root, known, "config.plain")) != NULL)
        return refuse(env, path, why);
    const struct doc *global = doc_get(root, "global"), *files = doc_get(root, "rule_files");
    if (global && doc_get(global, "evaluation_interval") &&
        doc_duration(doc_get(global, "evaluation_interval"), &rules->interval_ns, &error) < 0)
        return refuse(env, path,
                      arena_printf(&env->arena, "not a valid duration string: \"%s\"",
                                   doc_get(global, "evaluation_interval")->text));
    for (const struct doc *node = files && files->kind == DOC_SEQUENCE ? files->first : NULL; node;
         node = node->next) {
        const char *name = node->kind == DOC_SCALAR ? node->text : "", *slash = strrchr(path, '/');
        if (strpbrk(name, "*?[")) {
            record_observe(env->record, "not_simulated", name,
                           "patterns in Prometheus's rule_files are not simulated");
            continue;
        }
        if (name[0] != '/' && slash)
            name = arena_printf(&env->arena, "%.*s/%s", (int)(slash - path), path, name);
        if (!read_groups(env, name, rules))
            return arena_printf(&env->arena,
                                "one or more errors occurred while applying the new configuration "
                                "(--config.file=\"%s\")",
                                path);
    }
    *ret = rules;
    return NULL;
}

/* ---- what they say now ---- */

static void print_texts(struct buf *out, const struct doc *map)
{
    buf_putc(out, '{');
    for (const struct doc *item = map && map->kind == DOC_MAPPING ? map->first : NULL; item;
         item = item->next) {
        prom_print_string(out, item->key);
        buf_putc(out, ':');
        prom_print_string(out, item->text ? item->text : "");
        buf_puts(out, item->next ? "," : "");
    }
    buf_putc(out, '}');
}

struct scope {
    struct arena *arena;
    const struct prom_series *series;
    int n_series;
    int64_t now_ns, start_unix_ns;
};

/* Since when the alert has been true without a break, as far as the evaluations of its group saw
 * it. */
static int64_t active_since(const struct scope *s, const struct rule_group *group,
                            const struct rule *rule, const char *const *labels)
{
    int64_t since_ns = s->now_ns;
    for (int i = 1; i < HISTORY_STEPS; i++) {
        int64_t at_ns = s->now_ns - i * group->interval_ns;
        struct prom_result r =
            prom_query(s->arena, rule->query, s->series, s->n_series, at_ns, s->start_unix_ns);
        bool there = false;
        for (int k = 0; k < r.n && r.type == PROM_VECTOR && !there; k++)
            there = prom_same_labels((const char *const *)r.samples[k].labels, labels);
        if (!there || at_ns < 0)
            break;
        since_ns = at_ns;
    }
    return since_ns;
}

static const char *iso(struct arena *arena, int64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                        (long long)(unix_ns % SECOND));
}

/* The alerts of a rule, parted by commas; the state of the worst. */
static const char *print_alerts(struct buf *out, const struct scope *s,
                                const struct rule_group *group, const struct rule *rule,
                                bool *first)
{
    struct prom_result r =
        prom_query(s->arena, rule->query, s->series, s->n_series, s->now_ns, s->start_unix_ns);
    const char *worst = "inactive";
    for (int i = 0; i < r.n && r.type == PROM_VECTOR; i++) {
        int64_t since_ns = active_since(s, group, rule, (const char *const *)r.samples[i].labels);
        bool fires = s->now_ns - since_ns >= rule->for_ns;
        const char **labels =
            prom_set_label(s->arena,
                           (const char *const *)prom_without_name(
                               s->arena, (const char *const *)r.samples[i].labels),
                           "alertname", rule->alert);
        for (const struct doc *item =
                 rule->labels && rule->labels->kind == DOC_MAPPING ? rule->labels->first : NULL;
             item; item = item->next)
            labels = prom_set_label(s->arena, (const char *const *)labels, item->key,
                                    item->text ? item->text : "");
        worst = fires || strcmp(worst, "firing") == 0 ? "firing" : "pending";
        buf_printf(out, "%s{\"labels\":", *first ? "" : ",");
        prom_print_labels(out, (const char *const *)labels);
        buf_puts(out, ",\"annotations\":");
        print_texts(out, rule->annotations);
        buf_printf(out,
                   ",\"state\":\"%s\",\"activeAt\":\"%s\",\"value\":", fires ? "firing" : "pending",
                   iso(s->arena, since_ns + s->start_unix_ns));
        prom_print_number(out, r.samples[i].value);
        buf_putc(out, '}');
        *first = false;
    }
    return worst;
}

static void print_rule(struct buf *out, const struct scope *s, const struct rule_group *group,
                       const struct rule *rule)
{
    if (rule->alert) {
        struct buf alerts;
        bool first = true;
        buf_init(&alerts, FILE_MAX);
        const char *state = print_alerts(&alerts, s, group, rule, &first);
        buf_printf(out, "{\"state\":\"%s\",\"name\":", state);
        prom_print_string(out, rule->alert);
        buf_puts(out, ",\"query\":");
        prom_print_string(out, rule->query);
        buf_printf(out, ",\"duration\":%lld,\"keepFiringFor\":0,\"labels\":",
                   (long long)(rule->for_ns / SECOND));
        print_texts(out, rule->labels);
        buf_puts(out, ",\"annotations\":");
        print_texts(out, rule->annotations);
        buf_printf(out, ",\"alerts\":[%.*s]", (int)alerts.len, alerts.at ? alerts.at : "");
        buf_release(&alerts);
    } else {
        buf_puts(out, "{\"name\":");
        prom_print_string(out, rule->name);
        buf_puts(out, ",\"query\":");
        prom_print_string(out, rule->query);
    }
    buf_printf(
        out,
        ",\"health\":\"ok\",\"evaluationTime\":0.001,\"lastEvaluation\":\"%s\",\"type\":\"%s\"}",
        iso(s->arena, s->now_ns + s->start_unix_ns), rule->alert ? "alerting" : "recording");
}

void prom_print_rules(struct buf *out, struct arena *arena, const struct prom_rules *rules,
                      const struct prom_series *series, int n_series, int64_t now_ns,
                      int64_t start_unix_ns, bool only_alerts)
{
    struct scope s = {arena, series, n_series, now_ns, start_unix_ns};
    bool first = true;
    buf_puts(out, only_alerts ? "{\"alerts\":[" : "{\"groups\":[");
    for (const struct rule_group *group = rules ? rules->groups : NULL; group;
         group = group->next) {
        if (!only_alerts) {
            buf_printf(out, "%s{\"name\":", group == rules->groups ? "" : ",");
            prom_print_string(out, group->name);
            buf_puts(out, ",\"file\":");
            prom_print_string(out, group->file);
            buf_puts(out, ",\"rules\":[");
        }
        for (const struct rule *rule = group->rules; rule; rule = rule->next) {
            if (only_alerts && rule->alert)
                print_alerts(out, &s, group, rule, &first);
            if (only_alerts)
                continue;
            print_rule(out, &s, group, rule);
            buf_puts(out, rule->next ? "," : "");
        }
        if (!only_alerts)
            buf_printf(out,
                       "],\"interval\":%lld,\"limit\":0,\"evaluationTime\":0.001,"
                       "\"lastEvaluation\":\"%s\"}",
                       (long long)(group->interval_ns / SECOND),
                       iso(arena, now_ns + start_unix_ns));
    }
    buf_puts(out, "]}");
}
