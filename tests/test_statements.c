/* The 72 trigger statements of five playbooks, one by one: each must fire where it must, at that
 * tick, and must be silent where it must. Monitoring is fed values made for the purpose, so nothing
 * here hangs on what a simulated failure looks like.
 *
 * A second reading of the semantics stands below ("the reference"): it takes the statements as JSON
 * and the samples as monitoring had them, and has nothing in common with sim/world/trigger.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "sim/base/buf.h"
#include "sim/engine/random.h"
#include "tests/world_fixture.h"

enum {
    STATEMENTS = 72,
    METRIC_STATEMENTS = 37,
    EVAL_S = 15,
    SCRAPE_S = 15,
    LOOKBACK_S = 300,
    CHANGE_S = 60,
    STEP_S = 90
};

static struct {
    struct arena arena;
    const char *system;
    cJSON *at[STATEMENTS];
    int n;
} all;

static int read_all(void **state)
{
    (void)state;
    struct buf text, system;
    buf_init(&text, 1 << 20);
    buf_init(&system, 1 << 20);
    assert_int_equal(buf_read_file(&text, "tests/data/triggers/statements.ndjson"), 0);
    buf_puts(&system, "format: rehearse.system/1\nservices: {api: {}, redis: {}, postgres: {}}\n"
                      "traffic: {users: {to: api, rate: 5/s}}\ntriggers:\n");
    for (struct str rest = buf_text(&text); rest.len;) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (!line.len)
            continue;
        assert_true(all.n < STATEMENTS);
        all.at[all.n++] = cJSON_ParseWithLength(line.at, line.len);
        buf_printf(&system, "- %.*s\n", STR_ARG(line));
    }
    all.system = arena_str(&all.arena, buf_text(&system));
    buf_release(&text);
    buf_release(&system);
    return all.n == STATEMENTS ? 0 : -1;
}

static int forget_all(void **state)
{
    (void)state;
    for (int i = 0; i < all.n; i++)
        cJSON_Delete(all.at[i]);
    arena_release(&all.arena);
    return 0;
}

/* ---- one statement, read again ---- */

static const cJSON *get(const cJSON *of, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(of, key);
}

static const char *text_of(const cJSON *of, const char *key, const char *otherwise)
{
    return get(of, key) ? get(of, key)->valuestring : otherwise;
}

static int seconds_of(const cJSON *of, const char *key, int otherwise)
{
    const char *text = text_of(of, key, NULL), *units = "smhd";
    static const int each[] = {1, 60, 3600, 86400};
    return text ? atoi(text) * each[strchr(units, text[strlen(text) - 1]) - units] : otherwise;
}

static const cJSON *when_of(int i)
{
    return get(all.at[i], "when");
}

static const char *id_of(int i)
{
    return text_of(all.at[i], "id", "");
}

static bool is_metric(int i)
{
    return get(when_of(i), "m") != NULL;
}

static int find(const char *id)
{
    for (int i = 0; i < STATEMENTS; i++)
        if (strcmp(id_of(i), id) == 0)
            return i;
    fail_msg("no statement %s", id);
    return -1;
}

/* Ticks in a row that it asks for. */
static int ticks_of(const cJSON *when)
{
    int every_s = seconds_of(when, "every", EVAL_S), for_s = seconds_of(when, "for", 0);
    if (get(when, "n"))
        return get(when, "n")->valueint;
    return for_s ? (for_s + every_s - 1) / every_s + 1 : 1;
}

static bool holds(const cJSON *when, double value)
{
    const char *op = get(when, "op")->valuestring;
    double limit = get(when, "thr")->valuedouble;
    if (value != value)
        return strcmp(text_of(when, "miss", "prom"), "bad") == 0;
    return strcmp(op, ">") == 0    ? value > limit
           : strcmp(op, ">=") == 0 ? value >= limit
           : strcmp(op, "<") == 0  ? value < limit
                                   : value == limit; /* the playbooks have no other */
}

