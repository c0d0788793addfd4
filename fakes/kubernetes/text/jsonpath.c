#include "fakes/kubernetes/text/jsonpath.h"

#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/jsonpath_parse.h"
#include "fakes/kubernetes/text/manifest.h"
#include "sim/base/str.h"

/* What one evaluation may look at (a template can multiply), and how much a message may hold. */
enum { STEPS_MAX = 2000000, MESSAGE_MAX = 1 << 22 };

/* Values on their way through the template; NULL is Go's zero value. */
struct values {
    const cJSON **at;
    int n, cap;
};

struct run {
    struct arena *arena;
    struct jsonpath_nodes nodes;
    bool strict;
    const char *error;
    int steps;
    /* Ranges, as the original keeps them: how many have begun or ended in the node just walked, how
     * deep we are, and where the last one ended. */
    int begin_range, in_range, end_range, last_end;
};

static void fail(struct run *run, const char *what)
{
    if (!run->error)
        run->error = what;
}

static void push(struct run *run, struct values *values, const cJSON *value)
{
    if (++run->steps > STEPS_MAX) {
        fail(run, "the template looks at too many values");
        return;
    }
    if (values->n == values->cap) {
        values->cap = values->cap ? 2 * values->cap : 8;
        const cJSON **at = ARENA_ARRAY(run->arena, const cJSON *, values->cap);
        if (values->n > 0)
            memcpy(at, values->at, sizeof *at * (size_t)values->n);
        values->at = at;
    }
    values->at[values->n++] = value;
}

static void push_all(struct run *run, struct values *values, struct values more)
{
    for (int i = 0; i < more.n; i++)
        push(run, values, more.at[i]);
}

static bool is_nil(const cJSON *value)
{
    return !value || cJSON_IsNull(value);
}

static struct values walk_list(struct run *run, const struct jsonpath_nodes *, struct values in);

static struct values fields(struct run *run, const char *name, struct values in)
{
    struct values out = {0};
    for (int i = 0; i < in.n; i++) {
        const cJSON *child =
            cJSON_IsObject(in.at[i]) ? cJSON_GetObjectItemCaseSensitive(in.at[i], name) : NULL;
        if (child)
            push(run, &out, child);
    }
    if (out.n == 0 && in.n > 0 && run->strict)
        fail(run, arena_printf(run->arena, "%s is not found", name));
    return out;
}

/* [from:to:step] of one list. False: nothing is asked for, and the lists behind it are left out
 * too. */
static bool slice(struct run *run, const struct jsonpath_node *node, const cJSON *list,
                  struct values *out)
{
    int64_t len = cJSON_GetArraySize(list);
    int64_t from = node->range[0].known ? node->range[0].value : 0;
    int64_t to = node->range[1].known ? node->range[1].value : len;
    int64_t step = node->range[2].known ? node->range[2].value : 1;
    if (from < 0)
        from += len;
    if (to < 0 || (to == 0 && node->range[1].derived))
        to += len;
    if (from == to)
        return false;
    if (from >= len || from < 0)
        fail(run, arena_printf(run->arena,
                               "array index out of bounds: index %" PRId64 ", length %" PRId64,
                               from, len));
    else if (to > len || to < 0)
        fail(run, arena_printf(run->arena,
                               "array index out of bounds: index %" PRId64 ", length %" PRId64,
                               to - 1, len));
    else if (from > to)
        fail(run, arena_printf(run->arena,
                               "starting index %" PRId64 " is greater than ending index %" PRId64,
                               from, to));
    else if (step <= 0)
        fail(run, "step must be > 0");
    int64_t i = 0;
    for (const cJSON *item = list->child; item && i < to && !run->error; item = item->next, i++) {
        if (i >= from && (i - from) % step == 0)
            push(run, out, item);
    }
    return true;
}

static struct values array(struct run *run, const struct jsonpath_node *node, struct values in)
{
    struct values out = {0};
    for (int i = 0; i < in.n && !run->error; i++) {
        if (is_nil(in.at[i]))
            continue;
        if (!cJSON_IsArray(in.at[i]))
            fail(run,
                 arena_printf(run->arena, "%s is not array or slice", go_value_type(in.at[i])));
        else if (!slice(run, node, in.at[i], &out))
            break;
    }
    return run->error ? in : out;
}

