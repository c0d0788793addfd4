#include "fakes/go_template.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/str.h"

enum { VARIABLES_MAX = 32, ARGUMENTS_MAX = 16, DEPTH_MAX = 32, TEMPORARIES_MAX = 100000 };

struct run {
    struct arena *arena;
    const char *text, *p; /* p: the next character */
    struct buf *out;      /* NULL while skipping */
    const char *error;
    bool strict;
    struct {
        const char *name;
        const cJSON *value;
    } variables[VARIABLES_MAX];
    int n_variables;
    cJSON *temporaries; /* an array that owns what functions made */
    int depth;
};

/* ---- values ---- */

static const cJSON *own(struct run *run, cJSON *value)
{
    if (value && cJSON_GetArraySize(run->temporaries) < TEMPORARIES_MAX)
        cJSON_AddItemToArray(run->temporaries, value);
    return value;
}

static bool truth(const cJSON *value)
{
    if (!value || cJSON_IsNull(value) || cJSON_IsFalse(value))
        return false;
    if (cJSON_IsString(value))
        return value->valuestring[0] != '\0';
    if (cJSON_IsNumber(value))
        return value->valuedouble < 0 || value->valuedouble > 0;
    if (cJSON_IsArray(value) || cJSON_IsObject(value))
        return value->child != NULL;
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static const cJSON **sorted(struct run *run, const cJSON *object)
{
    int n = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, object) n++;
    const cJSON **list = ARENA_ARRAY(run->arena, const cJSON *, n + 1);
    n = 0;
    cJSON_ArrayForEach(child, object) list[n++] = child;
    if (cJSON_IsObject(object))
        qsort(list, (size_t)n, sizeof *list, by_key);
    return list;
}

static void print_value(struct run *run, const cJSON *value, struct buf *out)
{
    if (!value)
        buf_puts(out, "<no value>");
    else if (cJSON_IsString(value))
        buf_puts(out, value->valuestring);
    else if (cJSON_IsBool(value))
        buf_puts(out, cJSON_IsTrue(value) ? "true" : "false");
    else if (cJSON_IsNull(value))
        buf_puts(out, "<nil>");
    else if (cJSON_IsNumber(value) && fabs(value->valuedouble) < 1e15 &&
             value->valuedouble - floor(value->valuedouble) < 1e-12)
        buf_printf(out, "%" PRId64, (int64_t)value->valuedouble);
    else if (cJSON_IsNumber(value))
        buf_printf(out, "%g", value->valuedouble);
    else {
        bool object = cJSON_IsObject(value);
        buf_puts(out, object ? "map[" : "[");
        const cJSON **list = sorted(run, value);
        for (int i = 0; list[i]; i++) {
            buf_puts(out, i ? " " : "");
            if (object)
                buf_printf(out, "%s:", list[i]->string);
            print_value(run, list[i], out);
        }
        buf_putc(out, ']');
    }
}

static const char *as_text(struct run *run, const cJSON *value)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    print_value(run, value, &text);
    const char *z = arena_str(run->arena, buf_text(&text));
    buf_release(&text);
    return z;
}

/* ---- functions ---- */

static const cJSON *make_text(struct run *run, const char *text)
{
    return own(run, cJSON_CreateString(text));
}

static void add_json(const cJSON *value, struct buf *out)
{
    char *text = value ? cJSON_PrintUnformatted(value) : NULL;
    buf_puts(out, text ? text : "null");
    cJSON_free(text);
}

static int compare(const cJSON *a, const cJSON *b)
{
    if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
        return (a->valuedouble > b->valuedouble) - (a->valuedouble < b->valuedouble);
    if (cJSON_IsString(a) && cJSON_IsString(b))
        return strcmp(a->valuestring, b->valuestring);
    return cJSON_Compare(a, b, true) ? 0 : 1;
}

static const cJSON *format_text(struct run *run, const cJSON *const *args, int n)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    int next = 1;
    for (const char *p = as_text(run, args[0]); *p; p++) {
        if (*p != '%') {
            buf_putc(&text, *p);
            continue;
        }
        const char *start = p++;
        while (*p && strchr("-+# 0123456789.", *p))
            p++;
        if (*p == '%') {
            buf_putc(&text, '%');
            continue;
        }
        if (!*p)
            break;
        const char *value = next < n ? as_text(run, args[next]) : "%!v(MISSING)";
        int width = leading_int(start[1] == '-' ? start + 2 : start + 1);
        if (*p == 'q')
            buf_printf(&text, "\"%s\"", value);
        else if (start[1] == '-')
            buf_printf(&text, "%-*s", width, value);
        else
            buf_printf(&text, "%*s", width, value);
        next++;
    }
    const cJSON *made = make_text(run, arena_str(run->arena, buf_text(&text)));
    buf_release(&text);
    return made;
}