/* ---- what monitoring is fed ---- */

/* Values by metric, one for each scrape from the first on. */
struct tape {
    const char *metric;
    double value[4000];
};
struct feed {
    struct tape *at;
    int n;
    double otherwise;
};

static double feed_value(struct world *world, const char *metric, double value, void *ctx)
{
    const struct feed *feed = ctx;
    (void)value;
    for (int i = 0; i < feed->n; i++)
        if (strcmp(feed->at[i].metric, metric) == 0)
            return feed->at[i].value[world_now(world) / SECOND / SCRAPE_S - 1];
    return feed->otherwise;
}

/* Firings of one statement: when it began and stopped, in turn, in seconds. */
struct edges {
    int n, at_s[2000];
};

static void add_edge(struct edges *edges, int at_s)
{
    assert_true(edges->n < 2000);
    edges->at_s[edges->n++] = at_s;
}

static void edges_of(const struct record *record, const char *id, struct edges *ret)
{
    ret->n = 0;
    for (int i = 0; i < record->n_events; i++)
        if (record->events[i].kind == EVENT_ALERT && strcmp(record->events[i].subject, id) == 0)
            add_edge(ret, (int)(record->events[i].at_ns / SECOND));
}

static void begin(struct world_fixture *f, struct feed *feed)
{
    world_fixture_begin(f, all.system, "change: {at: 60s, set: {x: y}}", 1);
    world_on_scrape(f->world, feed_value, feed);
}

/* A change at CHANGE_S, somebody's first step at STEP_S. */
static void run(struct world_fixture *f, struct feed *feed, int until_s)
{
    begin(f, feed);
    world_fixture_until(f, STEP_S * SECOND);
    record_step_end(f->record, record_step_begin(f->record, "p", 1, "true"), 0);
    world_fixture_until(f, until_s * SECOND);
}

/* ---- the reference ---- */

static double sample(const struct feed *feed, const char *metric, int at_s)
{
    for (int i = 0; i < feed->n; i++)
        if (strcmp(feed->at[i].metric, metric) == 0)
            return at_s >= SCRAPE_S ? feed->at[i].value[at_s / SCRAPE_S - 1] : NAN;
    return NAN;
}

/* Scrapes come every 15 s, lookback is five minutes: the latest is always young enough, and a gap
 * is a stale marker. */
static double growth(const struct feed *feed, const char *metric, int at_s, int window_s)
{
    double then = sample(feed, metric, at_s - window_s), now = sample(feed, metric, at_s);
    return now < then ? now : now - then;
}

static double reference_value(const struct feed *feed, const cJSON *when, int at_s)
{
    const char *metric = get(when, "m")->valuestring, *agg = text_of(when, "agg", "last");
    int window_s = seconds_of(when, "win", 0);
    const cJSON *base = get(when, "base");
    double value = NAN;
    if (strcmp(agg, "last") == 0) {
        value = sample(feed, metric, at_s);
    } else if (strcmp(agg, "inc") == 0) {
        value = growth(feed, metric, at_s, window_s);
    } else if (strcmp(agg, "ratio") == 0) {
        double below = growth(feed, get(when, "den")->valuestring, at_s, window_s);
        value = below > 0 ? growth(feed, metric, at_s, window_s) / below : NAN;
    } else {
        assert_string_equal(agg, "sum");
        for (int s = at_s / SCRAPE_S * SCRAPE_S; s > at_s - window_s && s >= SCRAPE_S;
             s -= SCRAPE_S) {
            double one = sample(feed, metric, s);
            if (one == one)
                value = value == value ? value + one : one;
        }
    }
    if (base) {
        double b = sample(feed, get(base, "m")->valuestring, at_s);
        const char *as = get(base, "as")->valuestring;
        value = strcmp(as, "add") == 0   ? value - b
                : strcmp(as, "pct") == 0 ? value / b - 1
                                         : value / b;
    }
    return value;
}