/* Children of a map or list; of a text, as Go has it, its bytes. */
static struct values children(struct run *run, const cJSON *value)
{
    struct values out = {0};
    if (cJSON_IsString(value)) {
        for (const char *p = value->valuestring; *p && !run->error; p++)
            push(run, &out, jsonpath_number(run->arena, (unsigned char)*p));
    } else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        for (const cJSON **child = go_value_children(run->arena, value); *child; child++)
            push(run, &out, *child);
    }
    return out;
}

static struct values wildcard(struct run *run, struct values in)
{
    struct values out = {0};
    for (int i = 0; i < in.n && !run->error; i++)
        push_all(run, &out, children(run, in.at[i]));
    return out;
}

static void descend(struct run *run, const cJSON *value, struct values *out)
{
    struct values inside = children(run, value);
    if (inside.n > 0)
        push(run, out, value);
    for (int i = 0; i < inside.n && !run->error; i++)
        descend(run, inside.at[i], out);
}

/* Kinds that can be compared; '\0': none. */
static char comparable(const cJSON *value)
{
    if (cJSON_IsString(value))
        return 's';
    if (cJSON_IsBool(value))
        return 'b';
    if (cJSON_IsNumber(value))
        return go_value_is_int(value) && !(value->type & JSONPATH_FLOAT) ? 'i' : 'f';
    return '\0';
}

static bool compare(struct run *run, const cJSON *left, const char *operator, const cJSON * right)
{
    char kind = comparable(left), other = comparable(right);
    bool ordered = operator[0] == '<' || operator[0] == '>';
    if (!kind || !other || (ordered && kind == 'b' && other == 'b')) {
        fail(run, "invalid type for comparison");
        return false;
    }
    if (kind != other) {
        fail(run, "incompatible types for comparison");
        return false;
    }
    int order;
    if (kind == 's') {
        order = strcmp(left->valuestring, right->valuestring);
    } else {
        double x = kind == 'b' ? cJSON_IsTrue(left) : left->valuedouble;
        double y = kind == 'b' ? cJSON_IsTrue(right) : right->valuedouble;
        order = x < y ? -1 : x > y;
    }
    switch (operator[0]) {
    case '<':
        return operator[1] == '=' ? order <= 0 : order<0;
    case '>':
        return operator[1] == '=' ? order >= 0 : order> 0;
    case '!':
        return order != 0;
    default:
        return order == 0;
    }
}

static bool known_operator(const char *operator)
{
    static const char *const known[] = {"<", ">", "==", "!=", "<=", ">="};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(operator, known[i]) == 0)
            return true;
    }
    return false;
}

/* Whether an item passes a filter. */
static bool passes(struct run *run, const struct jsonpath_node *node, const cJSON *item)
{
    const cJSON *one[] = {item};
    struct values in = {one, 1, 1};
    struct values left = walk_list(run, &node->inside, in);
    if (strcmp(node->name, "exists") == 0) {
        if (run->steps <= STEPS_MAX)
            run->error = NULL; /* the original forgets it here */
        return left.n > 0;
    }
    if (run->error || left.n == 0)
        return false;
    struct values right = left.n == 1 ? walk_list(run, &node->right, in) : left;
    if (run->error || right.n == 0)
        return false;
    if (right.n > 1) {
        fail(run, "can only compare one element at a time");
        return false;
    }
    if (!known_operator(node->name)) {
        fail(run, arena_printf(run->arena, "unrecognized filter operator %s", node->name));
        return false;
    }
    return compare(run, left.at[0], node->name, right.at[0]);
}

