#include "tests/recorded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

static void load(struct buf *text, const char *path)
{
    buf_init(text, 8 << 20);
    if (path && buf_read_file(text, path) < 0)
        fail_msg("cannot read %s", path);
}

static bool has_line(struct str list, const char *line)
{
    while (list.len) {
        if (str_is(str_cut(&list, '\n'), line))
            return true;
    }
    return false;
}

enum what { COMPARE, PRINT_FAKE, PRINT_REAL };

static int run(const struct recorded *r, enum what what)
{
    struct buf answers, refused;
    struct arena arena = {0};
    int wrong = 0;
    load(&answers, r->answers);
    load(&refused, r->refused);
    struct str rest = buf_text(&answers);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, "> "))
            continue;
        const char *command = arena_str(&arena, (struct str){line.at + 2, line.len - 2}),
                   *start = rest.at;
        while (rest.len && !(rest.at[0] == '>' && rest.at[1] == ' '))
            str_cut(&rest, '\n');
        const char *want = arena_str(&arena, (struct str){start, (size_t)(rest.at - start)});
        bool is_refused = has_line(buf_text(&refused), command);
        const char *got = what == PRINT_REAL ? want : r->ask(command, r->ctx);
        if (what != COMPARE && !is_refused)
            printf("> %s\n%s", command, got);
        if (what != COMPARE ||
            (is_refused ? strstr(got, "not simulated") != NULL : strcmp(got, want) == 0))
            continue;
        print_error("> %s\n--- fake\n%s--- real\n%s", command, got, want);
        wrong++;
    }
    buf_release(&answers);
    buf_release(&refused);
    arena_release(&arena);
    return wrong;
}

int recorded_compare(const struct recorded *r)
{
    return run(r, COMPARE);
}

int recorded_main(struct recorded *r, int argc, char **argv)
{
    bool real = argc == 3 && strcmp(argv[1], "--without-refused") == 0;
    if (argc != 2 && !real)
        return 1;
    r->answers = argv[argc - 1];
    run(r, real ? PRINT_REAL : PRINT_FAKE);
    return 0;
}

const char *recorded_words(const char *command, const char **ret_input)
{
    static char words[4096], input[4096];
    const char *at = strstr(command, " << ");
    size_t n = 0;
    snprintf(words, sizeof words, "%.*s", at ? (int)(at - command) : (int)strlen(command), command);
    for (const char *p = at ? at + 4 : ""; *p && n < sizeof input - 1; p++) {
        bool line_end = p[0] == '\\' && p[1] == 'n';
        input[n++] = line_end ? '\n' : *p;
        p += line_end;
    }
    input[n] = '\0';
    *ret_input = input;
    return words;
}