static bool counts(const cJSON *when, int at_s)
{
    const char *scope = text_of(when, "scope", "always");
    int since_s = at_s >= CHANGE_S ? CHANGE_S : 0;
    if (at_s < since_s + seconds_of(when, "delay", 0))
        return false;
    return strcmp(scope, "always") == 0 ||
           (strcmp(scope, "post_deploy") == 0 && at_s >= CHANGE_S) ||
           (strcmp(scope, "post_mitigation") == 0 && at_s > STEP_S);
}

static void reference_edges(const struct feed *feed, const cJSON *when, int until_s,
                            struct edges *ret)
{
    int every_s = seconds_of(when, "every", EVAL_S), row = 0;
    bool fires = false;
    ret->n = 0;
    for (int at_s = every_s; at_s <= until_s; at_s += every_s) {
        row = counts(when, at_s) && holds(when, reference_value(feed, when, at_s)) ? row + 1 : 0;
        if ((row >= ticks_of(when)) == fires)
            continue;
        fires = !fires;
        add_edge(ret, at_s);
    }
}

/* ---- restless values, with plateaus, gaps, and what is exactly at a threshold ---- */

static void add_tape(struct feed *feed, struct tape *tapes, const char *metric)
{
    for (int i = 0; i < feed->n; i++)
        if (strcmp(feed->at[i].metric, metric) == 0)
            return;
    feed->at = tapes;
    tapes[feed->n++].metric = metric;
}

static void make_tape(struct tape *tape, struct stream *stream, int plateau, int n)
{
    double thresholds[STATEMENTS], level = 0, total = 0;
    int known = 0;
    bool counter = strstr(tape->metric, "_total") != NULL;
    for (int i = 0; i < STATEMENTS; i++)
        if (is_metric(i) && strcmp(get(when_of(i), "m")->valuestring, tape->metric) == 0)
            thresholds[known++] = get(when_of(i), "thr")->valuedouble;
    if (!known)
        thresholds[known++] = 1; /* a baseline or a denominator */
    for (int k = 0; k < n; k++) {
        if (stream_below(stream, plateau) ==
            0) /* a new plateau: about a threshold, a little above, exactly at it, or far */
            level = thresholds[stream_below(stream, known)] *
                    (double[]){0, 0.5, 0.99, 1, 1.01, 1.3, 3}[stream_below(stream, 7)];
        if (stream_below(stream, 4 * plateau) == 0)
            level = (double)stream_below(stream, 3);
        double value = level;
        if (counter)
            value = total += floor(4 * level);
        tape->value[k] = stream_below(stream, 50) == 0 ? NAN : value;
    }
}

static void test_restless_values(void **state)
{
    (void)state;
    enum { UNTIL_S = 8 * 3600, SEEDS = 6 };
    static struct tape tapes[64];
    static int fired[STATEMENTS], quiet[STATEMENTS];
    int wrong = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
        struct feed feed = {.otherwise = NAN};
        struct stream stream;
        struct world_fixture f;
        for (int i = 0; i < STATEMENTS; i++) {
            const cJSON *when = when_of(i), *base = get(when, "base");
            if (is_metric(i))
                add_tape(&feed, tapes, get(when, "m")->valuestring);
            if (get(when, "den"))
                add_tape(&feed, tapes, get(when, "den")->valuestring);
            if (base)
                add_tape(&feed, tapes, get(base, "m")->valuestring);
        }
        stream_init(&stream, (uint64_t)seed, 0, "test", "statements");
        for (int i = 0; i < feed.n; i++)
            make_tape(&feed.at[i], &stream, seed % 2 ? 12 : 60, UNTIL_S / SCRAPE_S + 1);
        run(&f, &feed, UNTIL_S);
        for (int i = 0; i < STATEMENTS; i++) {
            static struct edges got, want;
            if (!is_metric(i))
                continue;
            edges_of(f.record, id_of(i), &got);
            reference_edges(&feed, when_of(i), UNTIL_S, &want);
            fired[i] += want.n;
            quiet[i] += want.n == 0;
            if (got.n == want.n &&
                memcmp(got.at_s, want.at_s, (size_t)got.n * sizeof *got.at_s) == 0)
                continue;
            int k = 0;
            while (k < got.n && k < want.n && got.at_s[k] == want.at_s[k])
                k++;
            print_error("seed %d, %s: %d edges, want %d; the first that differs: %d and %d\n", seed,
                        id_of(i), got.n, want.n, k < got.n ? got.at_s[k] : -1,
                        k < want.n ? want.at_s[k] : -1);
            wrong++;
        }
        world_fixture_end(&f);
    }
    assert_int_equal(wrong, 0);
    /* nothing was compared for nothing: each fired somewhere, but for those that ask for 30 minutes
     * without a break */
    for (int i = 0; i < STATEMENTS; i++)
        if (is_metric(i) && !fired[i] && seconds_of(when_of(i), "for", 0) < 1800)
            fail_msg("%s never fired", id_of(i));
}

