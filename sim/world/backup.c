/* Backups: copies of a store's contents, made on a schedule, kept for a while. */
#include "sim/world/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/buf.h"
#include "sim/base/xalloc.h"

enum { PATH_BYTES_MAX = 4000 };

struct made {
    char *path;
    int copy;
};
struct schedule {
    const struct model_backup *model;
    struct store *store;
    struct made *made;
    int n_made, cap_made;
};
struct backups {
    struct schedule *at;
    int n;
};

/* Days since 1970-01-01 as a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible
 * date algorithms"). */
static void civil(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static void add_name(struct buf *path, const char *pattern, int64_t unix_ns)
{
    int64_t seconds = unix_ns / SECOND - (unix_ns % SECOND < 0), days = seconds / 86400;
    if (seconds % 86400 < 0)
        days--;
    int64_t year, of_day = seconds - days * 86400;
    int month, day;
    civil(days, &year, &month, &day);
    for (const char *p = pattern; *p; p++) {
        if (*p != '%' || !p[1]) {
            buf_putc(path, *p);
            continue;
        }
        switch (*++p) {
        case 'Y':
            buf_printf(path, "%04lld", (long long)year);
            break;
        case 'm':
            buf_printf(path, "%02d", month);
            break;
        case 'd':
            buf_printf(path, "%02d", day);
            break;
        case 'H':
            buf_printf(path, "%02lld", (long long)(of_day / 3600));
            break;
        case 'M':
            buf_printf(path, "%02lld", (long long)(of_day / 60 % 60));
            break;
        case 'S':
            buf_printf(path, "%02lld", (long long)(of_day % 60));
            break;
        case 's':
            buf_printf(path, "%lld", (long long)seconds);
            break;
        default:
            buf_putc(path, *p);
        }
    }
}

static char *path_of(struct world *world, const struct model_backup *model, int64_t made_ns)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    if (model->to && *model->to) {
        buf_puts(&path, model->to);
        if (path.at[path.len - 1] != '/')
            buf_putc(&path, '/');
        add_name(&path, model->file, world->model->start_unix_ns + made_ns);
    }
    char *copy = arena_str(&world->arena, buf_text(&path));
    buf_release(&path);
    return copy;
}

static void expire(struct world *world, struct schedule *schedule)
{
    int keep = schedule->model->keep > 0 ? schedule->model->keep : 7;
    while (schedule->n_made > keep) {
        struct made oldest = schedule->made[0];
        memmove(schedule->made, schedule->made + 1, (size_t)(schedule->n_made - 1) * sizeof oldest);
        schedule->n_made--;
        store_forget_copy(schedule->store, oldest.copy);
        for (int i = 0; i < world->n_expiry_watchers; i++)
            world->expiry_watchers[i].call(world, oldest.path, world->expiry_watchers[i].ctx);
    }
}

/* Tells those who write files. `contents` stays ours unless it becomes a copy that the ledger
 * knows. */
static void hand_out(struct world *world, struct schedule *schedule, struct dataset *contents,
                     int64_t schema, int64_t made_ns)
{
    enum damage damage = fault_backup_damage(world, schedule->model->name);
    struct made made = {.path = path_of(world, schedule->model, made_ns)};
    const char *what = *made.path ? made.path : schedule->model->name;
    if (damage == DAMAGE_NONE) {
        made.copy = store_keep_copy(schedule->store, what, contents);
    }
    const struct backup backup = {
        .name = schedule->model->name,
        .store = schedule->store,
        .path = made.path,
        .contents = contents,
        .schema = schema,
        .made_ns = made_ns,
        .damage = (int)damage,
        .copy = made.copy,
        .config = schedule->model->config,
    };
    for (int i = 0; i < world->n_backup_watchers; i++)
        world->backup_watchers[i].call(world, &backup, world->backup_watchers[i].ctx);
    if (damage != DAMAGE_NONE)
        dataset_free(contents);
    XGROW(schedule->made, schedule->n_made, schedule->cap_made);
    schedule->made[schedule->n_made++] = made;
    expire(world, schedule);
}

