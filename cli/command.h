/* command: one command of the front door. One file each, ending in one exported const entry; the
 * table is in cli/main.c. Results go to stdout, progress and errors to stderr. */
#ifndef REHEARSE_CLI_COMMAND_H
#define REHEARSE_CLI_COMMAND_H

struct command {
    const char *name;
    const char *usage;   /* "DRILL [--seed N] ..." */
    const char *summary; /* one line for the list of commands */
    const char *help; /* the rest of `rehearse help NAME`: options, examples; ends in a newline */
    /* argv[0] is the command's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

/* Exit statuses of every command. */
enum {
    EXIT_PASS = 0,
    EXIT_MISSED = 1,  /* a target or gate missed */
    EXIT_INPUT = 2,   /* the input is wrong */
    EXIT_UNKNOWN = 3, /* could not be observed, or cannot be sealed here */
    EXIT_BUG = 70
};

#endif
