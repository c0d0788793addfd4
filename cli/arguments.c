#include "cli/arguments.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/command.h"
#include "reports/report.h"
#include "sim/base/str.h"

const char *arguments_nearest(const char *mistyped, const char *const *words)
{
    const char *nearest = NULL;
    size_t letters = strlen(mistyped + strspn(mistyped, "-"));
    size_t best = letters / 3 + 1 + (letters < 3 ? 0 : letters % 3 != 0);
    for (; *words; words++) {
        size_t distance = str_distance(str_of(mistyped), str_of(*words), 9);
        if (distance < best) {
            best = distance;
            nearest = *words;
        }
    }
    return nearest;
}

static int unknown(const char *word, const struct option_spec *specs, struct error *error)
{
    enum { OPTIONS_MAX = 32 };
    const char *names[OPTIONS_MAX + 1] = {NULL};
    for (int i = 0; i < OPTIONS_MAX && specs[i].name; i++)
        names[i] = specs[i].name;
    const char *nearest = arguments_nearest(word, names);
    if (nearest)
        return error_set(error, ERROR_INPUT, "no option '%s'; did you mean '%s'?", word, nearest);
    return error_set(error, ERROR_INPUT, "no option '%s'; --help lists them", word);
}

static const struct option_spec *find(const struct option_spec *specs, const char *word, size_t len)
{
    for (int i = 0; specs[i].name; i++) {
        if (strlen(specs[i].name) == len && memcmp(specs[i].name, word, len) == 0)
            return &specs[i];
    }
    return NULL;
}

int arguments_parse(int argc, char **argv, const struct option_spec *specs, const char **rest,
                    int max, struct error *error)
{
    int n = 0;
    bool only_rest = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!only_rest && strcmp(word, "--") == 0) {
            only_rest = true;
            continue;
        }
        if (only_rest || word[0] != '-' || word[1] == '\0') {
            if (n < max)
                rest[n] = word;
            n++;
            continue;
        }
        size_t len = strcspn(word, "=");
        const struct option_spec *spec = find(specs, word, len);
        const struct option_spec *joined = word[1] != '-' ? find(specs, word, 2) : NULL;
        if (!spec && joined && joined->value) { /* -j4 */
            *joined->value = word + 2;
            continue;
        }
        if (!spec)
            return unknown(word, specs, error);
        if (spec->flag) {
            if (word[len])
                return error_set(error, ERROR_INPUT, "%s takes no value", spec->name);
            *spec->flag = true;
        } else if (word[len]) {
            *spec->value = word + len + 1;
        } else if (i + 1 < argc) {
            *spec->value = argv[++i];
        } else {
            return error_set(error, ERROR_INPUT, "%s needs a value", spec->name);
        }
    }
    return n;
}

void arguments_quote(struct buf *buf, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
    if (word[0] && strspn(word, plain) == strlen(word)) {
        buf_puts(buf, word);
        return;
    }
    buf_putc(buf, '\'');
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            buf_puts(buf, "'\\''");
        else
            buf_putc(buf, *p);
    }
    buf_putc(buf, '\'');
}

const char *arguments_path(struct arena *arena, const char *path)
{
    char full[PATH_MAX], here[PATH_MAX];
    if (!path || *path != '/' || !realpath(path, full) || !realpath(".", here))
        return path;
    size_t same = 0; /* where the first folder begins that they do not share */
    for (size_t i = 0;; i++) {
        bool end = (here[i] == '/' || !here[i]) && (full[i] == '/' || !full[i]);
        if (end)
            same = i;
        if (!here[i] || here[i] != full[i])
            break;
    }
    struct buf text;
    buf_init(&text, 2 * PATH_MAX);
    for (const char *up = here + same; *up; up++)
        if (*up == '/' && up[1])
            buf_puts(&text, "../");
    buf_puts(&text, full[same] == '/' ? full + same + 1 : full + same);
    const char *result = text.len ? arena_str(arena, buf_text(&text)) : ".";
    buf_release(&text);
    return result;
}

bool arguments_color(bool no_color)
{
    const char *asked = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !no_color && !(asked && *asked) && isatty(STDOUT_FILENO) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

int arguments_columns(void)
{
    struct winsize size;
    bool narrow = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
                  size.ws_col < REPORT_COLUMNS;
    return narrow ? size.ws_col : REPORT_COLUMNS;
}

int arguments_fail(int code, const struct error *error)
{
    fprintf(stderr, "rehearse: %s\n", error->text);
    if (code == ERROR_SEAL)
        return EXIT_UNKNOWN;
    return code == ERROR_INTERNAL ? EXIT_BUG : EXIT_INPUT;
}

int arguments_status_of(enum outcome verdict)
{
    switch (verdict) {
    case OUTCOME_PASS:
        return EXIT_PASS;
    case OUTCOME_FAIL:
        return EXIT_MISSED;
    case OUTCOME_UNKNOWN:
        break;
    }
    return EXIT_UNKNOWN;
}
