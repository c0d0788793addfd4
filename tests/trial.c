#include "tests/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define START_NS  (INT64_C(1768487400) * SECOND_NS) /* 2026-01-15 14:30:00 UTC */
#define FILES_NS  (INT64_C(1768000000) * SECOND_NS) /* 2026-01-09 23:06:40 UTC */

static int64_t now(void *ctx)
{
    return ((struct trial *)ctx)->now_ns;
}

static int64_t advance(void *ctx, int64_t to)
{
    struct trial *d = ctx;
    if (d->next_event < d->n_events && d->events[d->next_event].at_ns <= to) {
        const struct trial_event *event = &d->events[d->next_event++];
        d->now_ns = event->at_ns > d->now_ns ? event->at_ns : d->now_ns;
        (void)supervisor_append(d->supervisor, "", event->path, event->text, strlen(event->text));
        return d->now_ns;
    }
    d->now_ns = to > d->now_ns ? to : d->now_ns;
    return d->now_ns;
}

static int64_t next(void *ctx)
{
    struct trial *d = ctx;
    return d->next_event < d->n_events ? d->events[d->next_event].at_ns : INT64_MAX;
}

static bool feed(void *ctx, bool executed, int exit_status, struct feed *ret)
{
    struct trial *d = ctx;
    if (d->n_steps < 256)
        d->steps[d->n_steps++] = (struct trial_step){executed, exit_status, d->now_ns};
    if (!*d->rest)
        return false;
    const char *end = strchr(d->rest, '\n');
    size_t len = end ? (size_t)(end - d->rest) + 1 : strlen(d->rest);
    *ret = (struct feed){.text = {d->rest, len}, .wait_ns = d->typing_ns, .line = ++d->line};
    d->rest += len;
    return true;
}

static void output(void *ctx, int fd, const void *at, size_t len)
{
    struct trial *d = ctx;
    buf_add(fd == 1 ? &d->out : &d->err, at, len);
}

static void observe(void *ctx, const char *id, const char *evidence, const char *message)
{
    struct trial *d = ctx;
    (void)message;
    buf_printf(&d->observed, "%s: %s\n", id, evidence);
}

static bool interrupt(void *ctx, const char *command, int64_t *ret_ask_ns)
{
    struct trial *d = ctx;
    (void)command;
    if (d->interrupt_at_ns == 0)
        return false;
    if (d->now_ns >= d->interrupt_at_ns) {
        d->interrupt_at_ns = 0;
        return true;
    }
    *ret_ask_ns = d->interrupt_at_ns;
    return false;
}

/* ---- toy commands ---- */

static struct trial *current;

static void count_undone(void *ctx)
{
    ((struct trial *)ctx)->undone++;
}

__attribute__((format(printf, 2, 3))) static void say(struct call *call, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)call->ops->write(call, 1, text, n < 0 ? 0 : (size_t)n);
}

static int toy_logs(struct call *call)
{
    call->ops->defer(call, count_undone, current);
    for (int i = 0; i < 20; i++) {
        say(call, "line %d\n", i);
        (void)call->ops->sleep(call, 2 * SECOND_NS);
    }
    return 0;
}

static int toy_up(struct call *call)
{
    static char bytes[300000]; /* not across a call */
    ssize_t n;
    while ((n = call->ops->read(call, 0, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] >= 'a' && bytes[i] <= 'z')
                bytes[i] = (char)(bytes[i] - 'a' + 'A');
        if (call->ops->write(call, 1, bytes, (size_t)n) < 0)
            return 1;
    }
    return 0;
}

static void release_buf(void *buf)
{
    buf_release(buf);
}

static int toy_capture(struct call *call)
{
    buf_init(&current->toy, 1 << 20);
    call->ops->defer(call, release_buf, &current->toy);
    int status = call->ops->spawn(call, "", call->argv + 1, NULL, NULL, &current->toy);
    say(call, "[%s] %d\n", current->toy.len ? current->toy.at : "", status);
    return 0;
}

static int toy_save(struct call *call)
{
    int fd = call->ops->open(call, call->argv[1], 01 | 0100 | 01000 /* O_WRONLY|O_CREAT|O_TRUNC */,
                             0640);
    if (fd < 0)
        return 1;
    (void)call->ops->write(call, fd, call->argv[2], strlen(call->argv[2]));
    return call->ops->close(call, fd) ? 1 : 0;
}

static int toy_load(struct call *call)
{
    char bytes[256];
    int64_t size = -1;
    int mode = 0, fd = call->ops->open(call, call->argv[1], 0, 0);
    if (fd < 0) {
        say(call, "error %d\n", fd);
        return 1;
    }
    ssize_t n = call->ops->read(call, fd, bytes, sizeof bytes);
    (void)call->ops->stat(call, call->argv[1], &mode, &size);
    say(call, "%.*s (%o, %d, tty %d)\n", (int)n, bytes, (unsigned)mode, (int)size,
        call->ops->isatty(call, fd));
    return call->ops->close(call, fd) ? 1 : 0;
}

