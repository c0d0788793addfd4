#include "reports/blame.h"

#include <ctype.h>
#include <string.h>

#include "sim/base/str.h"

int blame_longest(const struct record *record, int64_t from_ns, int64_t to_ns)
{
    int longest = 0;
    int64_t best = 0;
    for (int i = 0; i < record->n_steps; i++) {
        const struct step *step = &record->steps[i];
        int64_t end = step->end_ns == NEVER ? record->instants[T_END] : step->end_ns;
        int64_t start = step->start_ns > from_ns ? step->start_ns : from_ns;
        if (to_ns != NEVER && end > to_ns)
            end = to_ns;
        if (end != NEVER && end - start > best) {
            best = end - start;
            longest = step->n;
        }
    }
    return longest;
}

/* "web" is in "hp_ti_web", not in "webhook". */
static bool names(struct str text, const char *subject)
{
    size_t n = strlen(subject);
    for (size_t i = 0; i + n <= text.len; i++) {
        if (memcmp(text.at + i, subject, n) == 0 &&
            (i == 0 || !isalnum((unsigned char)text.at[i - 1])) &&
            (i + n == text.len || !isalnum((unsigned char)text.at[i + n])))
            return true;
    }
    return false;
}

const char *blame_last_change(const struct record *record, const char *subject, int *ret_step)
{
    for (int i = record->n_steps - 1; i >= 0; i--) {
        const struct step *step = &record->steps[i];
        for (int k = step->n_changed - 1; k >= 0; k--) {
            struct str rest = str_of(step->changed[k]);
            if (names(str_cut(&rest, ':'), subject)) {
                *ret_step = step->n;
                return step->changed[k];
            }
        }
    }
    return NULL;
}

static const struct series *indicator(const struct record *record)
{
    for (int i = 0; i < record->n_series; i++) {
        const struct series *series = record->series[i];
        if (strcmp(series->name, "indicator") == 0 && !*series->labels)
            return series;
    }
    return NULL;
}

/* A sample is that of the second before it: of the steps in that second the last one that changed
 * anything, else the last one. */
static int step_before(const struct record *record, int64_t at_ns)
{
    static const int64_t second_ns = 1000000000;
    int any = 0, changed = 0;
    for (int i = 0; i < record->n_steps; i++) {
        const struct step *step = &record->steps[i];
        bool over = step->end_ns != NEVER && step->end_ns < at_ns - second_ns;
        if (step->start_ns > at_ns || over)
            continue;
        any = step->n;
        changed = step->n_changed ? step->n : changed;
    }
    return changed ? changed : any;
}

int blame_outage(const struct record *record, int64_t *ret_from_ns, int64_t *ret_to_ns)
{
    const struct series *series = indicator(record);
    int64_t from_ns = NEVER, longest_ns = 0;
    for (int i = 0; series && i < series->n; i++) {
        bool down = series->value[i] < record->identity.indicator_down_below;
        if (down && from_ns == NEVER)
            from_ns = series->at_ns[i];
        int64_t until_ns = i + 1 < series->n ? series->at_ns[i + 1] : record->instants[T_END];
        if (down && until_ns - from_ns > longest_ns) {
            longest_ns = until_ns - from_ns;
            *ret_from_ns = from_ns;
            *ret_to_ns = until_ns;
        }
        if (!down)
            from_ns = NEVER;
    }
    return longest_ns ? step_before(record, *ret_from_ns) : 0;
}