/* ---- one by one: at the threshold, a tick too short, and just long enough ---- */

/* A value of the metric for which the statement's own number is x, its baseline being fed as below.
 */
static void feed_breach(struct feed *feed, struct tape *tapes, const cJSON *when, double quiet,
                        double loud, int from, int n)
{
    const cJSON *base = get(when, "base");
    *feed = (struct feed){.otherwise = NAN};
    add_tape(feed, tapes, get(when, "m")->valuestring);
    for (int k = 0; k < 4000; k++)
        tapes[0].value[k] = k >= from && k < from + n ? loud : quiet;
    if (base) {
        add_tape(feed, tapes, get(base, "m")->valuestring);
        for (int k = 0; k < 4000; k++)
            tapes[1].value[k] = strcmp(get(base, "as")->valuestring, "add") == 0 ? 0 : 1;
    }
}

/* The last value that is quiet and the first that is loud. */
static void border(const cJSON *when, double *ret_quiet, double *ret_loud)
{
    const char *op = get(when, "op")->valuestring;
    double limit = get(when, "thr")->valuedouble;
    const cJSON *base = get(when, "base");
    if (base && strcmp(get(base, "as")->valuestring, "pct") == 0)
        limit += 1; /* over a baseline of 1 */
    *ret_quiet = *ret_loud = limit;
    if (strcmp(op, ">") == 0)
        *ret_loud = limit * (1 + 1e-9);
    else if (strcmp(op, ">=") == 0)
        *ret_quiet = limit * (1 - 1e-9);
    else if (strcmp(op, "<") == 0)
        *ret_loud = limit * (1 - 1e-9);
    else
        *ret_quiet = limit + 1;
}

static int firings_of(struct feed *feed, const char *id, int until_s, int *ret_first_s)
{
    struct world_fixture f;
    static struct edges edges;
    run(&f, feed, until_s);
    edges_of(f.record, id, &edges);
    world_fixture_end(&f);
    *ret_first_s = edges.n ? edges.at_s[0] : 0;
    return (edges.n + 1) / 2;
}

