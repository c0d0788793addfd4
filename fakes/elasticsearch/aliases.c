/* Aliases: other names of indices, switched all at once. */
#include <string.h>

#include "fakes/elasticsearch/node.h"

static const char *part(const struct es_exchange *x, int i)
{
    return i < x->n_parts ? arena_str(x->arena, x->parts[i]) : "*";
}

static void get_aliases(struct es_exchange *x)
{
    bool by_name = x->n_parts && strncmp(x->path, "_alias", 6) == 0;
    struct es_indices all;
    const char *pattern = by_name ? part(x, 0) : x->n_parts > 1 ? part(x, 1) : NULL;
    int found = 0;
    if (!es_resolve(x, by_name ? "*" : part(x, 0), true, &all))
        return;
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; i < all.n; i++) {
        cJSON *aliases = cJSON_CreateObject();
        for (const cJSON *alias = all.at[i]->aliases->child; alias; alias = alias->next) {
            if (!pattern || es_matches(pattern, str_of(alias->string)))
                cJSON_AddItemToObject(aliases, alias->string, cJSON_Duplicate(alias, true));
        }
        found += aliases->child != NULL;
        if (!pattern || aliases->child)
            cJSON_AddItemToObject(cJSON_AddObjectToObject(json, all.at[i]->name), "aliases",
                                  aliases);
        else
            cJSON_Delete(aliases);
    }
    if (pattern && !found && !strchr(pattern, '*')) {
        cJSON_AddStringToObject(json, "error",
                                arena_printf(x->arena, "alias [%s] missing", pattern));
        cJSON_AddNumberToObject(json, "status", 404);
        es_answer(x, 404, json);
        return;
    }
    es_answer(x, 200, json);
}

static void set_alias(struct es_index *index, const char *name, const cJSON *action)
{
    cJSON *alias = cJSON_CreateObject();
    for (const cJSON *item = action ? action->child : NULL; item; item = item->next) {
        if (strcmp(item->string, "filter") == 0 || strcmp(item->string, "is_write_index") == 0)
            cJSON_AddItemToObject(alias, item->string, cJSON_Duplicate(item, true));
    }
    cJSON_DeleteItemFromObjectCaseSensitive(index->aliases, name);
    cJSON_AddItemToObject(index->aliases, name, alias);
}

/* "index", "indices", "alias", "aliases" of an action, joined by commas. */
static const char *named(struct es_exchange *x, const cJSON *action, const char *one,
                         const char *many)
{
    const cJSON *single = cJSON_GetObjectItemCaseSensitive(action, one),
                *list = cJSON_GetObjectItemCaseSensitive(action, many);
    const char *text = NULL;
    if (cJSON_IsString(single))
        return single->valuestring;
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next) {
        if (cJSON_IsString(item))
            text =
                text ? arena_printf(x->arena, "%s,%s", text, item->valuestring) : item->valuestring;
    }
    return text;
}

