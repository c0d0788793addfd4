/* recorded: answers of real tools in a file, each "> COMMAND", what came out, "[EXIT STATUS]", held
 * against a fake's.
 *
 * A command that stands in the file of refusals is one that the fake does not carry out: there it
 * must say "not simulated". */
#ifndef REHEARSE_TESTS_RECORDED_H
#define REHEARSE_TESTS_RECORDED_H

/* The fake's answer in the same form, from "out" to "[0]\n"; valid until the next call. */
typedef const char *recorded_fn(const char *command, void *ctx);

struct recorded {
    const char *answers, *refused; /* files; refused may be NULL */
    recorded_fn *ask;
    void *ctx;
};

/* The number of commands that are answered otherwise; each is shown. */
int recorded_compare(const struct recorded *);
/* What ci/check-real asks of a test program: PROGRAM FILE prints the fake's answers to that file's
 * commands, PROGRAM --without-refused FILE the file; both leave out what is refused. 0, or 1 where
 * the arguments are others. */
int recorded_main(struct recorded *, int argc, char **argv);
/* Takes "words << input" apart: the words, and the input with its \n as line ends. Both in static
 * memory. */
const char *recorded_words(const char *command, const char **ret_input);

#endif