static void test_each_metric_to_the_tick(void **state)
{
    (void)state;
    enum { FROM = 39, FROM_S = (FROM + 1) * SCRAPE_S, END_S = 3600 };
    static struct tape tapes[4];
    int checked = 0, wrong = 0;
    for (int i = 0; i < STATEMENTS; i++) {
        const cJSON *when = when_of(i);
        double quiet, loud;
        int first_s;
        struct feed feed;
        if (!is_metric(i) || get(when, "agg"))
            continue;
        border(when, &quiet, &loud);
        /* so many scrapes that so many ticks see the breach; a probe faster than the scrape sees
         * each sample several times */
        int every_s = seconds_of(when, "every", EVAL_S), n = ticks_of(when);
        int long_enough = ((n - 1) * every_s) / SCRAPE_S + 1, fires_s = FROM_S + (n - 1) * every_s;
        int too_short = long_enough - 1;
        if (every_s > SCRAPE_S) /* sampled at every other scrape: the last must be there, the one
                                   between need not */
            too_short = long_enough - every_s / SCRAPE_S;
        struct {
            int n, firings, first_s;
            double loud;
        } tries[] = {
            {4000 - FROM, 0, 0, quiet},      /* exactly at the threshold, for ever */
            {too_short, 0, 0, loud},         /* a tick too short */
            {long_enough, 1, fires_s, loud}, /* just long enough */
            {4000 - FROM, 1, fires_s, loud},
        };
        for (size_t k = 0; k < sizeof tries / sizeof *tries; k++) {
            feed_breach(&feed, tapes, when, quiet, tries[k].loud, FROM, tries[k].n);
            int firings = firings_of(&feed, id_of(i), END_S, &first_s);
            if (firings != tries[k].firings || first_s != tries[k].first_s) {
                print_error("%s, %d scrapes of %g: fires %d times, first at %d; want %d, %d\n",
                            id_of(i), tries[k].n, tries[k].loud, firings, first_s, tries[k].firings,
                            tries[k].first_s);
                wrong++;
            }
        }
        checked++;
    }
    assert_int_equal(checked, METRIC_STATEMENTS - 4); /* the four with windows follow */
    assert_int_equal(wrong, 0);
}

/* ---- the four that look at a window ---- */

static void test_each_window(void **state)
{
    (void)state;
    static struct tape tapes[2];
    struct feed feed;
    int first_s;

    /* any restart within five minutes */
    for (int more = 0; more <= 1; more++) {
        feed = (struct feed){.otherwise = NAN};
        add_tape(&feed, tapes, "service_restarts_total");
        for (int k = 0; k < 4000; k++)
            tapes[0].value[k] = 7 + (k >= 79 ? more : 0); /* at 1200 s */
        assert_int_equal(firings_of(&feed, "hap.crash", 3600, &first_s), more);
        assert_int_equal(first_s, more ? 1200 : 0);
    }
    /* 5% over ten minutes: 40 scrapes of 100 requests; 200 errors are not more than 5%, 201 are */
    for (int errors = 200; errors <= 201; errors++) {
        feed = (struct feed){.otherwise = NAN};
        add_tape(&feed, tapes, "http_errors_total");
        add_tape(&feed, tapes, "http_requests_total");
        for (int k = 0; k < 4000; k++) {
            tapes[0].value[k] = k >= 79 ? errors : 0;
            tapes[1].value[k] = 100 * (k + 1);
        }
        assert_int_equal(firings_of(&feed, "qec.err", 3600, &first_s), errors > 200);
        assert_int_equal(first_s, errors > 200 ? 1200 : 0);
    }
    /* complaints: 240 scrapes of an hour. The tenth is not more than ten, the eleventh is, unless
     * it comes an hour later */
    static const struct {
        int eleventh_k, firings, first_s;
    } complaints[] = {{4000, 0, 0}, {100 + 239, 1, 5100}, {100 + 240, 0, 0}};
    for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++) {
        feed = (struct feed){.otherwise = NAN};
        add_tape(&feed, tapes, "user_complaints");
        for (int k = 0; k < 4000; k++)
            tapes[0].value[k] = k == 100 ? 10 : k == complaints[i].eleventh_k ? 1 : 0;
        assert_int_equal(firings_of(&feed, "qec.complaints", 3 * 3600, &first_s),
                         complaints[i].firings);
        assert_int_equal(first_s, complaints[i].first_s);
    }
    /* three times the usual two an hour: six are not more than that, seven are */
    for (int n = 6; n <= 7; n++) {
        feed = (struct feed){.otherwise = NAN};
        add_tape(&feed, tapes, "user_complaints");
        add_tape(&feed, tapes, "user_complaints_hourly_baseline");
        for (int k = 0; k < 4000; k++) {
            tapes[0].value[k] = k == 79 ? n : 0;
            tapes[1].value[k] = 2;
        }
        assert_int_equal(firings_of(&feed, "hal9.complaints", 3600, &first_s), n > 6);
        assert_int_equal(first_s, n > 6 ? 1200 : 0);
    }
}

