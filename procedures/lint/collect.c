/* Finding every command of a playbook, through the wrappers that people put around them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "procedures/lint/internal.h"
#include "sim/base/xalloc.h"

enum { NESTING_MAX = 8 };

/* How places in a nested script are told in terms of the document. */
enum places {
    PLACES_EXACT, /* lines and columns; those of the first line stand `shift` bytes to the right */
    PLACES_LINES, /* lines alone */
    PLACES_NONE   /* all of it is at one line */
};

struct collector {
    struct lint *lint;
    int block;
    int depth;
    struct use context; /* what the wrapper hands down */
    enum places places;
    int line, shift; /* of the nested script's first line */
};

/* A text that some command gives to a shell. */
struct nested {
    const char *text;
    enum places places;
    int line, shift;
};

static void add_words(struct collector *, struct shell_command *, struct shell_word **words, int n,
                      struct use context);
static void add_script(struct collector *, struct nested, struct use context);

/* ---- options that take a value, per command; needed to find the operands ---- */

static const char *value_options(const char *name)
{
    static const struct {
        const char *name, *options;
    } tools[] = {
        {"kubectl",
         " -n --namespace -f --filename -l --selector -o --output -c --container -p --patch "
         "--context "
         "--kubeconfig --replicas --to-revision --timeout --type --field-selector --sort-by "
         "--since --tail "
         "--revision --for --image --from-literal --from-file --patch-file --grace-period "},
        {"compose", " -f --file -p --project-name --profile --env-file --tail --scale -t --timeout "
                    "-e -u -w --since "},
        {"docker", " -H --host --context -e --env -v --volume -p --publish --name --network -u "
                   "--user -w --workdir "
                   "--filter --format --tail -n --since --env-file -t "},
        {"helm", " -n --namespace --kube-context -f --values --set --timeout --version --max -o "},
        {"git", " -C -c -m -b -B "},
        {"psql", " -U -d -h -p -c -f -v --username --dbname --host --port --command --file --set "
                 "--variable "},
        {"mysql", " -u -h -P -D -e "},
        {"redis-cli", " -h -p -a -n "},
        {"curl", " -X --request -H --header -d --data --data-binary --data-raw -o --output -w "
                 "--write-out -u --user "
                 "--max-time -m --connect-timeout --retry --retry-delay -T -A -e -b -c --cacert -F "
                 "--resolve "},
        {"aws",
         " --cluster --service --services --region --profile --query --output --task-definition "},
        {"systemctl", " -n "},
        {"timeout", " -s --signal -k --kill-after "},
        {"ssh", " -i -p -l -o -F -J -L -R -b -c -e -m "},
        {"watch", " -n --interval "},
        {"sudo", " -u --user -g --group "},
        {"xargs", " -n -I -P -L -d "},
        {"env", " -u --unset -C "},
    };
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        if (!strcmp(tools[i].name, name))
            return tools[i].options;
    return "";
}

static bool takes_value(const char *name, const char *option)
{
    const char *options = value_options(name), *found = options;
    size_t n = strlen(option);
    while (n && (found = strstr(found, option))) {
        if (found > options && found[-1] == ' ' && found[n] == ' ')
            return true;
        found += n;
    }
    return false;
}

/* Index of the first argument that is no option, nor an option's value; from `i` on. */
static int skip_options(const char *name, const char *const *argv, int argc, int i)
{
    while (i < argc && argv[i][0] == '-' && argv[i][1]) {
        if (!strcmp(argv[i], "--"))
            return i + 1;
        i += takes_value(name, argv[i]) ? 2 : 1;
    }
    return i;
}

/* "logs -f api" follows; "-f" before the verb, and behind others, names a file. */
static bool follows(const struct use *use, const char *option)
{
    return !strcmp(option, "-f") && use->n_operands && !strcmp(use->operands[0], "logs");
}

static void find_operands(struct lint *lint, struct use *use)
{
    use->operands = ARENA_ARRAY(lint->arena, const char *, use->argc + 1);
    for (int i = 1; i < use->argc; i++) {
        if (use->argv[i][0] != '-' || !use->argv[i][1])
            use->operands[use->n_operands++] = use->argv[i];
        else if (takes_value(use->name, use->argv[i]) && !follows(use, use->argv[i]))
            i++;
    }
}

