/* docker build: an image's code is that of the sources' version (docker_images.c); of the
 * Dockerfile it takes what an image keeps for its containers: ENV, ENTRYPOINT, CMD. RUN, COPY and
 * what they leave behind are a declared effect, not done. */
#include <ctype.h>
#include <string.h>

#include "fakes/compose.h"
#include "fakes/docker_command.h"
#include "fakes/git_repo.h"

enum { FILE_MAX = 4 << 20, WORDS_MAX = 128 };

struct reader {
    struct arena *arena;
    const char *env[WORDS_MAX + 1], *args[WORDS_MAX + 1];
    const char *const *entry_point, *const *command;
    bool any_stage;
};

static const char *find(const char *const *list, const char *name)
{
    size_t len = strlen(name);
    for (; *list; list++) {
        if (strncmp(*list, name, len) == 0 && (*list)[len] == '=')
            return *list + len + 1;
    }
    return NULL;
}

static const char *variable(void *ctx, const char *name)
{
    const struct reader *reader = ctx;
    const char *value = find(reader->env, name);
    return value ? value : find(reader->args, name);
}

static const char *expand(struct reader *reader, const char *text)
{
    const char *ret = text, *unset = NULL, *why = NULL;
    compose_expand(reader->arena, text, variable, reader, &ret, &unset, &why);
    return ret;
}

static void set(struct reader *reader, const char **list, const char *name, const char *value)
{
    size_t len = strlen(name);
    int at = 0;
    while (list[at] && (strncmp(list[at], name, len) != 0 || list[at][len] != '='))
        at++;
    if (at < WORDS_MAX)
        list[at] = arena_printf(reader->arena, "%s=%s", name, value);
}

/* One word, without its quotes; false at the end. */
static bool next_word(struct arena *arena, struct str *rest, const char **ret)
{
    *rest = str_trim(*rest);
    if (rest->len == 0)
        return false;
    char *word = arena_alloc(arena, rest->len + 1), quote = 0;
    size_t n = 0, i = 0;
    for (; i < rest->len && (quote || !isspace((unsigned char)rest->at[i])); i++) {
        char c = rest->at[i];
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else if (c == '\\' && i + 1 < rest->len && quote != '\'')
            word[n++] = rest->at[++i];
        else
            word[n++] = c;
    }
    word[n] = '\0';
    *rest = (struct str){rest->at + i, rest->len - i};
    *ret = word;
    return true;
}

/* ENV A=1 B="2 3", or the old ENV A 1 2. */
static void read_pairs(struct reader *reader, const char **list, struct str rest)
{
    const char *word;
    for (bool first = true; next_word(reader->arena, &rest, &word); first = false) {
        struct str value = str_of(word);
        struct str name = str_cut(&value, '=');
        if (!strchr(word, '=') && first && list == reader->env) {
            set(reader, list, word, expand(reader, arena_str(reader->arena, str_trim(rest))));
            return;
        }
        if (strchr(word, '='))
            set(reader, list, arena_str(reader->arena, name),
                expand(reader, arena_str(reader->arena, value)));
    }
}

/* ["a", "b"] as it is; anything else is a line for sh. */
static const char *const *command_words(struct reader *reader, struct str text)
{
    const char **words = ARENA_ARRAY(reader->arena, const char *, WORDS_MAX + 1);
    cJSON *list = text.len && text.at[0] == '[' ? cJSON_ParseWithLength(text.at, text.len) : NULL;
    const cJSON *item;
    int n = 0;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item) && n < WORDS_MAX)
            words[n++] = arena_strdup(reader->arena, item->valuestring);
    }
    bool exec_form = list != NULL;
    cJSON_Delete(list);
    if (!exec_form) {
        words[0] = "/bin/sh";
        words[1] = "-c";
        words[2] = arena_str(reader->arena, text);
    }
    return words;
}

