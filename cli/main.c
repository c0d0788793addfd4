/* The front door: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "sim/base/str.h"
#include "sim/base/version.h"

/* In the order in which `rehearse help` lists them. */

extern const struct command command_campaign;
extern const struct command command_tune;
extern const struct command command_check;
extern const struct command command_explain;
extern const struct command command_history;
extern const struct command command_init;
extern const struct command command_lint;
extern const struct command command_list;
extern const struct command command_run;
extern const struct command command_trend;

static const struct command *const commands[] = {
    &command_run,  &command_check, &command_campaign, &command_tune,    &command_lint,
    &command_init, &command_list,  &command_explain,  &command_history, &command_trend,
    NULL,
};

static void print_overview(FILE *out)
{
    fputs("rehearse: rehearse a rollback playbook, sealed off and in virtual time, and learn what "
          "is true\n\n"
          "usage: rehearse COMMAND [ARGUMENTS]\n\n",
          out);
    for (int i = 0; commands[i]; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help       this list, or the help of one command: rehearse help COMMAND\n"
          "  --version  of this program\n",
          out);
}

static const struct command *find(const char *name)
{
    for (int i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[sizeof commands / sizeof *commands] = {NULL};
    for (int i = 0; commands[i]; i++)
        names[i] = commands[i]->name;
    const char *nearest = arguments_nearest(name, names);
    if (nearest)
        fprintf(stderr, "rehearse: no command '%s'; did you mean '%s'?\n", name, nearest);
    else
        fprintf(stderr, "rehearse: no command '%s'; 'rehearse help' lists them\n", name);
    return EXIT_INPUT;
}

static int help(const char *name)
{
    if (!name) {
        print_overview(stdout);
        return EXIT_PASS;
    }
    const struct command *command = find(name);
    if (!command)
        return unknown(name);
    printf("usage: rehearse %s %s\n\n%s\n\n%s", command->name, command->usage, command->summary,
           command->help);
    return EXIT_PASS;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        puts("rehearse " REHEARSE_VERSION);
        return EXIT_PASS;
    }
    const struct command *command = find(argv[1]);
    if (!command)
        return unknown(argv[1]);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return help(command->name);
        if (strcmp(argv[i], "--") == 0)
            break;
    }
    return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);
    /* whoever reads a result must not take half of it for the whole */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status <= EXIT_MISSED) {
        fprintf(stderr, "rehearse: standard output: cannot be written\n");
        return EXIT_INPUT;
    }
    return status;
}