/* ---- where a command stands ---- */

static bool is_simple_named(const struct shell_command *command, const char *const *names)
{
    for (; *names; names++)
        if (shell_is(command, *names))
            return true;
    return false;
}

/* What "||" and "&&" behind the pipeline make of its failure. */
static void look_behind(const struct shell_command *pipeline, struct use *use)
{
    static const char *const swallow[] = {"true", ":", "echo", "printf", NULL};
    static const char *const stop[] = {"exit", "return", "break", "false", "die", "fail", NULL};
    const struct shell_command *next = pipeline->next;
    if (!pipeline->parent || pipeline->parent->kind != SHELL_AND_OR || !next)
        return;
    if (next->and_then)
        use->guarded = true;
    if (next->or_else && is_simple_named(next, swallow))
        use->ignored = true;
    if (next->or_else && (is_simple_named(next, stop) || next->kind == SHELL_GROUP))
        use->guarded = true;
}

/* 2>/dev/null, &>/dev/null, >/dev/null 2>&1. */
static bool is_silenced(const struct shell_command *command)
{
    bool output = false;
    for (const struct shell_redirect *at = command->redirects; at; at = at->next) {
        const char *target = at->target->value;
        bool away = target && !strcmp(target, "/dev/null");
        if (away && (at->fd == 2 || str_starts(at->operator, "&>")))
            return true;
        if (at->fd == 2 && target && !strcmp(target, "1") && output)
            return true;
        if (at->fd == -1 || at->fd == 1)
            output = away;
    }
    return false;
}

static void find_place(const struct shell_command *command, struct use *use)
{
    const struct shell_command *at = command;
    use->first_stage = use->last_stage = true;
    if (at->parent && at->parent->kind == SHELL_PIPELINE) {
        use->last_stage = !at->next;
        use->first_stage = at->parent->first == at;
        at = at->parent;
    }
    look_behind(at, use);
    use->background |= at->background || (at->parent && at->parent->background);
    for (; at; at = at->parent) {
        use->in_condition |= at->role == ROLE_CONDITION && at->parent &&
                             (at->parent->kind == SHELL_IF || at->parent->kind == SHELL_WHILE);
        use->in_loop |= at->kind == SHELL_WHILE || at->kind == SHELL_FOR;
        use->in_function |= at->kind == SHELL_FUNCTION;
    }
    use->silenced |= is_silenced(command);
}

/* ---- uses ---- */

static const char *base_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash && slash[1] && *name == '/' && !strstr(name, ".sh") ? slash + 1 : name;
}

/* The line of a word in the document, and its column, or 0. */
static int place_of(const struct collector *collector, const struct shell_word *word,
                    int *ret_column)
{
    bool first = collector->depth && word->line == collector->line;
    *ret_column =
        collector->places == PLACES_EXACT ? word->column + (first ? collector->shift : 0) : 0;
    return collector->places == PLACES_NONE ? collector->line : word->line;
}

