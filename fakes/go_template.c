#include "fakes/go_template.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/go_template_run.h"
#include "sim/base/str.h"

/* ---- expressions inside {{ }} ---- */

static void fail(struct template_run *run, const char *what)
{
    if (!run->error)
        run->error = what;
}

static void skip_blanks(struct template_run *run)
{
    while (isspace((unsigned char)*run->p))
        run->p++;
}

static bool at_end(struct template_run *run)
{
    skip_blanks(run);
    return strncmp(run->p, "}}", 2) == 0 || strncmp(run->p, "-}}", 3) == 0 || !*run->p;
}

static const char *word(struct template_run *run)
{
    const char *start = run->p;
    while (isalnum((unsigned char)*run->p) || *run->p == '_')
        run->p++;
    return arena_str(run->arena, (struct str){start, (size_t)(run->p - start)});
}

static const cJSON *pipeline(struct template_run *run, const cJSON *dot);

static const cJSON *fields(struct template_run *run, const cJSON *at)
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

static const cJSON *quoted(struct template_run *run)
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
    return template_text(run, text);
}

static const cJSON *operand(struct template_run *run, const cJSON *dot)
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
        return template_own(run, cJSON_CreateNumber(number));
    }
    const char *name = word(run);
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        return template_own(run, cJSON_CreateBool(name[0] == 't'));
    if (strcmp(name, "nil") != 0)
        fail(run, name[0]
                      ? arena_printf(run->arena, "template: :1: function \"%s\" not defined", name)
                      : arena_printf(run->arena, "template: :1: unexpected \"%.1s\" in command",
                                     run->p));
    return NULL;
}

/* One command of a pipeline; `before` is the value piped into it, `piped` whether there is one. */
static const cJSON *command(struct template_run *run, const cJSON *dot, const cJSON *before,
                            bool piped)
{
    const cJSON *args[ARGUMENTS_MAX + 2] = {NULL};
    int n = 0;
    const char *name = NULL;
    skip_blanks(run);
    if (isalpha((unsigned char)*run->p)) {
        const char *start = run->p;
        name = word(run);
        if (!template_is_function(name)) {
            run->p = start;
            name = NULL;
        }
    }
    while (!run->error && !at_end(run) && *run->p != '|' && *run->p != ')' && n < ARGUMENTS_MAX)
        args[n++] = operand(run, dot);
    if (piped)
        args[n++] = before;
    if (name && n > 0)
        return template_call(run, name, args, n);
    if (name) {
        fail(run, arena_printf(run->arena,
                               "template: :1: wrong number of args for %s: want at least 1 got 0",
                               name));
        return NULL;
    }
    if (n == 0) {
        fail(run, "template: :1: missing value for command");
        return NULL;
    }
    if (n > 1 && cJSON_IsObject(args[0])) { /* a method with an argument */
        const cJSON *value =
            cJSON_GetObjectItemCaseSensitive(args[0], template_as_text(run, args[1]));
        return value ? value : template_text(run, "");
    }
    return args[0];
}

static const cJSON *pipeline(struct template_run *run, const cJSON *dot)
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

static void set_variable(struct template_run *run, const char *name, const cJSON *value)
{
    if (run->n_variables < VARIABLES_MAX) {
        run->variables[run->n_variables].name = name;
        run->variables[run->n_variables++].value = value;
    }
}

/* ---- actions ---- */

enum stop { STOP_END_OF_TEXT, STOP_END, STOP_ELSE };

static enum stop body(struct template_run *run, const cJSON *dot);

static bool keyword(struct template_run *run, const char *name)
{
    size_t len = strlen(name);
    skip_blanks(run);
    if (strncmp(run->p, name, len) != 0 || isalnum((unsigned char)run->p[len]))
        return false;
    run->p += len;
    return true;
}

static void close_action(struct template_run *run)
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

static enum stop skip_body(struct template_run *run, const cJSON *dot)
{
    struct buf *out = run->out;
    run->out = NULL;
    enum stop stop = body(run, dot);
    run->out = out;
    return stop;
}

/* if and with; stands behind the keyword. */
static void conditional(struct template_run *run, const cJSON *dot, bool with)
{
    const cJSON *value = pipeline(run, dot);
    bool holds = template_truth(value) && run->out;
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
static void loop(struct template_run *run, const cJSON *dot)
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
    const cJSON **items = template_children(run, list);
    bool any = list && items[0] && run->out;
    int n_variables = run->n_variables;
    enum stop stop = any ? STOP_END : skip_body(run, dot);
    for (int i = 0; any && items[i] && !run->error; i++) {
        run->p = inside;
        run->n_variables = n_variables;
        const cJSON *key = cJSON_IsObject(list) ? template_text(run, items[i]->string)
                                                : template_own(run, cJSON_CreateNumber(i));
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
static bool action(struct template_run *run, const cJSON *dot, enum stop *ret)
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
            template_print(run, value, run->out);
    }
    run->depth--;
    return false;
}

static enum stop body(struct template_run *run, const cJSON *dot)
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
    struct template_run run = {
        .arena = arena, .text = text, .p = text, .out = out, .strict = strict};
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
