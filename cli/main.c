/* The front door: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "sim/base/str.h"

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
    &command_run,
    &command_check,
    &command_campaign,
    &command_tune,
    &command_lint,
    &command_init,
    &command_list,
    &command_explain,
    &command_history,
    &command_trend,
    NULL,
};

static void print_overview(FILE *out)
{
    fputs("rehearse: rehearse a rollback playbook, sealed off and in virtual time, and learn what is true\n\n"
          "usage: rehearse COMMAND [ARGUMENTS]\n\n",
          out);
    for (int i = 0; commands[i]; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help       this list, or the help of one command: rehearse help COMMAND\n", out);
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
    const char *nearest = NULL;
    size_t best = 4; /* further away is no help */
    for (int i = 0; commands[i]; i++) {
        size_t distance = str_distance(str_of(name), str_of(commands[i]->name), 9);
        if (distance < best) {
            best = distance;
            nearest = commands[i]->name;
        }
    }
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

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    const struct command *command = find(argv[1]);
    if (!command)
        return unknown(argv[1]);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return help(command->name);
        if (strcmp(argv[i], "--") == 0)
            break;
    }
    return command->run(argc - 1, argv + 1);
}
