/* rehearse init: from somebody's playbook to a first system and drill. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "procedures/init/init.h"

/* Makes the folders above the file. */
static int make_folders(const char *path, struct error *error)
{
    char part[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        if ((size_t)(slash - path) >= sizeof part)
            return error_set(error, ERROR_INPUT, "%s: the path is too long", path);
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return error_set(error, ERROR_INPUT, "%s: cannot be made: %s", part, strerror(errno));
    }
    return 0;
}

static int write_file(const char *folder, const struct init_file *file, struct error *error)
{
    char path[PATH_MAX];
    FILE *out;
    int code;
    if (snprintf(path, sizeof path, "%s/%s", folder, file->path) >= (int)sizeof path)
        return error_set(error, ERROR_INPUT, "%s/%s: the path is too long", folder, file->path);
    if ((code = make_folders(path, error)) < 0)
        return code;
    out = fopen(path, "wx"); /* never over what somebody wrote */
    if (!out && errno == EEXIST)
        return error_set(
            error, ERROR_INPUT,
            "%s is there already, and nothing is overwritten; --out names another folder", path);
    if (!out)
        return error_set(error, ERROR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
    code = fwrite(file->content.at, 1, file->content.len, out) == file->content.len ? 0 : -1;
    if (fclose(out) != 0 || code < 0 || chmod(path, (mode_t)file->mode) < 0)
        return error_set(error, ERROR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
    return 0;
}

/* The playbook as seen from FOLDER/drills. */
static const char *from_drills(struct arena *arena, const char *playbook, const char *folder)
{
    const char *path = playbook;
    char full[PATH_MAX];
    int up = 1;
    if (*playbook == '/' || *folder == '/' || strstr(folder, "..")) {
        if (realpath(playbook, full))
            return arena_strdup(arena, full);
        return playbook;
    }
    for (const char *at = folder; *at;) {
        size_t len = strcspn(at, "/");
        up += len && !(len == 1 && *at == '.');
        at += len + (at[len] == '/');
    }
    while (up--)
        path = arena_printf(arena, "../%s", path);
    return path;
}

struct init_arguments {
    const char *playbook, *out, *compose, *kubernetes, *section;
};

/* The whole file; *ret stays NULL without a path. */
static int read_text(struct arena *arena, const char *path, const char **ret, struct error *error)
{
    struct buf text;
    int code;
    if (!path)
        return 0;
    buf_init(&text, 4 << 20);
    code = buf_read_file(&text, path);
    if (code < 0)
        code = error_set(error, ERROR_INPUT, "%s: cannot be read: %s", path, strerror(-code));
    else
        *ret = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return code;
}

static int init(struct arena *arena, const struct init_arguments *arguments, struct error *error)
{
    struct playbook playbook;
    struct init_result result;
    struct init_options options = {.section = arguments->section};
    const char *folder = arguments->out;
    int code = playbook_read(arena, arguments->playbook, &playbook, error);
    if (code < 0)
        return code;
    if ((code = read_text(arena, arguments->compose, &options.compose, error)) < 0 ||
        (code = read_text(arena, arguments->kubernetes, &options.kubernetes, error)) < 0)
        return code;
    if (!folder) {
        const char *slash = strrchr(arguments->playbook, '/'),
                   *name = slash ? slash + 1 : arguments->playbook;
        folder = arena_printf(arena, "%.*s-drills", (int)strcspn(name, "."), name);
    }
    options.playbook_path = from_drills(arena, arguments->playbook, folder);
    if ((code = init_from_playbook(arena, &playbook, &options, &result, error)) < 0)
        return code;
    for (int i = 0; i < result.n_files; i++)
        if ((code = write_file(folder, &result.files[i], error)) < 0)
            return code;
    printf("%s/: %d files\n", folder, result.n_files);
    printf("  system.yaml         what is operated\n  drills/first.yaml   what goes wrong, and "
           "what is rehearsed\n");
    for (const char **todo = result.todo; *todo; todo++)
        printf("%s  %s\n", todo == result.todo ? "\nTo look at:\n" : "", *todo);
    printf("\nNext: rehearse run %s/drills/first.yaml\n", folder);
    return 0;
}

static int run(int argc, char **argv)
{
    struct init_arguments arguments = {NULL, NULL, NULL, NULL, NULL};
    const struct option_spec specs[] = {{"--out", &arguments.out, NULL},
                                        {"--compose", &arguments.compose, NULL},
                                        {"--kubernetes", &arguments.kubernetes, NULL},
                                        {"--section", &arguments.section, NULL},
                                        {NULL, NULL, NULL}};
    struct error error = {""};
    struct arena arena = {0};
    int n = arguments_parse(argc, argv, specs, &arguments.playbook, 1, &error),
        code = n < 0 ? n : 0;
    if (n >= 0 && n != 1)
        code = error_set(&error, ERROR_INPUT, "init: %s",
                         n ? "one playbook at a time" : "which playbook?");
    if (code == 0)
        code = init(&arena, &arguments, &error);
    arena_release(&arena);
    return code < 0 ? arguments_fail(code, &error) : EXIT_PASS;
}

const struct command command_init = {
    .name = "init",
    .usage = "PLAYBOOK [--out DIR] [--section HEADING] [--compose FILE] [--kubernetes FILE]",
    .summary = "a first system and drill from a playbook",
    .help = "  PLAYBOOK    Markdown with shell blocks, or a shell script\n"
            "  --out       the folder to make (default: PLAYBOOK-drills); nothing in it is "
            "overwritten\n"
            "  --section   the heading to rehearse (default: the one that changes most)\n"
            "  --compose, --kubernetes   a compose file, manifests: their services, images and "
            "ports are taken over\n\n"
            "Writes system.yaml (services, ports, stores, triggers and targets that the playbook "
            "mentions),\n"
            "drills/first.yaml (with its blanks to fill in), and a stub for each command that "
            "nothing answers yet.\n",
    .run = run,
};