static int toy_list(struct call *call)
{
    buf_init(&current->toy, 1 << 20);
    call->ops->defer(call, release_buf, &current->toy);
    int failed = call->ops->list(call, call->argv[1], &current->toy);
    for (size_t i = 0; i < current->toy.len; i += strlen(current->toy.at + i) + 1)
        say(call, "%s\n", current->toy.at + i);
    return failed ? 1 : 0;
}

static int command(void *ctx, struct call *call)
{
    const char *name = call->argv[0];
    current = ctx;
    if (strcmp(name, "slow") == 0) {
        (void)call->ops->sleep(call, 10 * SECOND_NS);
        return 3;
    }
    if (strcmp(name, "logs") == 0)
        return toy_logs(call);
    if (strcmp(name, "up") == 0)
        return toy_up(call);
    if (strcmp(name, "sudo") == 0)
        return call->ops->spawn(call, "", call->argv + 1, NULL, NULL, NULL);
    if (strcmp(name, "cap") == 0)
        return toy_capture(call);
    if (strcmp(name, "inside") == 0)
        return call->ops->spawn(call, "db", call->argv + 1, NULL, "/var", NULL);
    if (strcmp(name, "become") == 0)
        return call->ops->exec(call, call->argv + 1);
    if (strcmp(name, "save") == 0)
        return toy_save(call);
    if (strcmp(name, "load") == 0)
        return toy_load(call);
    if (strcmp(name, "list") == 0)
        return toy_list(call);
    for (int i = 0; i < call->argc; i++)
        say(call, "%s%s", i ? " " : "", call->argv[i]);
    say(call, " in %s%s%s\n", *call->place ? call->place : "", *call->place ? ":" : "", call->cwd);
    return 7;
}

/* ---- the trial ---- */

static const char *const commands[] = {"slow",   "logs",    "up",   "sudo", "cap",
                                       "inside", "become",  "save", "load", "list",
                                       "tool",   "kubectl", NULL};
static const char *const places[] = {"db", NULL};
static char *environment[] = {"HOME=/root", "PATH=/usr/local/bin:/usr/bin:/bin", "TZ=UTC",
                              "LC_ALL=C.UTF-8", NULL};
static const struct sandbox_file files[] = {
    {"", "/opt/app/a.txt", {"hello\n", 6}, 0644, false, NULL, FILES_NS},
    {"db", "/var/lib/x", {"in db\n", 6}, 0600, false, NULL, FILES_NS},
};

enum tier trial_tier = TIER_AUTO;

void trial_init(struct trial *d)
{
    *d = (struct trial){
        .spec = {.tier = trial_tier,
                 .hostname = "ops",
                 .cwd = "/opt/app",
                 .envp = environment,
                 .files = files,
                 .n_files = 2,
                 .places = places,
                 .commands = commands,
                 .limits = sandbox_default_limits,
                 .start_unix_ns = START_NS,
                 .seed = 1},
        .owner = {.now = now,
                  .advance = advance,
                  .next = next,
                  .feed = feed,
                  .command = command,
                  .output = output,
                  .observe = observe,
                  .interrupt = interrupt},
    };
    d->owner.ctx = d;
    buf_init(&d->out, 8 << 20);
    buf_init(&d->err, 1 << 20);
    buf_init(&d->observed, 1 << 20);
}

void trial_release(struct trial *d)
{
    supervisor_close(d->supervisor);
    buf_release(&d->out);
    buf_release(&d->err);
    buf_release(&d->observed);
}

int trial_run(struct trial *d, const char *text)
{
    int failed = 0;
    d->rest = text;
    d->line = 0;
    if (!d->supervisor)
        failed = supervisor_open(&d->spec, &d->owner, &d->supervisor, &d->error);
    if (!failed)
        failed = supervisor_run(d->supervisor, "playbook.md", &d->result, &d->error);
    return failed;
}

bool trial_possible(void)
{
    struct trial d;
    trial_init(&d);
    bool possible = trial_run(&d, "") == 0;
    if (!possible)
        print_message("# no sandbox here: %s\n", d.error.text);
    trial_release(&d);
    return possible;
}

bool trial_tier_begins(enum tier tier)
{
    trial_tier = tier;
    if (trial_possible())
        return true;
    print_message("1..1\nok 1 - # SKIP all tests in the tier %s: it cannot be had here\n",
                  tier_names[tier]);
    return false;
}

void trial_expect(const char *text, const char *out)
{
    struct trial d;
    trial_init(&d);
    assert_int_equal(trial_run(&d, text), 0);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, out);
    trial_release(&d);
}
