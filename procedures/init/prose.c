/* What the prose of a playbook says: when to roll back, and how long it may take. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "procedures/init/facts.h"
#include "sim/base/xalloc.h"

/* ---- reading numbers and times out of a sentence ---- */

struct amount {
    char digits[24];
    char unit; /* '%', 'm' for ms, 's', 'M' for minutes, 'h', 'x' for times, 0 none */
};

static bool is_word_at(const char *text, const char *word)
{
    size_t n = strlen(word);
    return !strncasecmp(text, word, n) && !isalpha((unsigned char)text[n]);
}

static char unit_at(const char *text)
{
    static const struct {
        const char *word;
        char unit;
    } units[] = {{"ms", 'm'},     {"milliseconds", 'm'}, {"s", 's'},       {"sec", 's'},
                 {"second", 's'}, {"seconds", 's'},      {"m", 'M'},       {"min", 'M'},
                 {"mins", 'M'},   {"minute", 'M'},       {"minutes", 'M'}, {"h", 'h'},
                 {"hour", 'h'},   {"hours", 'h'},        {"x", 'x'}};
    text += strspn(text, "+ -"); /* "5+ minutes", "15-minute" */
    if (*text == '%')
        return '%';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (is_word_at(text, units[i].word))
            return units[i].unit;
    return 0;
}

/* The number at the start of the text. */
static bool amount_at(const char *text, struct amount *ret)
{
    size_t n = 0;
    while (n < sizeof ret->digits - 1 &&
           (isdigit((unsigned char)text[n]) ||
            (n && text[n] == '.' && isdigit((unsigned char)text[n + 1]))))
        n++;
    if (!n)
        return false;
    memcpy(ret->digits, text, n);
    ret->digits[n] = '\0';
    ret->unit = unit_at(text + n);
    return true;
}

static const char *duration_text(struct arena *arena, const struct amount *amount)
{
    const char *unit = amount->unit == 'm'   ? "ms"
                       : amount->unit == 's' ? "s"
                       : amount->unit == 'M' ? "m"
                                             : "h";
    return amount->unit && strchr("msMh", amount->unit)
               ? arena_printf(arena, "%s%s", amount->digits, unit)
               : NULL;
}

/* The first amount behind `from` with one of the units. */
static const char *find_amount(const char *from, const char *units, struct amount *ret)
{
    for (const char *at = from; *at; at++) {
        if (!isdigit((unsigned char)*at) ||
            (at > from && (isalnum((unsigned char)at[-1]) || at[-1] == '.')))
            continue;
        if (amount_at(at, ret) && ret->unit && strchr(units, ret->unit))
            return at;
    }
    return NULL;
}

/* "for 5 minutes", "over 10 minutes", "5+ minutes": not the threshold itself. */
static const char *window_text(struct arena *arena, const char *text)
{
    static const char *const words[] = {"for >",  "for more than", "for over",  "for", "over",
                                        "during", "within",        "sustained", "in",  NULL};
    for (int i = 0; words[i]; i++)
        for (const char *at = text; (at = strcasestr(at, words[i])); at++) {
            const char *number = at + strlen(words[i]);
            struct amount amount;
            if ((at > text && isalpha((unsigned char)at[-1])) ||
                (*number != ' ' && !isdigit((unsigned char)*number)))
                continue;
            number += strspn(number, " >");
            if (isdigit((unsigned char)*number) && amount_at(number, &amount) &&
                strchr("sMh", amount.unit) && amount.unit)
                return duration_text(arena, &amount);
            if (is_word_at(number, "hour"))
                return "1h";
            if (is_word_at(number, "minute"))
                return "1m";
        }
    return NULL;
}

/* ---- triggers ---- */