static const cJSON *change_case(struct run *run, const char *text, char how)
{
    char *copy = arena_strdup(run->arena, text);
    for (char *p = copy; *p; p++) {
        bool first = p == copy || p[-1] == ' ';
        *p = (char)(how == 'l'            ? tolower((unsigned char)*p)
                    : how == 'u' || first ? toupper((unsigned char)*p)
                                          : *p);
    }
    return make_text(run, copy);
}

static const cJSON *index_value(struct run *run, const cJSON *const *args, int n)
{
    const cJSON *at = args[0];
    for (int i = 1; i < n && at; i++)
        at = cJSON_IsArray(at) && cJSON_IsNumber(args[i])
                 ? cJSON_GetArrayItem(at, args[i]->valueint)
                 : cJSON_GetObjectItemCaseSensitive(at, as_text(run, args[i]));
    return at ? at : make_text(run, "");
}

static const cJSON *split_text(struct run *run, const char *text, const char *at)
{
    cJSON *list = cJSON_CreateArray();
    size_t len = strlen(at);
    const char *next;
    while (len && (next = strstr(text, at))) {
        cJSON_AddItemToArray(list, cJSON_CreateString(arena_str(
                                       run->arena, (struct str){text, (size_t)(next - text)})));
        text = next + len;
    }
    cJSON_AddItemToArray(list, cJSON_CreateString(text));
    return own(run, list);
}

static const cJSON *join_text(struct run *run, const cJSON *list, const char *with)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (item != list->child)
            buf_puts(&text, with);
        print_value(run, item, &text);
    }
    const cJSON *made = make_text(run, arena_str(run->arena, buf_text(&text)));
    buf_release(&text);
    return made;
}