static const char *instruction(struct reader *reader, struct str text, int line)
{
    static const char *const known[] = {"ADD",        "ARG",     "CMD",     "COPY",  "ENTRYPOINT",
                                        "ENV",        "EXPOSE",  "FROM",    "LABEL", "HEALTHCHECK",
                                        "MAINTAINER", "ONBUILD", "RUN",     "SHELL", "STOPSIGNAL",
                                        "USER",       "VOLUME",  "WORKDIR", NULL};
    const char *typed, *name;
    struct str rest = text;
    if (!next_word(reader->arena, &rest, &typed))
        return NULL;
    char *upper = arena_strdup(reader->arena, typed);
    for (char *p = upper; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    name = upper;
    rest = str_trim(rest);
    int i = 0;
    while (known[i] && strcmp(known[i], name) != 0)
        i++;
    if (!known[i])
        return arena_printf(reader->arena,
                            "dockerfile parse error on line %d: unknown instruction: %s", line,
                            typed);
    if (rest.len == 0)
        return arena_printf(
            reader->arena, "dockerfile parse error on line %d: %s requires %s argument", line, name,
            strcmp(name, "FROM") == 0 ? "either one or three" : "at least one");
    if (strcmp(name, "FROM") == 0) {
        reader->any_stage = true;
        memset(reader->env, 0, sizeof reader->env);
        reader->entry_point = reader->command = NULL;
    } else if (strcmp(name, "ARG") == 0) {
        struct str value = rest;
        const char *arg = arena_str(reader->arena, str_cut(&value, '='));
        if (!find(reader->args, arg))
            read_pairs(reader, reader->args, rest);
    } else if (!reader->any_stage) {
        return arena_printf(reader->arena,
                            "dockerfile parse error on line %d: no build stage in current context",
                            line);
    } else if (strcmp(name, "ENV") == 0) {
        read_pairs(reader, reader->env, rest);
    } else if (strcmp(name, "ENTRYPOINT") == 0) {
        reader->entry_point = command_words(reader, rest);
        reader->command = NULL;
    } else if (strcmp(name, "CMD") == 0) {
        reader->command = command_words(reader, rest);
    }
    return NULL;
}

/* The word behind "<<" of a line that begins a here-document, or "". */
static const char *heredoc(struct arena *arena, struct str line)
{
    ptrdiff_t at = str_find(line, STR("<<"));
    if (at < 0)
        return "";
    struct str rest = {line.at + at + 2, line.len - (size_t)at - 2};
    if (rest.len && rest.at[0] == '-')
        rest = (struct str){rest.at + 1, rest.len - 1};
    const char *word = "";
    next_word(arena, &rest, &word);
    return isalpha((unsigned char)word[0]) ? word : "";
}

static const char *read_text(struct reader *reader, const char *text)
{
    struct str rest = str_of(text);
    const char *whole = "", *end = "", *error = NULL;
    int line = 0, first = 0, n = 0;
    while (rest.len > 0 && !error) {
        struct str one = str_trim(str_cut(&rest, '\n'));
        line++;
        if (end[0]) { /* in a here-document */
            end = str_is(one, end) ? "" : end;
            continue;
        }
        if (one.len == 0 || one.at[0] == '#')
            continue;
        bool goes_on = one.at[one.len - 1] == '\\';
        one.len -= goes_on;
        first = whole[0] ? first : line;
        whole = arena_printf(reader->arena, "%s%s%.*s", whole, whole[0] ? " " : "", STR_ARG(one));
        if (goes_on && rest.len > 0)
            continue;
        error = instruction(reader, str_of(whole), first);
        end = heredoc(reader->arena, one);
        whole = "";
        n++;
    }
    return error || n > 0 ? error : "file with no instructions";
}

const char *docker_read_dockerfile(struct call *call, const char *path, const char *const *args,
                                   struct dockerfile *ret)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    int code = call_load(call, path, &text);
    const char *copy = arena_str(call->arena, buf_text(&text));
    buf_release(&text);
    struct reader *reader = ARENA_NEW(call->arena, struct reader);
    reader->arena = call->arena;
    for (int n = 0; args && args[n] && n < WORDS_MAX; n++)
        reader->args[n] = args[n];
    const char *error = code < 0 ? NULL : read_text(reader, copy);
    *ret = (struct dockerfile){
        .env = reader->env, .entry_point = reader->entry_point, .command = reader->command};
    return error;
}

/* ---- what comes of it ---- */

static bool same_words(const char *const *a, const char *const *b)
{
    for (; *a && *b; a++, b++) {
        if (strcmp(*a, *b) != 0)
            return false;
    }
    return !*a && !*b;
}