static const char *printed(struct arena *arena, const cJSON *value)
{
    struct buf text;
    buf_init(&text, MESSAGE_MAX);
    go_value_print(&text, value);
    const char *copy = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

static struct values filter(struct run *run, const struct jsonpath_node *node, struct values in)
{
    struct values out = {0};
    for (int i = 0; i < in.n && !run->error; i++) {
        if (!cJSON_IsArray(in.at[i])) {
            fail(run, arena_printf(run->arena, "%s is not array or slice and cannot be filtered",
                                   in.at[i] ? printed(run->arena, in.at[i])
                                            : "<invalid reflect.Value>"));
            return in;
        }
        for (const cJSON *item = in.at[i]->child; item && !run->error; item = item->next) {
            if (passes(run, node, item))
                push(run, &out, item);
        }
    }
    return out;
}

static struct values identifier(struct run *run, const char *name, struct values in)
{
    if (strcmp(name, "range") == 0) {
        run->begin_range++;
        return in;
    }
    if (strcmp(name, "end") != 0) {
        fail(run, arena_printf(run->arena, "unrecognized identifier %s", name));
        return in;
    }
    if (run->in_range > 0)
        run->end_range++;
    else
        fail(run, "not in range, nothing to end");
    return (struct values){0};
}

static struct values walk(struct run *run, const struct jsonpath_node *node, struct values in)
{
    struct values out = {0};
    switch (node->type) {
    case JSONPATH_LIST:
        return walk_list(run, &node->inside, in);
    case JSONPATH_TEXT:
        push(run, &out, node->value);
        return out;
    case JSONPATH_CONSTANT:
        for (int i = 0; i < in.n; i++)
            push(run, &out, node->value);
        return out;
    case JSONPATH_FIELD:
        return fields(run, node->name, in);
    case JSONPATH_ARRAY:
        return array(run, node, in);
    case JSONPATH_FILTER:
        return filter(run, node, in);
    case JSONPATH_WILDCARD:
        return wildcard(run, in);
    case JSONPATH_RECURSIVE:
        for (int i = 0; i < in.n; i++)
            descend(run, in.at[i], &out);
        return out;
    case JSONPATH_UNION:
        for (int i = 0; i < node->inside.n && !run->error; i++)
            push_all(run, &out, walk(run, node->inside.at[i], in));
        return run->error ? in : out;
    case JSONPATH_IDENTIFIER:
        break;
    }
    return identifier(run, node->name, in);
}

static struct values walk_list(struct run *run, const struct jsonpath_nodes *nodes,
                               struct values in)
{
    for (int i = 0; i < nodes->n && !run->error; i++)
        in = walk(run, nodes->at[i], in);
    return in;
}

/* Results of each node of the template, in turn. */
struct results {
    struct values *at;
    int n, cap;
};

static void add_result(struct run *run, struct results *results, struct values values)
{
    if (!results)
        return;
    if (results->n == results->cap) {
        results->cap = results->cap ? 2 * results->cap : 16;
        struct values *at = ARENA_ARRAY(run->arena, struct values, results->cap);
        if (results->n > 0)
            memcpy(at, results->at, sizeof *at * (size_t)results->n);
        results->at = at;
    }
    results->at[results->n++] = values;
}

/* The nodes from `first` on, on one value; `results` NULL: a range over nothing, whose inside is
 * only walked to its end. */
static void find(struct run *run, int first, const cJSON *value, struct results *results)
{
    struct values in = {0};
    push(run, &in, value);
    for (int i = first; i < run->nodes.n && !run->error; i++) {
        if (++run->steps > STEPS_MAX)
            fail(run, "the template looks at too many values");
        struct values found = walk(run, run->nodes.at[i], in);
        if (run->error)
            return;
        if (run->end_range > 0 && run->end_range <= run->in_range) {
            run->end_range--;
            run->last_end = i;
            return;
        }
        if (run->begin_range == 0) {
            add_result(run, results, found);
            continue;
        }
        run->begin_range--;
        run->in_range++;
        for (int k = 0; k < found.n && !run->error; k++)
            find(run, i + 1, found.at[k], results);
        if (found.n == 0)
            find(run, i + 1, NULL, NULL);
        run->in_range--;
        if (run->last_end > i)
            i = run->last_end;
    }
}

static struct results execute(struct run *run, const cJSON *root)
{
    struct results results = {0};
    run->last_end = -1;
    find(run, 0, root, &results);
    return results;
}

static void print_json(const struct values *values, struct buf *out)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < values->n; i++)
        cJSON_AddItemToArray(list, values->at[i] ? cJSON_Duplicate(values->at[i], true)
                                                 : cJSON_CreateNull());
    json_write(out, list);
    cJSON_Delete(list);
}

