#include "tests/cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const with_perl[] = {"perl", NULL};

void cells_begin(struct trial *t)
{
    trial_init(t);
    t->spec.programs = with_perl;
}

void cells_run(struct trial *t, const char *text)
{
    buf_clear(&t->out);
    buf_clear(&t->err);
    buf_clear(&t->observed);
    assert_int_equal(trial_run(t, text), 0);
    buf_putc(&t->out, '\0');
    buf_putc(&t->err, '\0');
    buf_putc(&t->observed, '\0');
}

void cells_try(const struct cell *cells, size_t n, bool perl)
{
    static const char perl_format[] =
        "perl -e '($a, $b, $c) = (\"tmpfs\", \"/mnt\", \"x\"); $!=0; $r = (%s); "
        "print $r >= 0 && $r ne \"\" && !$! ? \"done\" : $!+0, \"\\n\"'\n";
    struct trial t;
    int wrong = 0;
    cells_begin(&t);
    for (size_t i = 0; i < n; i++) {
        char text[2048];
        snprintf(text, sizeof text, perl ? perl_format : "%s\n", cells[i].try);
        cells_run(&t, text);
        bool right = strcmp(t.out.at, cells[i].out) == 0 &&
                     (!cells[i].told || strstr(t.observed.at, cells[i].told)) &&
                     (cells[i].told || !strstr(t.observed.at, "escaped_command"));
        if (!right)
            print_error("%s (%s, uid %d): out '%s' err '%s' told '%s'\n", cells[i].name,
                        tier_names[trial_tier], (int)getuid(), t.out.at, t.err.at, t.observed.at);
        wrong += !right;
    }
    trial_release(&t);
    assert_int_equal(wrong, 0);
}

int cells_as_both(int (*run)(void))
{
    int failed = run();
    if (geteuid() != 0)
        return failed;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(65534) || setuid(65534) || prctl(PR_SET_DUMPABLE, 1)) /* as after an exec */
            _exit(91);
        failed = run();
        (void)fflush(NULL);
        _exit(failed > 90 ? 90 : failed);
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return failed + 1;
    return failed + WEXITSTATUS(status);
}