static struct use *new_use(struct collector *collector, struct shell_command *command,
                           struct shell_word **words, int n, const struct use *context)
{
    struct lint *lint = collector->lint;
    struct use use = *context;
    use.words = words;
    use.argc = n;
    use.argv = ARENA_ARRAY(lint->arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        use.argv[i] = words[i]->value ? words[i]->value : arena_str(lint->arena, words[i]->text);
    use.name = base_name(use.argv[0]);
    use.command = command;
    use.block = collector->block;
    use.line = place_of(collector, words[0], &use.column);
    find_place(command, &use);
    use.operands = ARENA_ARRAY(lint->arena, const char *, 1);
    use.n_operands = 0;
    XGROW(lint->uses, lint->n_uses, lint->cap_uses);
    lint->uses[lint->n_uses] = use;
    return &lint->uses[lint->n_uses++];
}

/* `docker compose x` becomes `compose x`, as docker-compose is. */
static void name_compose(struct use *use)
{
    if (!strcmp(use->name, "docker-compose") || !strcmp(use->name, "podman-compose"))
        use->name = "compose";
    if (!strcmp(use->name, "docker") && use->argc > 1 && !strcmp(use->argv[1], "compose")) {
        use->argv++;
        use->words++;
        use->argc--;
        use->name = "compose";
    }
}

/* The index of the wrapped command's first word, or 0: sudo, time, nohup, timeout 60, env X=1,
 * command, exec. */
static int transparent(const struct use *use, bool *ret_limited)
{
    static const char *const names[] = {"sudo", "nohup",  "timeout", "env",   "command", "exec",
                                        "nice", "ionice", "stdbuf",  "xargs", NULL};
    int i;
    for (i = 0; names[i] && strcmp(names[i], use->name); i++)
        ;
    if (!names[i])
        return 0;
    i = skip_options(use->name, use->argv, use->argc, 1);
    if (!strcmp(use->name, "timeout")) {
        *ret_limited = true;
        i++;
    }
    while (!strcmp(use->name, "env") && i < use->argc && strchr(use->argv[i], '='))
        i++;
    return i < use->argc ? i : 0;
}

/* The index of the first word of what is run in a container or pod, or 0. */
static int exec_inside(const struct use *use)
{
    int i;
    if (!strcmp(use->name, "kubectl") || !strcmp(use->name, "oc")) {
        if (!use->n_operands || strcmp(use->operands[0], "exec"))
            return 0;
        for (i = 1; i < use->argc; i++)
            if (!strcmp(use->argv[i], "--"))
                return i + 1;
        return 0;
    }
    if (strcmp(use->name, "docker") && strcmp(use->name, "compose") && strcmp(use->name, "podman"))
        return 0;
    i = skip_options(use->name, use->argv, use->argc, 1);
    if (i >= use->argc || (strcmp(use->argv[i], "exec") && strcmp(use->argv[i], "run")))
        return 0;
    if (!strcmp(use->argv[i], "run") && !strcmp(use->name, "docker"))
        return 0; /* the image's own command: too little is known */
    for (i++; i < use->argc && use->argv[i][0] == '-';) {
        /* -t takes no value here, unlike in "compose stop -t 10" */
        bool value = takes_value(use->name, use->argv[i]) && strcmp(use->argv[i], "-t");
        i += value ? 2 : 1;
    }
    return i + 1;
}

static bool is_shell_name(const char *name)
{
    return !strcmp(name, "sh") || !strcmp(name, "bash") || !strcmp(name, "/bin/sh") ||
           !strcmp(name, "/bin/bash");
}

/* "sh -c TEXT": the index of TEXT, or 0. */
static int shell_text(const struct use *use)
{
    if (!is_shell_name(use->argv[0]) && !is_shell_name(use->name))
        return 0;
    for (int i = 1; i + 1 < use->argc && use->argv[i][0] == '-'; i++)
        if (strchr(use->argv[i], 'c') && use->argv[i][1] != '-')
            return i + 1;
    return 0;
}

/* ---- texts that are given to a shell ---- */

/* Without what a backslash does inside double quotes; lines stay where they are. */
static const char *without_escapes(struct lint *lint, struct str text)
{
    char *out = arena_alloc(lint->arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len && strchr("\"\\", text.at[i + 1]))
            i++;
        out[n++] = text.at[i];
    }
    out[n] = 0;
    return out;
}

/* The text of one word. In quotes nothing moves, so its places are known; what it takes from
 * variables stays as it is written. */
static struct nested nested_word(struct collector *collector, const struct shell_word *word)
{
    struct lint *lint = collector->lint;
    struct nested nested = {.places = collector->places};
    const struct shell_part *part = word->parts;
    bool whole = part && !part->next && (part->kind == PART_SINGLE || part->kind == PART_DOUBLE) &&
                 *part->text.at != '$';
    nested.line = place_of(collector, word, &nested.shift);
    if (whole && (part->kind == PART_SINGLE || str_find(part->inside, STR("\\")) < 0)) {
        nested.text = arena_str(lint->arena, part->inside);
    } else if (whole) {
        nested.text = without_escapes(lint, part->inside);
        nested.places = nested.places == PLACES_EXACT ? PLACES_LINES : nested.places;
    } else {
        nested.text = word->value ? word->value : arena_str(lint->arena, word->text);
        nested.places = PLACES_NONE;
    }
    return nested;
}

/* ssh and watch join their arguments and give them to a shell. Without quotes, that is what stands
 * there. */