static bool is_function(const char *name)
{
    static const char *const names[] = {
        "json", "lower", "upper",  "title",    "join",  "split", "index",
        "len",  "print", "printf", "println",  "eq",    "ne",    "lt",
        "le",   "gt",    "ge",     "and",      "or",    "not",   "truncate",
        "pad",  "html",  "js",     "urlquery", "slice", "call",  NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static const cJSON *call_function(struct run *run, const char *name, const cJSON *const *args,
                                  int n)
{
    const cJSON *first = n > 0 ? args[0] : NULL, *second = n > 1 ? args[1] : NULL;
    if (strcmp(name, "json") == 0) {
        struct buf text;
        buf_init(&text, 4 << 20);
        add_json(first, &text);
        const cJSON *made = make_text(run, arena_str(run->arena, buf_text(&text)));
        buf_release(&text);
        return made;
    }
    if (strcmp(name, "lower") == 0 || strcmp(name, "upper") == 0 || strcmp(name, "title") == 0)
        return change_case(run, as_text(run, first), name[0]);
    if (strcmp(name, "join") == 0)
        return join_text(run, first, second ? as_text(run, second) : "");
    if (strcmp(name, "split") == 0)
        return split_text(run, as_text(run, first), as_text(run, second));
    if (strcmp(name, "index") == 0)
        return index_value(run, args, n);
    if (strcmp(name, "len") == 0)
        return own(run,
                   cJSON_CreateNumber(cJSON_IsString(first) ? (double)strlen(first->valuestring)
                                                            : (double)cJSON_GetArraySize(first)));
    if (strcmp(name, "printf") == 0)
        return format_text(run, args, n);
    if (strcmp(name, "print") == 0 || strcmp(name, "println") == 0) {
        const char *text = "";
        for (int i = 0; i < n; i++)
            text = arena_printf(run->arena, "%s%s%s", text, i && name[5] ? " " : "",
                                as_text(run, args[i]));
        return make_text(run, name[5] ? arena_printf(run->arena, "%s\n", text) : text);
    }
    if (strcmp(name, "not") == 0)
        return own(run, cJSON_CreateBool(!truth(first)));
    if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0) {
        bool stop_at = name[0] == 'o';
        for (int i = 0; i < n; i++) {
            if (truth(args[i]) == stop_at)
                return args[i];
        }
        return n ? args[n - 1] : NULL;
    }
    if (strcmp(name, "truncate") == 0) {
        const char *text = as_text(run, first);
        size_t max = second ? (size_t)second->valuedouble : 0;
        return make_text(run, strlen(text) > max ? arena_str(run->arena, (struct str){text, max})
                                                 : text);
    }
    if (name[0] && name[1] && !name[2]) {
        int order = compare(first, second);
        bool holds = strcmp(name, "eq") == 0   ? order == 0
                     : strcmp(name, "ne") == 0 ? order != 0
                     : strcmp(name, "lt") == 0 ? order < 0
                     : strcmp(name, "le") == 0 ? order <= 0
                     : strcmp(name, "gt") == 0 ? order > 0
                                               : order >= 0;
        for (int i = 2; strcmp(name, "eq") == 0 && i < n && !holds; i++)
            holds = compare(first, args[i]) == 0;
        return own(run, cJSON_CreateBool(holds));
    }
    return first;
}

/* ---- expressions inside {{ }} ---- */

static void fail(struct run *run, const char *what)
{
    if (!run->error)
        run->error = what;
}

static void skip_blanks(struct run *run)
{
    while (isspace((unsigned char)*run->p))
        run->p++;
}

static bool at_end(struct run *run)
{
    skip_blanks(run);
    return strncmp(run->p, "}}", 2) == 0 || strncmp(run->p, "-}}", 3) == 0 || !*run->p;
}

static const char *word(struct run *run)
{
    const char *start = run->p;
    while (isalnum((unsigned char)*run->p) || *run->p == '_')
        run->p++;
    return arena_str(run->arena, (struct str){start, (size_t)(run->p - start)});
}

static const cJSON *pipeline(struct run *run, const cJSON *dot);

static const cJSON *fields(struct run *run, const cJSON *at)
{
    while (*run->p == '.' && (isalpha((unsigned char)run->p[1]) || run->p[1] == '_')) {
        const char *start = run->p++;
        const char *name = word(run);
        const cJSON *child = at ? cJSON_GetObjectItemCaseSensitive(at, name) : NULL;
        if (!child && run->strict && run->out) {
            long column = start - run->text;
            fail(run,
                 cJSON_IsObject(at) || !at
                     ? arena_printf(run->arena,
                                    "template: :1:%ld: executing \"\" at <.%s>: map has no entry "
                                    "for key \"%s\"",
                                    column, name, name)
                     : arena_printf(run->arena,
                                    "template: :1:%ld: executing \"\" at <.%s>: can't evaluate "
                                    "field %s in type interface {}",
                                    column, name, name));
        }
        at = child;
    }
    return at;
}

static const cJSON *quoted(struct run *run)
{
    char quote = *run->p++;
    char *text = arena_alloc(run->arena, strlen(run->p) + 1);
    size_t n = 0;
    for (; *run->p && *run->p != quote; run->p++) {
        if (*run->p == '\\' && quote == '"' && run->p[1]) {
            run->p++;
            text[n++] = *run->p == 'n' ? '\n' : *run->p == 't' ? '\t' : *run->p;
        } else {
            text[n++] = *run->p;
        }
    }
    if (*run->p)
        run->p++;
    else
        fail(run, "template: :1: unterminated quoted string");
    return make_text(run, text);
}

static const cJSON *operand(struct run *run, const cJSON *dot)
{
    skip_blanks(run);
    char c = *run->p;
    if (c == '"' || c == '`')
        return quoted(run);
    if (c == '(') {
        run->p++;
        const cJSON *value = ++run->depth < DEPTH_MAX ? pipeline(run, dot) : NULL;
        run->depth--;
        skip_blanks(run);
        if (*run->p == ')')
            run->p++;
        else
            fail(run, "template: :1: unclosed left paren");
        return fields(run, value);
    }
    if (c == '$') {
        run->p++;
        const char *name = word(run);
        const cJSON *value = NULL;
        for (int i = 0; i < run->n_variables; i++) {
            if (strcmp(run->variables[i].name, name) == 0)
                value = run->variables[i].value;
        }
        return fields(run, value);
    }
    if (c == '.') {
        if (isalpha((unsigned char)run->p[1]) || run->p[1] == '_')
            return fields(run, dot);
        run->p++;
        return dot;
    }
    if (isdigit((unsigned char)c) || (c == '-' && isdigit((unsigned char)run->p[1]))) {
        char *end;
        double number = strtod(run->p, &end);
        run->p = end;
        return own(run, cJSON_CreateNumber(number));
    }
    const char *name = word(run);
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        return own(run, cJSON_CreateBool(name[0] == 't'));
    if (strcmp(name, "nil") != 0)
        fail(run, name[0]
                      ? arena_printf(run->arena, "template: :1: function \"%s\" not defined", name)
                      : arena_printf(run->arena, "template: :1: unexpected \"%.1s\" in command",
                                     run->p));
    return NULL;
}

/* One command of a pipeline; `before` is the value piped into it, `piped` whether there is one. */
static const cJSON *command(struct run *run, const cJSON *dot, const cJSON *before, bool piped)
{
    const cJSON *args[ARGUMENTS_MAX + 1];
    int n = 0;
    const char *name = NULL;
    skip_blanks(run);
    if (isalpha((unsigned char)*run->p)) {
        const char *start = run->p;
        name = word(run);
        if (!is_function(name)) {
            run->p = start;
            name = NULL;
        }
    }
    while (!run->error && !at_end(run) && *run->p != '|' && *run->p != ')' && n < ARGUMENTS_MAX)
        args[n++] = operand(run, dot);
    if (piped)
        args[n++] = before;
    if (name)
        return call_function(run, name, args, n);
    if (n == 0) {
        fail(run, "template: :1: missing value for command");
        return NULL;
    }
    if (n > 1 && cJSON_IsObject(args[0])) { /* a method with an argument */
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(args[0], as_text(run, args[1]));
        return value ? value : make_text(run, "");
    }
    return args[0];
}

static const cJSON *pipeline(struct run *run, const cJSON *dot)
{
    const cJSON *value = command(run, dot, NULL, false);
    for (;;) {
        skip_blanks(run);
        if (*run->p != '|' || run->error)
            return value;
        run->p++;
        value = command(run, dot, value, true);
    }
}

static void set_variable(struct run *run, const char *name, const cJSON *value)
{
    if (run->n_variables < VARIABLES_MAX) {
        run->variables[run->n_variables].name = name;
        run->variables[run->n_variables++].value = value;
    }
}

/* ---- actions ---- */

enum stop { STOP_END_OF_TEXT, STOP_END, STOP_ELSE };

static enum stop body(struct run *run, const cJSON *dot);

static bool keyword(struct run *run, const char *name)
{
    size_t len = strlen(name);
    skip_blanks(run);
    if (strncmp(run->p, name, len) != 0 || isalnum((unsigned char)run->p[len]))
        return false;
    run->p += len;
    return true;
}

static void close_action(struct run *run)
{
    skip_blanks(run);
    bool trim = *run->p == '-';
    if (trim)
        run->p++;
    if (strncmp(run->p, "}}", 2) != 0) {
        fail(run, *run->p ? arena_printf(run->arena, "template: :1: unexpected \"%.1s\" in operand",
                                         run->p)
                          : "template: :1: unclosed action");
        return;
    }
    run->p += 2;
    while (trim && isspace((unsigned char)*run->p))
        run->p++;
}

static enum stop skip_body(struct run *run, const cJSON *dot)
{
    struct buf *out = run->out;
    run->out = NULL;
    enum stop stop = body(run, dot);
    run->out = out;
    return stop;
}

/* if and with; stands behind the keyword. */
static void conditional(struct run *run, const cJSON *dot, bool with)
{
    const cJSON *value = pipeline(run, dot);
    bool holds = truth(value) && run->out;
    close_action(run);
    enum stop stop = holds ? body(run, with ? value : dot) : skip_body(run, dot);
    if (stop == STOP_ELSE && !run->error) {
        if (keyword(run, "if")) {
            struct buf *out = run->out;
            if (holds)
                run->out = NULL;
            conditional(run, dot, false);
            run->out = out;
            return;
        }
        close_action(run);
        stop = holds ? skip_body(run, dot) : body(run, dot);
    }
    if (stop == STOP_END)
        close_action(run);
    else
        fail(run, "template: :1: unexpected EOF");
}

/* range; stands behind the keyword. */
static void loop(struct run *run, const cJSON *dot)
{
    const char *names[2] = {NULL, NULL};
    int n_names = 0;
    skip_blanks(run);
    const char *start = run->p;
    while (*run->p == '$' && n_names < 2) {
        run->p++;
        names[n_names++] = word(run);
        skip_blanks(run);
        if (*run->p == ',')
            run->p++;
        skip_blanks(run);
    }
    if (strncmp(run->p, ":=", 2) == 0) {
        run->p += 2;
    } else {
        run->p = start;
        n_names = 0;
    }
    const cJSON *list = pipeline(run, dot);
    close_action(run);
    const char *inside = run->p;
    const cJSON **items = sorted(run, list);
    bool any = list && items[0] && run->out;
    int n_variables = run->n_variables;
    enum stop stop = any ? STOP_END : skip_body(run, dot);
    for (int i = 0; any && items[i] && !run->error; i++) {
        run->p = inside;
        run->n_variables = n_variables;
        const cJSON *key = cJSON_IsObject(list) ? make_text(run, items[i]->string)
                                                : own(run, cJSON_CreateNumber(i));
        if (n_names == 2)
            set_variable(run, names[0], key);
        if (n_names > 0)
            set_variable(run, names[n_names - 1], items[i]);
        stop = body(run, items[i]);
    }
    run->n_variables = n_variables;
    if (stop == STOP_ELSE && !run->error) {
        close_action(run);
        stop = any ? skip_body(run, dot) : body(run, dot);
    }
    if (stop == STOP_END)
        close_action(run);
    else
        fail(run, "template: :1: unexpected EOF");
}

/* What stands between {{ and }}; true: this ends the body (*ret says how, the keyword is read). */
static bool action(struct run *run, const cJSON *dot, enum stop *ret)
{
    if (keyword(run, "end")) {
        *ret = STOP_END;
        return true;
    }
    if (keyword(run, "else")) {
        *ret = STOP_ELSE;
        return true;
    }
    if (++run->depth > DEPTH_MAX)
        fail(run, "template: :1: exceeded maximum template depth");
    if (strncmp(run->p, "/*", 2) == 0) {
        const char *end = strstr(run->p, "*/");
        run->p = end ? end + 2 : run->p + strlen(run->p);
        close_action(run);
    } else if (keyword(run, "if")) {
        conditional(run, dot, false);
    } else if (keyword(run, "with")) {
        conditional(run, dot, true);
    } else if (keyword(run, "range")) {
        loop(run, dot);
    } else {
        skip_blanks(run);
        const char *start = run->p, *name = NULL;
        if (*run->p == '$') {
            run->p++;
            name = word(run);
            skip_blanks(run);
            if (strncmp(run->p, ":=", 2) == 0 || *run->p == '=') {
                run->p += *run->p == '=' ? 1 : 2;
            } else {
                run->p = start;
                name = NULL;
            }
        }
        const cJSON *value = pipeline(run, dot);
        close_action(run);
        if (name)
            set_variable(run, name, value);
        else if (run->out && !run->error)
            print_value(run, value, run->out);
    }
    run->depth--;
    return false;
}

static enum stop body(struct run *run, const cJSON *dot)
{
    while (*run->p && !run->error) {
        const char *open = strstr(run->p, "{{");
        size_t len = open ? (size_t)(open - run->p) : strlen(run->p);
        bool trim = open && open[2] == '-' && isspace((unsigned char)open[3]);
        size_t keep = len;
        while (trim && keep > 0 && isspace((unsigned char)run->p[keep - 1]))
            keep--;
        if (run->out)
            buf_add(run->out, run->p, keep);
        run->p += len;
        if (!open)
            break;
        run->p += trim ? 3 : 2;
        enum stop stop;
        if (action(run, dot, &stop))
            return stop;
    }
    return STOP_END_OF_TEXT;
}

static const char *execute(struct arena *arena, const char *text, const cJSON *dot, bool strict,
                           struct buf *out)
{
    struct run run = {.arena = arena, .text = text, .p = text, .out = out, .strict = strict};
    run.temporaries = cJSON_CreateArray();
    set_variable(&run, "", dot);
    enum stop stop = body(&run, dot);
    if (stop == STOP_END)
        fail(&run, "template: :1: unexpected {{end}}");
    if (stop == STOP_ELSE)
        fail(&run, "template: :1: unexpected {{else}}");
    cJSON_Delete(run.temporaries);
    return run.error;
}

const char *go_template(struct arena *arena, const char *text, const cJSON *dot, bool strict,
                        struct buf *out)
{
    return execute(arena, text, dot, strict, out);
}

const char *go_template_check(struct arena *arena, const char *text)
{
    return execute(arena, text, NULL, false, NULL);
}