/* Checks (do_it false) or carries out one action of POST _aliases. False: the answer is given. */
static bool one_action(struct es_exchange *x, const cJSON *action, bool do_it)
{
    const cJSON *what = action->child;
    const char *indices = what ? named(x, what, "index", "indices") : NULL,
               *aliases = what ? named(x, what, "alias", "aliases") : NULL;
    struct es_indices all;
    bool removes_index = what && strcmp(what->string, "remove_index") == 0,
         adds = what && strcmp(what->string, "add") == 0;
    if (!what || (!adds && !removes_index && strcmp(what->string, "remove") != 0)) {
        es_error(x, 400, "x_content_parse_exception", "[1:1] [alias_action] unknown field [%s]",
                 what ? what->string : "");
        return false;
    }
    if (!indices || (!aliases && !removes_index)) {
        es_error(x, 400, "x_content_parse_exception",
                 "[1:1] [aliases] failed to parse field [actions]");
        return false;
    }
    if (!es_resolve(x, indices, true, &all))
        return false;
    for (int i = 0; i < all.n; i++) {
        struct str rest = str_of(aliases);
        if (removes_index && do_it)
            es_forget_index(x->node, all.at[i], "POST /_aliases, remove_index");
        while (rest.len) {
            const char *name = arena_str(x->arena, str_trim(str_cut(&rest, ',')));
            if (adds && es_find_index(x->node, str_of(name)) && !do_it) {
                es_error(x, 400, "invalid_alias_name_exception",
                         "Invalid alias name [%s]: an index or data stream exists with the same "
                         "name as the alias",
                         name);
                return false;
            }
            if (adds && do_it)
                set_alias(all.at[i], name, what);
            if (adds)
                continue;
            bool there = false;
            for (cJSON *alias = all.at[i]->aliases->child, *next; alias; alias = next) {
                next = alias->next;
                if (!es_matches(name, str_of(alias->string)))
                    continue;
                there = true;
                if (do_it)
                    cJSON_DeleteItemFromObjectCaseSensitive(all.at[i]->aliases, alias->string);
            }
            if (!there && !do_it &&
                cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(what, "must_exist"))) {
                es_error(x, 404, "aliases_not_found_exception", "aliases [%s] missing", name);
                return false;
            }
        }
        if (do_it && !removes_index)
            record_change(x->node->env->record, all.at[i]->name, "alias %s %s", aliases,
                          adds ? "added" : "removed");
    }
    return true;
}

/* All actions or none. An action removes an alias before another adds it: a switch is atomic. */
static void post_aliases(struct es_exchange *x)
{
    const cJSON *actions = cJSON_GetObjectItemCaseSensitive(x->body, "actions");
    if (!cJSON_IsArray(actions) || !actions->child) {
        es_error(x, 400, "illegal_argument_exception", "No action specified");
        return;
    }
    for (const cJSON *action = actions->child; action; action = action->next) {
        if (!one_action(x, action, false))
            return;
    }
    for (const cJSON *action = actions->child; action; action = action->next)
        one_action(x, action, true);
    es_acknowledge(x);
}

static void put_alias(struct es_exchange *x)
{
    struct es_indices all;
    const char *name = part(x, 1);
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    if (es_find_index(x->node, str_of(name))) {
        es_error(x, 400, "invalid_alias_name_exception",
                 "Invalid alias name [%s]: an index or data stream exists with the same name as "
                 "the alias",
                 name);
        return;
    }
    for (int i = 0; i < all.n; i++) {
        set_alias(all.at[i], name, x->body);
        record_change(x->node->env->record, all.at[i]->name, "alias %s added", name);
    }
    es_acknowledge(x);
}

static void delete_alias(struct es_exchange *x)
{
    struct es_indices all;
    const char *name = part(x, 1);
    bool there = false;
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    for (int i = 0; i < all.n; i++) {
        if (!cJSON_GetObjectItemCaseSensitive(all.at[i]->aliases, name))
            continue;
        there = true;
        cJSON_DeleteItemFromObjectCaseSensitive(all.at[i]->aliases, name);
        record_change(x->node->env->record, all.at[i]->name, "alias %s removed", name);
    }
    if (there)
        es_acknowledge(x);
    else
        es_error(x, 404, "aliases_not_found_exception", "aliases [%s] missing", name);
}

const struct es_route es_alias_routes[] = {
    {"GET", "_alias", get_aliases},
    {"GET", "_alias/{name}", get_aliases},
    {"POST", "_aliases", post_aliases},
    {"GET", "{index}/_alias", get_aliases},
    {"GET", "{index}/_alias/{name}", get_aliases},
    {"PUT POST", "{index}/_alias/{name}", put_alias},
    {"PUT POST", "{index}/_aliases/{name}", put_alias},
    {"DELETE", "{index}/_alias/{name}", delete_alias},
    {"DELETE", "{index}/_aliases/{name}", delete_alias},
    {NULL, NULL, NULL},
};