static void print(const struct values *values, struct buf *out)
{
    for (int i = 0; i < values->n; i++) {
        const cJSON *value = values->at[i];
        if (i > 0)
            buf_putc(out, ' ');
        if (cJSON_IsObject(value) || cJSON_IsArray(value) || is_nil(value))
            json_compact(out, value);
        else
            go_value_print(out, value);
    }
}

static const char *execution_error(struct arena *arena, const char *template, const cJSON *root,
                                   const char *why)
{
    struct buf text;
    buf_init(&text, MESSAGE_MAX);
    buf_puts(&text, "error executing jsonpath ");
    go_quote(&text, template);
    buf_printf(&text,
               ": Error executing template: %s. Printing more information for debugging the "
               "template:\n\ttemplate was:\n\t\t%s\n\tobject given to jsonpath engine was:\n\t\t",
               why, template);
    go_value_syntax(&text, root);
    buf_puts(&text, "\n\n");
    const char *message = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return message;
}

static const char *parsing_error(struct arena *arena, const char *template, const char *why)
{
    return why ? arena_printf(arena, "error parsing jsonpath %s, %s", template, why) : NULL;
}

const char *jsonpath_check(struct arena *arena, const char *template)
{
    struct jsonpath_nodes nodes;
    return parsing_error(arena, template, jsonpath_parse(arena, template, &nodes));
}

const char *jsonpath_print(struct arena *arena, const char *template, const cJSON *root,
                           unsigned flags, struct buf *out)
{
    struct run run = {.arena = arena, .strict = (flags & JSONPATH_STRICT) != 0};
    const char *why = jsonpath_parse(arena, template, &run.nodes);
    if (why)
        return parsing_error(arena, template, why);
    struct results results = execute(&run, root);
    if (run.error)
        return execution_error(arena, template, root, run.error);
    for (int i = 0; i < results.n; i++) {
        if (flags & JSONPATH_JSON)
            print_json(&results.at[i], out);
        else
            print(&results.at[i], out);
    }
    return NULL;
}

const char *jsonpath(struct arena *arena, const char *template, const cJSON *root, struct buf *out)
{
    return jsonpath_print(arena, template, root, 0, out);
}

const char *jsonpath_relaxed(struct arena *arena, const char *typed, const char **why)
{
    struct str path = str_of(typed);
    bool braces = str_starts(path, "{");
    if (path.len == 0)
        return "";
    if (braces && path.len >= 2 && str_ends(path, "}"))
        path = (struct str){path.at + 1, path.len - 2};
    else if (braces)
        path.len = 0;
    if (str_starts(path, ".") && path.len > 1)
        path = (struct str){path.at + 1, path.len - 1};
    if (path.len == 0 || memchr(path.at, '{', path.len) || memchr(path.at, '}', path.len)) {
        *why = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
               "'{name1.name2}' or '{.name1.name2}'";
        return NULL;
    }
    return arena_printf(arena, "{.%.*s}", STR_ARG(path));
}

const cJSON **jsonpath_find(struct arena *arena, const char *template, const cJSON *root,
                            const char **why)
{
    struct run run = {.arena = arena};
    *why = jsonpath_parse(arena, template, &run.nodes);
    if (*why)
        return NULL;
    struct results results = execute(&run, root);
    if (run.error) {
        *why = run.error;
        return NULL;
    }
    size_t n = 0;
    for (int i = 0; i < results.n; i++)
        n += (size_t)results.at[i].n;
    const cJSON **found = ARENA_ARRAY(arena, const cJSON *, n + 1);
    n = 0;
    for (int i = 0; i < results.n; i++)
        for (int k = 0; k < results.at[i].n; k++)
            found[n++] = results.at[i].at[k];
    return found;
}

const char *jsonpath_values(struct arena *arena, const char *template, const cJSON *root,
                            const char *separator, struct buf *out, int *ret_found)
{
    const char *why;
    const cJSON **values = jsonpath_find(arena, template, root, &why);
    int n = 0;
    for (; values && values[n]; n++) {
        if (n > 0)
            buf_puts(out, separator);
        go_value_print(out, values[n]);
    }
    if (ret_found)
        *ret_found = n;
    return values ? NULL : why;
}