static void make(struct world *world, void *ctx)
{
    struct schedule *schedule = ctx;
    const char *name = schedule->model->name;
    if (schedule->model->every_ns)
        world_schedule(world, world->now_ns + schedule->model->every_ns, PRIORITY_BACKUP, make,
                       schedule);
    if (!store_in_service(schedule->store)) {
        record_event(world->record, EVENT_BACKUP, name, "failed: %s is not in service",
                     schedule->store->model->name);
        return;
    }
    record_event(world->record, EVENT_BACKUP, name, "backup of %s taken",
                 schedule->store->model->name);
    world_mark(world, name, 1);
    hand_out(world, schedule, dataset_copy(schedule->store->serving), schedule->store->schema,
             world->now_ns);
}

/* The contents as they were before the run: what had been acknowledged by then. */
static void make_before(struct world *world, struct schedule *schedule, int64_t made_ns)
{
    struct store *store = schedule->store;
    struct dataset *contents = dataset_copy(store->serving);
    for (int i = 0; i < store->model->n_tables; i++) {
        const char *table = store->model->tables[i].name;
        struct interval later = store_rows_between(store, table, made_ns, INT64_MAX);
        dataset_delete(contents, table, later.lo, later.hi);
    }
    hand_out(world, schedule, contents, store->model->schema, made_ns);
}

void backups_start(struct world *world)
{
    for (int i = 0; i < world->backups->n; i++) {
        struct schedule *schedule = &world->backups->at[i];
        const struct model_backup *model = schedule->model;
        int before =
            model->every_ns ? (model->before_start ? model->before_start : model->keep) : 0;
        for (int k = before; k > 0; k--)
            make_before(world, schedule, model->phase_ns - k * model->every_ns);
        for (int j = 0; j < model->n_at; j++)
            if (model->at_ns[j] < 0)
                make_before(world, schedule, model->at_ns[j]);
    }
}

void backups_damage(struct world *world, const char *name, enum damage damage)
{
    for (int i = 0; i < world->backups->n; i++) {
        struct schedule *schedule = &world->backups->at[i];
        if (strcmp(schedule->model->name, name) != 0 || schedule->n_made == 0)
            continue;
        struct made *last = &schedule->made[schedule->n_made - 1];
        store_forget_copy(schedule->store, last->copy);
        last->copy = 0;
        const struct backup backup = {
            .name = name,
            .store = schedule->store,
            .path = last->path,
            .contents = schedule->store->serving,
            .schema = schedule->store->schema,
            .made_ns = world->now_ns,
            .damage = (int)damage,
            .config = schedule->model->config,
        };
        for (int j = 0; j < world->n_backup_watchers; j++)
            world->backup_watchers[j].call(world, &backup, world->backup_watchers[j].ctx);
    }
}

void backups_init(struct world *world)
{
    const struct model *model = world->model;
    world->backups = xcalloc(1, sizeof *world->backups);
    world->backups->n = model->n_backups;
    world->backups->at = xcalloc((size_t)model->n_backups, sizeof *world->backups->at);
    for (int i = 0; i < model->n_backups; i++) {
        struct schedule *schedule = &world->backups->at[i];
        schedule->model = &model->backups[i];
        schedule->store = world_store(world, schedule->model->store);
        if (schedule->model->every_ns)
            world_schedule(world, schedule->model->phase_ns, PRIORITY_BACKUP, make, schedule);
        for (int j = 0; j < schedule->model->n_at; j++)
            if (schedule->model->at_ns[j] >= 0)
                world_schedule(world, schedule->model->at_ns[j], PRIORITY_BACKUP, make, schedule);
    }
}

void backups_release(struct world *world)
{
    for (int i = 0; i < world->backups->n; i++)
        free(world->backups->at[i].made);
    free(world->backups->at);
    free(world->backups);
}