static bool says(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

static const char *share_text(struct arena *arena, const struct amount *amount)
{
    double value;
    if (sscanf(amount->digits, "%lf", &value) != 1)
        return NULL;
    return arena_printf(arena, "%.6g", value / 100);
}

static const char *percent_trigger(struct arena *arena, const char *text, const char *metric,
                                   const char *operator)
{
    struct amount amount;
    const char *window = window_text(arena, text);
    if (!find_amount(text, "%", &amount))
        return NULL;
    return arena_printf(arena, "{m: %s, op: \"%s\", thr: %s%s%s}", metric, operator,
                        share_text(arena, &amount), window ? ", for: " : "", window ? window : "");
}

static const char *latency_trigger(struct arena *arena, const char *text)
{
    const char *metric = says(text, "p99")   ? "latency_p99_seconds"
                         : says(text, "p50") ? "latency_p50_seconds"
                         : says(text, "p95") ? "latency_p95_seconds"
                                             : "latency_seconds";
    const char *window = window_text(arena, text), *at;
    struct amount amount;
    double value;
    if (says(text, "baseline") && (at = find_amount(text, "%x", &amount)) &&
        sscanf(amount.digits, "%lf", &value) == 1)
        return arena_printf(
            arena, "{m: %s, op: \">\", thr: %.6g, base: {m: %s_baseline, as: %s}%s%s}", metric,
            amount.unit == '%' ? value / 100 : value, metric, amount.unit == '%' ? "pct" : "x",
            window ? ", for: " : "", window ? window : "");
    for (at = text; (at = find_amount(at, "ms", &amount)); at++) {
        if (at > text && strpbrk((char[]){at[-1], 0}, "p"))
            continue;
        if (sscanf(amount.digits, "%lf", &value) != 1)
            return NULL;
        return arena_printf(arena, "{m: %s, op: \">\", thr: %.6g%s%s}", metric,
                            amount.unit == 'm' ? value / 1000 : value, window ? ", for: " : "",
                            window ? window : "");
    }
    return NULL;
}

static const char *health_trigger(struct arena *arena, const char *text)
{
    const char *at = text;
    struct amount amount;
    if (!says(text, "consecutive") && !says(text, "in a row") && !says(text, "fail"))
        return NULL;
    for (; *at; at++)
        if (isdigit((unsigned char)*at) && (at == text || !isalnum((unsigned char)at[-1])) &&
            amount_at(at, &amount) && !amount.unit)
            return arena_printf(arena, "{m: health_ok, op: \"==\", thr: 0, n: %s, every: 30s}",
                                amount.digits);
    return "{m: health_ok, op: \"==\", thr: 0, n: 3, every: 30s}";
}

static const char *complaints_trigger(struct arena *arena, const char *text)
{
    const char *at = strpbrk(text, "0123456789"), *window = window_text(arena, text);
    struct amount amount;
    if (!at || !amount_at(at, &amount))
        return NULL;
    return arena_printf(arena, "{m: user_complaints, op: \">\", thr: %s, agg: sum, win: %s}",
                        amount.digits, window ? window : "1h");
}

/* The YAML of `when`, or NULL. */
static const char *understand(struct arena *arena, const char *text)
{
    if (says(text, "error rate") || says(text, "5xx") || says(text, "error ratio"))
        return percent_trigger(arena, text, "error_ratio", ">");
    if (says(text, "memory"))
        return percent_trigger(arena, text, "memory_ratio", ">");
    if (says(text, "cpu"))
        return percent_trigger(arena, text, "cpu_ratio", ">");
    if (says(text, "availability") || says(text, "success rate"))
        return percent_trigger(arena, text, "success_ratio", "<");
    if (says(text, "latency") || says(text, "response time") || says(text, "performance"))
        return latency_trigger(arena, text);
    if (says(text, "health"))
        return health_trigger(arena, text);
    return says(text, "complaint") ? complaints_trigger(arena, text) : NULL;
}

/* Does this heading, or one above it, introduce reasons to roll back? *ret_automatic: without
 * asking anybody. */
static bool lists_triggers(const struct playbook *playbook, int heading, bool *ret_automatic)
{
    int level = 99;
    bool found = false;
    *ret_automatic = false;
    for (int i = heading; i >= 0; i--) {
        const char *text = playbook->headings[i].text;
        if (playbook->headings[i].level >= level)
            continue;
        level = playbook->headings[i].level;
        if (says(text, "not to") || says(text, "matrix"))
            return false;
        *ret_automatic |= says(text, "automatic");
        found |= says(text, "trigger") || says(text, "when to") || says(text, "criteria") ||
                 says(text, "conditions");
        if (says(text, "success criteria"))
            return false;
    }
    return found;
}

/* "Roll back when the error rate is above 2% for 5 minutes." anywhere in a text: what stands behind
 * "when" or "if", to the end of the sentence. NULL: no such sentence. */
static const char *reason_to_roll_back(struct arena *arena, const char *text)
{
    static const char *const orders[] = {"roll back when", "roll back if", "rollback when",
                                         "rollback if",    "revert when",  "revert if"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        const char *at = strcasestr(text, orders[i]), *end;
        if (!at || (at > text && isalpha((unsigned char)at[-1])))
            continue;
        at += strlen(orders[i]);
        if (*at != ' ')
            continue;
        for (end = ++at; *end && !(strchr(".;\n", *end) && !isdigit((unsigned char)end[1]));)
            end++;
        return arena_str(arena, (struct str){at, (size_t)(end - at)});
    }
    return NULL;
}

static void take_trigger(struct facts *facts, const struct block *block)
{
    const char *text = arena_str(facts->arena, block->text), *reason;
    bool automatic = false;
    struct fact_trigger *trigger;
    if (block->heading < 0)
        return;
    if (!lists_triggers(facts->playbook, block->heading, &automatic)) {
        reason = reason_to_roll_back(facts->arena, text);
        if (!reason || !understand(facts->arena, reason))
            return;
        text = reason;
    } else if (block->words > 30 || str_ends(block->text, ":")) {
        return;
    }
    XGROW(facts->triggers, facts->n_triggers, facts->cap_triggers);
    trigger = &facts->triggers[facts->n_triggers++];
    *trigger = (struct fact_trigger){.line = block->line,
                                     .text = text,
                                     .when = understand(facts->arena, text),
                                     .automatic = automatic};
}

/* ---- targets ---- */

static void add_target(struct facts *facts, const char *key, const char *limit, int line)
{
    for (int i = 0; i < facts->n_targets; i++)
        if (!strcmp(facts->targets[i].key, key))
            return;
    XGROW(facts->targets, facts->n_targets, facts->cap_targets);
    facts->targets[facts->n_targets++] =
        (struct fact_target){.key = key, .limit = limit, .line = line};
}

/* "rolled back within 10 minutes". */
static void take_time_allowed(struct facts *facts, const char *text, int line)
{
    static const char *const phrases[] = {"roll back within ",   "rollback within ",
                                          "rolled back within ", "roll back in under ",
                                          "rollback in under ",  "rolled back in under "};
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        const char *at = strcasestr(text, phrases[i]), *limit;
        struct amount amount;
        if (at && amount_at(at + strlen(phrases[i]), &amount) &&
            (limit = duration_text(facts->arena, &amount)))
            add_target(facts, "rollback", limit, line);
    }
}

