#include "procedures/drill/guest.h"

#include <inttypes.h>
#include <string.h>

#include "fakes/env.h"
#include "procedures/drill/monitor.h"
#include "procedures/shell/shell.h"
#include "sim/base/doc.h"
#include "sim/world/world.h"

enum { GLANCE_S = 10 }; /* what he sees of a monitor that never ends */

static bool is_file(const char *file, const char *wanted)
{
    size_t a = strlen(file), b = strlen(wanted);
    return strcmp(file, wanted) == 0 ||
           (a > b && file[a - b - 1] == '/' && strcmp(file + a - b, wanted) == 0);
}

/* The first line of the command that holds line i. */
static int start_of_command(const struct paste *paste, int i)
{
    struct arena arena = {0};
    struct buf text;
    struct shell_script script;
    int first = i, start = i;
    while (first > 0 && paste->lines[first - 1].file == paste->lines[i].file &&
           paste->lines[first - 1].line + 1 >= paste->lines[first].line)
        first--;
    buf_init(&text, 1 << 20);
    for (int k = first;
         k <= i || (k < paste->n_lines && paste->lines[k].line == paste->lines[k - 1].line + 1);
         k++)
        buf_printf(&text, "%.*s\n", STR_ARG(paste->lines[k].text));
    shell_parse(&arena, buf_text(&text), 0, &script);
    for (const struct shell_command *command = script.commands->first; command;
         command = command->next) {
        if (first + command->line <= i && i <= first + command->end_line)
            start = first + command->line;
    }
    buf_release(&text);
    arena_release(&arena);
    return start;
}

int guest_find(struct guest *guest, const struct paste *paste, struct error *error)
{
    int first = -1, last = -1;
    guest->at = 0;
    if (!guest->file)
        return 0;
    for (int i = 0; i < paste->n_lines; i++) {
        if (!is_file(paste->lines[i].file, guest->file))
            continue;
        first = first < 0 ? i : first;
        last = i;
        if (paste->lines[i].line >= guest->line) {
            guest->at = start_of_command(paste, i);
            return 0;
        }
    }
    if (last < 0)
        return error_set(error, ERROR_INPUT, "--until %s:%d: the procedure is in %s", guest->file,
                         guest->line,
                         paste->n_lines ? paste->lines[0].file : paste->drill->playbook.file);
    return error_set(error, ERROR_INPUT, "--until %s:%d: the procedure has lines %d to %d of it",
                     guest->file, guest->line, paste->lines[first].line, paste->lines[last].line);
}

static const char *prompt_of(struct paste *paste, bool more, int exit_status)
{
    int64_t s = paste->record->now_ns / SECOND;
    if (more)
        return "> ";
    return arena_printf(&paste->arena, "[%02" PRId64 ":%02d:%02d%s] $ ", s / 3600,
                        (int)(s / 60 % 60), (int)(s % 60),
                        exit_status ? arena_printf(&paste->arena, ", exit %d", exit_status) : "");
}

bool guest_feed(struct guest *guest, struct paste *paste, bool executed, int exit_status,
                struct feed *ret)
{
    struct buf line;
    bool more = guest->inside && !executed;
    buf_init(&line, 1 << 20);
    bool stays =
        guest->ask(guest->ctx, prompt_of(paste, more, guest->inside ? exit_status : 0), &line);
    guest->inside = true;
    guest->since_ns = paste->record->now_ns;
    if (stays) {
        struct paste_line typed = {.text = buf_text(&line)};
        typed.unreadable = !more && paste_is_unreadable(&paste->arena, typed.text);
        paste_put(paste, &typed);
        *ret = (struct feed){.text = buf_text(&paste->text)};
    }
    buf_release(&line);
    return stays;
}

bool guest_interrupt(const struct guest *guest, const struct paste *paste, int64_t *ret_ask_ns)
{
    bool endless = monitor_never_ends(buf_text(&paste->text));
    int64_t until_ns =
        guest->since_ns + (endless ? GLANCE_S * SECOND : world_patience_ns(paste->env->world));
    *ret_ask_ns = until_ns;
    return paste->record->now_ns >= until_ns;
}