struct docker_image *docker_build_from(struct docker *docker, const char *reference,
                                       const char *service, const char *version,
                                       const struct dockerfile *file)
{
    struct arena *arena = docker_arena(docker);
    struct docker_image *image = docker_build(docker, reference, service, version);
    if (!image)
        return NULL;
    if (image->built_env &&
        !same_words(image->built_env, file->env)) { /* another image of the same code */
        const struct docker_image *before = image;
        image = docker_image_new(docker, before->name);
        const char *id = image->id, *digest = image->digest;
        *image = *before;
        image->id = id;
        image->digest = digest;
        image->env = before->declared_env;
        image->created_ns = docker_now(docker);
        docker_tag(docker, reference, image);
    }
    if (!image->built_env)
        image->declared_env = image->env;
    image->built_env = docker_copy_words(arena, file->env);
    image->env = docker_join_env(arena, image->declared_env, image->built_env);
    if (file->entry_point || file->command)
        image->command =
            docker_copy_words(arena, file->entry_point ? file->entry_point : file->command);
    return image;
}

/* ---- the command ---- */

static int build(struct docker_command *command)
{
    struct call *call = command->call;
    struct arena *arena = call->arena;
    const struct options *options = &command->options;
    const char *folder = options->args[0];
    const char **names = ARENA_ARRAY(arena, const char *, options->n_given + 2);
    const char **args = ARENA_ARRAY(arena, const char *, options->n_given + 1);
    const char *file = options_value(options, "file", NULL), *repository, *tag;
    int n_names = 0, n_args = 0;
    for (int i = 0; i < options->n_given; i++) {
        const char *value = options->given[i].value;
        if (strcmp(options->given[i].name, "tag") == 0)
            names[n_names++] = value;
        else if (strcmp(options->given[i].name, "build-arg") == 0)
            args[n_args++] = strchr(value, '=') || !call_getenv(call, value)
                                 ? value
                                 : arena_printf(arena, "%s=%s", value, call_getenv(call, value));
    }
    for (int i = 0; i < n_names; i++) {
        const char *why = docker_reference(arena, names[i], &repository, &tag);
        if (why) {
            call_err(call, "ERROR: failed to build: invalid tag \"%s\": %s\n", names[i], why);
            return 1;
        }
    }
    if (strcmp(folder, "-") == 0 || strstr(folder, "://")) {
        record_observe(call->env->record, "not_simulated", folder,
                       "'docker build' of what is no folder is not simulated");
        call_err(call, "docker build of '%s' is not simulated here\n", folder);
        return 1;
    }
    if (call_exists(call, folder) != 2) {
        call_err(call, "ERROR: unable to prepare context: path \"%s\" not found\n", folder);
        return 1;
    }
    if (!file)
        file = arena_printf(arena, "%s/Dockerfile", folder);
    if (call_exists(call, file) != 1) {
        const char *slash = strrchr(file, '/');
        call_err(call,
                 "ERROR: failed to solve: failed to read dockerfile: open %s: no such file or "
                 "directory\n",
                 slash ? slash + 1 : file);
        return 1;
    }
    struct dockerfile read;
    const char *error = docker_read_dockerfile(call, file, args, &read);
    if (error) {
        call_err(call, "ERROR: failed to solve: %s\n", error);
        return 1;
    }
    call_sleep(call, 8 * SECOND);
    char hex[65];
    docker_hex(arena_printf(arena, "untagged %lld", (long long)++command->docker->n_ids), hex);
    if (n_names == 0)
        names[n_names++] = arena_printf(arena, "%.12s", hex);
    struct docker_image *image =
        docker_build_from(command->docker, names[0], NULL, git_repo_version(call, folder), &read);
    for (int i = 1; i < n_names; i++)
        docker_tag(command->docker, names[i], image);
    const char *id_file = options_value(options, "iidfile", NULL);
    if (id_file)
        call_save(call, id_file, image->id, strlen(image->id), 0644);
    if (options_has(options, "quiet")) {
        call_out(call, "%s\n", image->id);
        return 0;
    }
    call_err(call,
             "#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n#2 exporting to "
             "image\n#2 writing image %s done\n",
             image->id);
    for (int i = 0; i < n_names; i++)
        call_err(call, "#2 naming to %s done\n", names[i]);
    return 0;
}

const struct docker_verb docker_build_verbs[] = {
    {"build", "build [OPTIONS] PATH | URL | -",
     "tag|t= file|f= no-cache pull quiet|q build-arg= target= platform= label= progress= network= "
     "rm force-rm add-host= cache-from= cgroup-parent= compress cpu-period= cpu-quota= "
     "cpu-shares|c= "
     "cpuset-cpus= cpuset-mems= disable-content-trust iidfile= isolation= memory|m= memory-swap= "
     "security-opt= shm-size= squash ulimit= secret= ssh= output|o= load push cache-to=",
     true, 1, 1, build},
    {0},
};
