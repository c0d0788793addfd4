/* bench_supervisor: what the sandbox and the supervisor cost, beside the same work done natively,
 * on one processor.
 *   bench_supervisor          prints medians and their limits; exits with 1 if one is not held */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "procedures/sandbox/launch.h"
#include "procedures/supervisor/arch.h"
#include "procedures/supervisor/supervisor.h"

enum { ROUNDS = 9 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

/* ---- an owner that is only a clock ---- */

struct owner {
    int64_t now_ns;
    const char *text;
};

static int64_t now(void *ctx)
{
    return ((struct owner *)ctx)->now_ns;
}

static int64_t advance(void *ctx, int64_t to_ns)
{
    struct owner *owner = ctx;
    if (to_ns > owner->now_ns)
        owner->now_ns = to_ns;
    return owner->now_ns;
}

static int64_t next(void *ctx)
{
    (void)ctx;
    return INT64_MAX;
}

static bool feed(void *ctx, bool executed, int exit_status, struct feed *ret)
{
    struct owner *owner = ctx;
    (void)executed;
    (void)exit_status;
    ret->text = str_of(owner->text);
    owner->text = NULL;
    return ret->text.len > 0;
}

static int command(void *ctx, struct call *call)
{
    (void)ctx;
    (void)call->ops->write(call, 1, "ok\n", 3);
    return 0;
}

static void output(void *ctx, int fd, const void *at, size_t len)
{
    (void)ctx, (void)fd, (void)at, (void)len;
}

static const char *const commands[] = {"fake", NULL};
static char *environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};

static struct sandbox_spec spec(void)
{
    return (struct sandbox_spec){.hostname = "ops",
                                 .cwd = "/tmp",
                                 .envp = environment,
                                 .commands = commands,
                                 .limits = sandbox_default_limits};
}

/* Milliseconds of one run of the text, the start of the sandbox not counted. */
static double supervised(const char *text)
{
    double took[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct sandbox_spec wanted = spec();
        struct owner state = {.text = text};
        struct supervisor_owner owner = {.ctx = &state,
                                         .now = now,
                                         .advance = advance,
                                         .next = next,
                                         .feed = feed,
                                         .command = command,
                                         .output = output};
        struct supervisor *supervisor;
        struct supervisor_result result;
        struct error error;
        if (supervisor_open(&wanted, &owner, &supervisor, &error)) {
            printf("%s\n", error.text);
            exit(0); /* nothing to measure here */
        }
        double start = now_ms();
        if (supervisor_run(supervisor, "bench", &result, &error) || result.end != END_PROCEDURE ||
            result.exit_status)
            exit(1);
        took[i] = now_ms() - start;
        supervisor_close(supervisor);
    }
    return median(took);
}

static double native(const char *text)
{
    double took[ROUNDS];
    char name[] = "/tmp/rehearse-bench-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        exit(1);
    close(fd);
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ms();
        pid_t pid = fork();
        if (pid == 0) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET((size_t)sched_getcpu(), &one);
            (void)sched_setaffinity(0, sizeof one, &one);
            execle("/usr/bin/bash", "bash", name, NULL, environment);
            _exit(127);
        }
        int status;
        if (waitpid(pid, &status, 0) != pid || status)
            exit(1);
        took[i] = now_ms() - start;
    }
    unlink(name);
    return median(took);
}

static double start_ms(void)
{
    double took[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct sandbox_spec wanted = spec();
        struct sandbox_parts parts = {.script = "#\n", .script_size = 2};
        struct sandbox sandbox;
        struct error error;
        parts.shim = arch_shim(&parts.shim_size);
        double start = now_ms();
        if (sandbox_launch(&wanted, &parts, &sandbox, &error)) {
            printf("%s\n", error.text);
            exit(0);
        }
        took[i] = now_ms() - start;
        sandbox_end(&sandbox);
    }
    return median(took);
}

static int check(const char *what, double value, double limit, const char *unit)
{
    printf("%-46s %8.2f %s (at most %.1f)%s\n", what, value, unit, limit,
           value > limit ? "  NOT HELD" : "");
    return value > limit;
}

int main(void)
{
    static const char loop[] = "for i in {1..200}; do /bin/true; done\n";
    static const char reads[] = "seq 1000 > /tmp/rehearse-lines\nwhile read x; do :; done < "
                                "/tmp/rehearse-lines\nrm /tmp/rehearse-lines\n";
    static const char pipe_reads[] = "seq 1000 | while read x; do :; done\n";
    static const char fakes[] = "for i in {1..200}; do fake > /dev/null; done\n";
    static const char sleeps[] = "sleep 3600\n";
    bool root = geteuid() == 0;
    int missed = 0;
    double empty = supervised("true\n");
    missed += check("start of a sandbox", start_ms(), root ? 4 : 25, "ms");
    printf("%-46s %8.2f ms\n", "bash that executes one line", empty);
    missed += check("a fake command", (supervised(fakes) - empty) / 200, 0.8, "ms");
    missed +=
        check("200 times /bin/true, beside native", supervised(loop) / native(loop), 1.8, "times");
    missed += check("reading 1,000 lines of a file, beside native",
                    supervised(reads) / native(reads), 4, "times");
    missed += check("reading 1,000 lines of a pipe, beside native",
                    supervised(pipe_reads) / native(pipe_reads), 4, "times");
    missed += check("an hour's sleep", supervised(sleeps) - empty, 5, "ms");
    return missed > 0;
}