/* "Detection Time < 5 minutes": a name, then soon behind it "<" and a duration. */
static void take_targets(struct facts *facts, const struct block *block)
{
    static const struct {
        const char *phrase, *key;
    } phrases[] = {{"detection time", "time_to_detect"}, {"time to detect", "time_to_detect"},
                   {"decision time", "time_to_decide"},  {"time to decide", "time_to_decide"},
                   {"rollback duration", "rollback"},    {"rollback time", "rollback"},
                   {"target time", "rollback"},          {"rollback completes", "rollback"},
                   {"recovery time", "rollback"},        {"time to stability", "time_to_stable"},
                   {"stability", "time_to_stable"},      {"downtime", "downtime"}};
    const char *text = arena_str(facts->arena, block->text), *loss;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        const char *at = strcasestr(text, phrases[i].phrase), *less, *limit;
        struct amount amount;
        if (!at)
            continue;
        at += strlen(phrases[i].phrase);
        less = strpbrk(at, "<\xe2"); /* "<", or the first byte of the sign "less or equal" */
        if (!less || less - at > 8)
            continue;
        less += *less == '<' ? 1 : 3;
        less += strspn(less, " =");
        if (amount_at(less, &amount) && (limit = duration_text(facts->arena, &amount)))
            add_target(facts, phrases[i].key, limit, block->line);
    }
    take_time_allowed(facts, text, block->line);
    loss = strcasestr(text, "data loss 0");
    if (loss || says(text, "no data loss") || says(text, "zero data loss"))
        add_target(facts, "records_lost", "0", block->line);
}

void facts_from_prose(struct facts *facts)
{
    for (int i = 0; i < facts->playbook->n_blocks; i++) {
        const struct block *block = &facts->playbook->blocks[i];
        if (block->kind != BLOCK_PROSE && block->kind != BLOCK_CHECKLIST)
            continue;
        take_trigger(facts, block);
        take_targets(facts, block);
    }
}
