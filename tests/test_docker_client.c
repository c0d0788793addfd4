/* docker: what the client says, command by command, as recorded from the real one
 * (tests/data/docker). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/docker.h"
#include "sim/base/str.h"
#include "tests/machine.h"

enum { FILE_MAX = 1 << 20 };

static const char system_text[] = "services:\n"
                                  "  web: {versions: {v1: {}}}\n"
                                  "good_state: {web: v1}\n"
                                  "traffic: {shoppers: {to: web, rate: 5/s}}\n"
                                  "docker:\n"
                                  "  images: {'shop/web:1.0': {here: ['1.0']}}\n";

struct recorded {
    const char *command, *out, *err;
    int status;
};

static const char *read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot read %s", path);
    char *text = arena_alloc(arena, FILE_MAX);
    text[fread(text, 1, FILE_MAX - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* "$ command", "exit N", then "stdout" and "stderr" with their lines behind bars. */
static int read_recorded(struct arena *arena, const char *path, struct recorded *ret, int cap)
{
    struct str rest = str_of(read_file(arena, path));
    const char **stream = NULL;
    int n = 0;
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, "$ ")) {
            assert_true(n < cap);
            ret[n++] = (struct recorded){
                .command = arena_str(arena, (struct str){line.at + 2, line.len - 2}),
                .out = "",
                .err = "",
            };
        } else if (str_starts(line, "exit ")) {
            ret[n - 1].status = leading_int(line.at + 5);
        } else if (str_is(line, "stdout")) {
            stream = &ret[n - 1].out;
        } else if (str_is(line, "stderr")) {
            stream = &ret[n - 1].err;
        } else if (str_starts(line, "|")) {
            *stream = arena_printf(arena, "%s%.*s\n", *stream, (int)line.len - 1, line.at + 1);
        }
    }
    return n;
}

/* IDs of 64 digits are not compared. */
static const char *without_ids(struct arena *arena, const char *text)
{
    char *copy = arena_alloc(arena, strlen(text) + 1), *to = copy;
    while (*text) {
        if (strspn(text, "0123456789abcdef") == 64) {
            memcpy(to, "<id>", 4);
            to += 4;
            text += 64;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
    return copy;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lines in the order of their letters, for what several threads write; of a help its first line
 * alone. */
static const char *sorted_lines(struct arena *arena, const char *text)
{
    const char *lines[256], *all = "";
    int n = 0;
    if (strstr(text, "\nUsage:") || strstr(text, "\nCommands:"))
        return arena_printf(arena, "%.*s\n", (int)strcspn(text, "\n"), text);
    for (struct str rest = str_of(text); rest.len > 0 && n < 256;) {
        struct str line = str_cut(&rest, '\n');
        if (str_ends(line, "\r"))
            line.len--;
        lines[n++] = arena_str(arena, line);
    }
    qsort(lines, (size_t)n, sizeof *lines, by_text);
    for (int i = 0; i < n; i++)
        all = arena_printf(arena, "%s%s\n", all, lines[i]);
    return all;
}

static void replay(const char *path, int at_least, const char *system,
                   const struct machine_file *files, bool any_order)
{
    struct machine m;
    struct arena arena = {0};
    static struct recorded rows[256];
    int n = read_recorded(&arena, path, rows, 256), differ = 0;
    assert_true(n >= at_least);
    machine_init(&m, system, NULL, files);
    for (int i = 0; i < n; i++) {
        int status = double_run(&m.d, rows[i].command);
        const char *out = without_ids(&arena, double_out(&m.d));
        const char *err = without_ids(&arena, double_err(&m.d));
        if (any_order) {
            err = sorted_lines(&arena, err);
            rows[i].err = sorted_lines(&arena, rows[i].err);
        }
        if (status == rows[i].status && strcmp(out, rows[i].out) == 0 &&
            strcmp(err, rows[i].err) == 0)
            continue;
        differ++;
        print_message(
            "$ %s\nexit %d, recorded %d\nstdout: %s\nrecorded: %s\nstderr: %s\nrecorded: %s\n",
            rows[i].command, status, rows[i].status, out, rows[i].out, err, rows[i].err);
    }
    machine_release(&m);
    arena_release(&arena);
    if (differ)
        fail_msg("%d of %d commands answer otherwise than %s", differ, n, path);
}

static void test_usage(void **state)
{
    (void)state;
    replay("tests/data/docker/usage.txt", 70, system_text, NULL, false);
}

static void test_answers(void **state)
{
    (void)state;
    replay("tests/data/docker/client.txt", 50, system_text, NULL, false);
}

static void test_compose_v1(void **state)
{
    (void)state;
    static const struct machine_file files[] = {
        {"/opt/shop/docker-compose.yml", "services:\n"
                                         "  web:\n"
                                         "    image: shop/web:1.0\n"
                                         "    depends_on: [db]\n"
                                         "    environment: {MODE: \"${MODE:-old}\"}\n"
                                         "    volumes: ['data:/d']\n"
                                         "  db:\n"
                                         "    image: postgres:15\n"
                                         "volumes: {data: {}}\n"},
        {NULL, NULL},
    };
    static const char system[] =
        "services:\n"
        "  app: {versions: {v1: {}}}\n"
        "good_state: {app: v1}\n"
        "traffic: {shoppers: {to: app, rate: 5/s}}\n"
        "docker:\n"
        "  images: {'shop/web:1.0': {here: ['1.0']}, 'postgres:15': {here: ['15']}}\n";
    replay("tests/data/docker/compose-v1.txt", 60, system, files, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_compose_v1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