/* ---- events ---- */

static bool names(const cJSON *when, const char *event)
{
    const cJSON *part;
    if (get(when, "event"))
        return strcmp(get(when, "event")->valuestring, event) == 0;
    cJSON_ArrayForEach(part, get(when, "any")) if (names(part, event)) return true;
    return false;
}

/* Each event that any statement waits for is declared in a world of its own: those that name it
 * fire, after their `for`, and no other statement does. */
static void declare_alone(const char *event, int *fired)
{
    enum { AT_S = 607, END_S = 2400 };
    struct world_fixture f;
    struct feed feed = {.otherwise = NAN};
    static struct edges edges;
    begin(&f, &feed);
    world_fixture_until(&f, AT_S * SECOND);
    world_declare(f.world, event, "");
    world_fixture_until(&f, END_S * SECOND);
    for (int i = 0; i < STATEMENTS; i++) {
        const cJSON *when = when_of(i);
        bool blind = get(when, "miss") && strcmp(get(when, "miss")->valuestring, "bad") == 0;
        if (blind)
            continue; /* nothing to see is what it waits for */
        edges_of(f.record, id_of(i), &edges);
        if (!names(when, event)) {
            if (edges.n)
                fail_msg("%s fires when %s is declared", id_of(i), event);
            continue;
        }
        /* people do not wait for a tick; how long it has been so is looked at by ticks */
        int wait_s = seconds_of(when, "for", 0), at_s = AT_S + wait_s;
        if (wait_s)
            at_s = (at_s + EVAL_S - 1) / EVAL_S * EVAL_S;
        if (edges.n != 1 || edges.at_s[0] != at_s)
            fail_msg("%s: %d edges, the first at %d, want 1 at %d", id_of(i), edges.n,
                     edges.n ? edges.at_s[0] : 0, at_s);
        fired[i]++;
    }
    world_fixture_end(&f);
}

static void test_each_event(void **state)
{
    (void)state;
    int fired[STATEMENTS] = {0}, events = 0;
    for (int i = 0; i < STATEMENTS; i++) {
        const cJSON *when = when_of(i), *part;
        if (get(when, "event"))
            declare_alone(get(when, "event")->valuestring, fired);
        cJSON_ArrayForEach(part, get(when, "any"))
            declare_alone(get(part, "event")->valuestring, fired);
    }
    for (int i = 0; i < STATEMENTS; i++) {
        events += !is_metric(i);
        assert_true(is_metric(i) ? fired[i] == 0 : fired[i] > 0);
    }
    assert_int_equal(events, STATEMENTS - METRIC_STATEMENTS);
}

/* Where nothing is seen, only the statement that takes nothing for bad fires, and that after its
 * two minutes. */
static void test_nothing_to_see(void **state)
{
    (void)state;
    struct world_fixture f;
    struct feed feed = {.otherwise = NAN};
    static struct edges edges;
    run(&f, &feed, 3600);
    for (int i = 0; i < STATEMENTS; i++) {
        edges_of(f.record, id_of(i), &edges);
        assert_int_equal(edges.n, i == find("hyp.pg"));
        if (edges.n)
            assert_int_equal(edges.at_s[0], 9 * EVAL_S); /* two minutes are nine ticks */
    }
    world_fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restless_values), cmocka_unit_test(test_each_metric_to_the_tick),
        cmocka_unit_test(test_each_window),     cmocka_unit_test(test_each_event),
        cmocka_unit_test(test_nothing_to_see),
    };
    return cmocka_run_group_tests_name("statements", tests, read_all, forget_all);
}
