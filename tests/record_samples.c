#include "tests/record_samples.h"

#include <math.h>
#include <string.h>

#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

static int64_t at(double seconds)
{
    return (int64_t)(seconds * 1e9);
}

void sample_target(struct record *record, enum measure measure, double limit, bool at_least)
{
    XGROW(record->targets, record->n_targets, record->cap_targets);
    record->targets[record->n_targets++] = (struct target){measure, limit, at_least};
}

struct ledger_row *sample_store(struct record *record, const char *store, int64_t acknowledged,
                                int64_t lost)
{
    XGROW(record->ledger, record->n_ledger, record->cap_ledger);
    struct ledger_row *row = &record->ledger[record->n_ledger++];
    *row = (struct ledger_row){.store = arena_strdup(&record->arena, store),
                               .acknowledged = acknowledged,
                               .kept = acknowledged - lost,
                               .lost = lost,
                               .known = true};
    return row;
}

struct end_state *sample_state(struct record *record, const char *subject, const char *property,
                               const char *value, const char *wanted)
{
    XGROW(record->end_states, record->n_end_states, record->cap_end_states);
    struct end_state *state = &record->end_states[record->n_end_states++];
    *state = (struct end_state){
        subject, property, value, wanted, !wanted || (value && strcmp(value, wanted) == 0), NULL};
    return state;
}

struct step *sample_step(struct record *record, int line, const char *command, double start_s,
                         double end_s, int exit_status)
{
    record->now_ns = at(start_s);
    struct step *step = record_step_begin(record, "playbook.md", line, command);
    record->now_ns = at(end_s);
    record_step_end(record, step, exit_status);
    return step;
}

struct record *sample_empty(void)
{
    struct record *record = record_new();
    record->identity = (struct run_identity){
        .drill = "shop/database",
        .title = "The database migration goes wrong",
        .system = "shop",
        .playbook = "playbook.md",
        .section = "Database goes wrong",
        .tier = "namespaces",
        .replay = "rehearse run drills/database.yaml --seed 7",
        .seed = 7,
        .start_unix_ns = INT64_C(1768487400) * SECOND, /* 2026-01-15T14:30:00Z */
        .horizon_ns = 2 * HOUR,
        .stable_window_ns = 5 * MINUTE,
        .indicator_target = 0.995,
        .indicator_down_below = 0.5,
    };
    record->fingerprint = UINT64_C(0x00c0ffee12345678);
    sample_target(record, MEASURE_TIME_TO_DETECT, 300, false);
    sample_target(record, MEASURE_TIME_TO_DECIDE, 600, false);
    sample_target(record, MEASURE_ROLLBACK, 900, false);
    sample_target(record, MEASURE_TIME_TO_STABLE, 1800, false);
    sample_target(record, MEASURE_DOWNTIME, 300, false);
    sample_target(record, MEASURE_RECORDS_LOST, 0, false);
    sample_target(record, MEASURE_CLAIM_ERROR, 0, true);
    record_provenance(record, "playbook sha256",
                      "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9");
    record_provenance(record, "bash", "5.2.15");
    return record;
}

/* A wave that is the same on every machine: no libm. */
static double wave(int i)
{
    return (double)(i * 7919 % 101) / 101 - 0.5;
}

static void add_series(struct record *record, double bad_from_s, double bad_to_s, double end_s)
{
    struct series *indicator = record_series(record, "indicator", "", "ratio");
    struct series *api = record_series(record, "latency_p99_seconds", "service=api", "seconds");
    struct series *web = record_series(record, "latency_p99_seconds", "service=web", "seconds");
    struct series *ready = record_series(record, "ready_replicas", "service=api", "count");
    struct series *records = record_series(record, "records", "store=postgres", "count");
    for (int i = 0; i * 15 <= end_s; i++) {
        double s = i * 15;
        bool bad = s >= bad_from_s && s < bad_to_s;
        double depth = bad ? fmin(1, (s - bad_from_s) / 120) : 0;
        series_add(indicator, at(s),
                   0.999 - 0.62 * depth + 0.0008 * wave(i) + 0.03 * depth * wave(i + 7));
        series_add(api, at(s), 0.18 + 1.1 * depth + 0.01 * wave(i + 3) + 0.2 * depth * wave(i));
        series_add(web, at(s), s > 900 && s < 930 ? NAN : 0.09 + 0.2 * depth + 0.005 * wave(i + 5));
        series_add(ready, at(s), bad && depth >= 1 ? 2 : 3);
        series_add(records, at(s), 30000 + i * 8 - (bad_to_s > 7800 && s > 2200 ? 1820 : 0));
    }
}

static void set_instants(struct record *record, const double seconds[INSTANTS])
{
    for (int i = 0; i < INSTANTS; i++)
        record->instants[i] = seconds[i] < 0 ? NEVER : at(seconds[i]);
}

static void add_event(struct record *record, double s, enum event_kind kind, const char *subject,
                      const char *text)
{
    record->now_ns = at(s);
    record_event(record, kind, subject, "%s", text);
}