static struct nested nested_words(struct collector *collector, const struct use *use, int first)
{
    struct lint *lint = collector->lint;
    struct nested nested = {.places = collector->places};
    const struct shell_word *last = use->words[use->argc - 1];
    bool plain = true;
    if (first + 1 == use->argc)
        return nested_word(collector, use->words[first]);
    for (int i = first; i < use->argc; i++)
        plain &= !use->words[i]->quoted && last->line == use->words[i]->line;
    nested.line = place_of(collector, use->words[first], &nested.shift);
    if (plain) {
        const char *start = use->words[first]->text.at;
        nested.text = arena_str(
            lint->arena, (struct str){start, (size_t)(last->text.at + last->text.len - start)});
        nested.shift--;
        return nested;
    }
    nested.places = PLACES_NONE;
    nested.text = arena_strdup(lint->arena, "");
    for (int i = first; i < use->argc; i++)
        nested.text =
            arena_printf(lint->arena, "%s%s%s", nested.text, *nested.text ? " " : "", use->argv[i]);
    return nested;
}

/* Does it read its commands from its input: sh, bash -s, ssh host, ssh host bash -s? */
static bool reads_commands(const struct use *use)
{
    int operands = 0;
    for (int i = 1; i < use->argc; i++)
        if (is_shell_name(use->name) && !strcmp(use->argv[i], "-s"))
            return true;
    if (is_shell_name(use->name))
        return !use->n_operands;
    if (strcmp(use->name, "ssh"))
        return false;
    for (operands = 1; operands < use->n_operands; operands++)
        if (!is_shell_name(use->operands[operands]) &&
            strncmp(use->operands[operands], "bash -s", 7) != 0)
            return false;
    return true;
}

static void add_here_document(struct collector *collector, const struct use *use,
                              struct use context)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next) {
        struct nested nested = {.places = collector->places, .line = at->body_line};
        if (!at->body.len || !reads_commands(use))
            continue;
        nested.text = arena_str(collector->lint->arena, at->body);
        if (nested.places == PLACES_NONE)
            nested.line = collector->line;
        context.remote |= !strcmp(use->name, "ssh");
        add_script(collector, nested, context);
    }
}

static void unwrap(struct collector *collector, struct shell_command *command, int index)
{
    struct lint *lint = collector->lint;
    struct use use = lint->uses[index], context = use;
    int first;
    context.inside = true;
    context.operands = NULL;
    context.n_operands = 0;
    if ((first = transparent(&use, &context.limited))) {
        lint->n_uses = index; /* sudo itself is of no interest */
        context.inside = use.inside;
        context.by_xargs |= !strcmp(use.name, "xargs");
        add_words(collector, command, use.words + first, use.argc - first, context);
        return;
    }
    if ((first = exec_inside(&use)) && first < use.argc) {
        context.remote = true;
        add_words(collector, command, use.words + first, use.argc - first, context);
    } else if ((first = shell_text(&use)) && first < use.argc) {
        struct nested nested = nested_word(collector, use.words[first]);
        add_script(collector, nested, context);
    } else if (!strcmp(use.name, "watch") || !strcmp(use.name, "ssh")) {
        bool ssh = *use.name == 's';
        first = skip_options(use.name, use.argv, use.argc, 1) + ssh;
        context.watched |= !ssh;
        context.remote |= ssh;
        if (first < use.argc)
            add_script(collector, nested_words(collector, &use, first), context);
    }
    context.inside = true;
    add_here_document(collector, &use, context);
}

static void add_words(struct collector *collector, struct shell_command *command,
                      struct shell_word **words, int n, struct use context)
{
    int index = collector->lint->n_uses;
    struct use *use;
    if (n <= 0 || collector->depth >= NESTING_MAX)
        return;
    if (index >= LINT_COMMANDS_MAX) {
        collector->lint->n_left_out++;
        return;
    }
    use = new_use(collector, command, words, n, &context);
    name_compose(use);
    find_operands(collector->lint, use);
    collector->depth++;
    unwrap(collector, command, index);
    collector->depth--;
}

static bool visit(struct shell_command *command, void *data)
{
    struct collector *collector = data;
    if (command->kind == SHELL_SIMPLE && command->n_words)
        add_words(collector, command, command->words, command->n_words, collector->context);
    if (command->kind == SHELL_TEST && command->n_words &&
        collector->lint->n_uses < LINT_COMMANDS_MAX)
        new_use(collector, command, command->words, command->n_words, &collector->context)->name =
            "[[";
    return true;
}