static void add_claim(struct record *record, struct step *step, const char *line, double s)
{
    buf_puts(&step->out, line);
    buf_puts(&step->out, "\n");
    step->claimed = line;
    step->claimed_ns = at(s);
    record->instants[T_CLAIM] = at(s);
}

static void add_change(struct step *step, const char *text)
{
    XGROW(step->changed, step->n_changed, step->cap_changed);
    step->changed[step->n_changed++] = text;
}

struct record *sample_good(void)
{
    struct record *record = sample_empty();
    record->identity.drill = "shop/undo";
    set_instants(record, (double[]){600, 642, 705.5, 765, 840, 1190, 1085.25, 1100, 1400, 1800});
    record->downtime_ns = at(120);
    add_event(record, 600, EVENT_CHANGE, "api", "version v4.18 is deployed");
    add_event(record, 705.5, EVENT_ALERT, "error_rate", "fires: over 5% for 1 min");
    add_event(record, 765, EVENT_OPERATOR, "on-call", "acknowledges the page");
    add_event(record, 800, EVENT_MESSAGE, "#incidents", "we are rolling back the api");
    add_event(record, 840, EVENT_OPERATOR, "on-call", "decides to roll back");
    struct step *step =
        sample_step(record, 12, "kubectl rollout undo deployment/api -n shop", 860, 862, 0);
    buf_puts(&step->out, "deployment.apps/api rolled back\n");
    add_change(step, "api: revision 4 is rolled out");
    step = sample_step(record, 13, "kubectl rollout status deployment/api -n shop --timeout=5m",
                       870, 1100, 0);
    buf_puts(&step->out, "deployment \"api\" successfully rolled out\n");
    step = sample_step(record, 20, "./verify.sh", 1120, 1190, 0);
    add_claim(record, step, "Rollback complete", 1190);
    record->procedure_ended = true;
    sample_store(record, "postgres", 31204, 0);
    sample_state(record, "api", "version", "v4.17", "v4.17");
    sample_state(record, "api", "ready", "3", "3");
    sample_state(record, "web", "version", "v2.2", NULL);
    add_series(record, 642, 1085, 1800);
    record_assume(record, "verify.sh asks the api for its health", "its name and the owner's text",
                  false);
    record->now_ns = at(1800);
    record->current_step = 0;
    return record;
}

struct record *sample_bad(void)
{
    struct record *record = sample_empty();
    record->identity.drill = "shop/restore";
    set_instants(record, (double[]){600, 642, 1300, 1400, 1900, -1, -1, -1, -1, 7800});
    record->downtime_ns = at(410.5);
    record->requests = 864000.4;
    record->requests_bad = 51234.6;
    add_event(record, 600, EVENT_CHANGE, "api", "version v4.18 is deployed");
    add_event(record, 605, EVENT_FAULT, "orders", "2% of the rows are corrupt");
    add_event(record, 1300, EVENT_ALERT, "error_rate", "fires: over 5% for 10 min");
    add_event(record, 1900, EVENT_OPERATOR, "on-call", "decides to roll back");
    struct step *step =
        sample_step(record, 31, "docker exec db psql -f /tmp/down.sql", 1960, 1975.25, 0);
    buf_puts(&step->err, "psql:/tmp/down.sql:3: ERROR:  relation \"orders_new\" does not exist\n");
    step = sample_step(record, 33, "pg_restore -d shop /var/backups/shop/20260115_143000.dump",
                       1990, 2230, 1);
    buf_add(&step->err, "pg_restore: error: \xff\xfe <b>&\x1b[31mred\n", 33);
    add_change(step, "postgres: restored from the backup of 14:30");
    sample_step(record, 35, "docker-compose restart api", 2240, 2250, 0);
    record->now_ns = at(2255);
    record->current_step = 3;
    record_static_note(record, &(struct static_note){"RB034", "pg_restore on top of what is there",
                                                     "data_unexpected silent_failure",
                                                     record->steps[0].file, 33});
    record_observe(record, "not_simulated", "--jobs=4", "'pg_restore --jobs' is not simulated");
    record->current_step = 0;
    step = sample_step(record, 36, "echo \"Rollback complete: `date` | all *good*\"", 2260,
                       2260.004, 0);
    add_claim(record, step, "Rollback complete: Thu Jan 15 | all *good*", 2260);
    step = sample_step(record, 38, "watch -n 5 docker ps", 2300, 2900, 130);
    step->interrupted = true;
    record->procedure_ended = true;
    struct ledger_row *row = sample_store(record, "postgres", 31204, 1820);
    row->recoverable = 1700;
    row->blame = ARENA_ARRAY(&record->arena, struct blame, 1);
    row->blame[0] = (struct blame){2, "pg_restore", at(2200), 1820, at(12.5), at(1989)};
    row->n_blame = 1;
    sample_state(record, "api", "version", "v4.18", "v4.17");
    sample_state(record, "postgres", "schema", "41", "41");
    add_series(record, 642, 7801, 7800);
    record_assume(record, "restore.sh replaces the database", "its name", true);
    record->now_ns = at(7800);
    record->current_step = 0;
    return record;
}