static void add_script(struct collector *collector, struct nested nested, struct use context)
{
    struct collector inner = {.lint = collector->lint,
                              .block = collector->block,
                              .depth = collector->depth + 1,
                              .context = context,
                              .places = nested.places,
                              .line = nested.line,
                              .shift = nested.shift};
    struct shell_script script;
    if (inner.depth >= NESTING_MAX)
        return;
    shell_parse(collector->lint->arena, str_of(nested.text), nested.line, &script);
    shell_each_command(&script, visit, &inner);
}

/* ---- blocks ---- */

static bool find_set(struct shell_command *command, void *data)
{
    struct lint_block *block = data;
    if (!shell_is(command, "set"))
        return true;
    for (int i = 1; i < command->n_words; i++) {
        const char *value = shell_value(command, i);
        if (value && value[0] == '-' && strchr(value, 'e'))
            block->set_e = true;
        if (value && !strcmp(value, "pipefail"))
            block->pipefail = true;
        if (value && !strcmp(value, "errexit"))
            block->set_e = true;
    }
    return true;
}

static int scope_of(const struct playbook *playbook, const struct block *block)
{
    int heading = block->heading;
    while (heading >= 0 && playbook->headings[heading].bold_line)
        heading--;
    return heading;
}

static void collect_block(struct lint *lint, const struct block *source);

struct written {
    struct lint *lint;
    const struct block *block;
};

static int count_lines(struct str text)
{
    int n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == '\n';
    return n + (text.len && text.at[text.len - 1] != '\n');
}

/* A here-document that is a script, written to a file to be run later: a script like one in a block
 * of its own. */
static bool find_written_script(struct shell_command *command, void *data)
{
    struct written *written = data;
    if (!shell_is(command, "cat") && !shell_is(command, "tee"))
        return true;
    for (const struct shell_redirect *at = command->redirects; at; at = at->next) {
        struct block *block;
        if (!at->body_literal || !str_starts(at->body, "#!") || str_find(at->body, STR("sh\n")) < 0)
            continue;
        block = ARENA_ARRAY(written->lint->arena, struct block, 1);
        *block = (struct block){.kind = BLOCK_SCRIPT,
                                .language = "sh",
                                .line = at->body_line,
                                .n_lines = count_lines(at->body),
                                .text = at->body,
                                .heading = written->block->heading};
        collect_block(written->lint, block);
    }
    return true;
}

static void collect_block(struct lint *lint, const struct block *source)
{
    struct shell_script script;
    struct written written = {lint, source};
    struct collector collector = {.lint = lint, .block = lint->n_blocks};
    struct lint_block *block;
    struct str first = source->text, shebang = str_cut(&first, '\n');
    XGROW(lint->blocks, lint->n_blocks, lint->cap_blocks);
    block = &lint->blocks[lint->n_blocks++];
    *block = (struct lint_block){.block = source,
                                 .is_script = source->kind == BLOCK_SCRIPT,
                                 .first = lint->n_uses,
                                 .scope = scope_of(lint->playbook, source)};
    shell_parse(lint->arena, source->text, source->line, &block->script);
    shell_each_command(&block->script, find_set, block);
    if (str_starts(shebang, "#!") && str_ends(shebang, " -e"))
        block->set_e = true;
    shell_each_command(&block->script, visit, &collector);
    lint->blocks[collector.block].end = lint->n_uses;
    script = lint->blocks[collector.block].script; /* the blocks move when one is added */
    shell_each_command(&script, find_written_script, &written);
}

void lint_collect(struct lint *lint)
{
    for (int i = 0; i < lint->playbook->n_blocks; i++) {
        const struct block *block = &lint->playbook->blocks[i];
        if (block->kind == BLOCK_SHELL || block->kind == BLOCK_SCRIPT)
            collect_block(lint, block);
    }
}

bool same_scope(const struct lint *lint, const struct use *a, const struct use *b)
{
    const struct lint_block *left = &lint->blocks[a->block], *right = &lint->blocks[b->block];
    if (left->is_script || right->is_script)
        return a->block == b->block;
    return left->scope == right->scope;
}
