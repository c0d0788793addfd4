#include "reports/plot/axis.h"

#include "reports/words.h"
#include <math.h>

struct axis axis_make(double lo, double hi, double p0, double p1)
{
    if (!(hi > lo)) {
        hi = lo + 1;
    }
    return (struct axis){lo, hi, p0, p1};
}

double axis_at(const struct axis *axis, double value)
{
    return axis->p0 + (value - axis->lo) / (axis->hi - axis->lo) * (axis->p1 - axis->p0);
}

/* The power of ten at or below a positive value, without libm's logarithm. */
static double magnitude_of(double value)
{
    double power = 1;
    while (power * 10 <= value * (1 + 1e-12) && power < 1e15)
        power *= 10;
    while (power > value * (1 + 1e-12) && power > 1e-9)
        power /= 10;
    return power;
}

/* The round step nearest to the raw one. */
static double round_step(double raw)
{
    double power = magnitude_of(raw), m = raw / power;
    double nice = m < 1.5 ? 1 : m < 2.25 ? 2 : m < 3.5 ? 2.5 : m < 7.5 ? 5 : 10;
    return nice * power;
}

double axis_round_up(double value)
{
    if (!(value > 0))
        return 1;
    static const double nice[] = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10};
    double power = magnitude_of(value);
    for (int i = 0; i < 11; i++) {
        if (value <= nice[i] * power * (1 + 1e-9))
            return nice[i] * power;
    }
    return 10 * power;
}

static int decimals_of(double step)
{
    int decimals = 0;
    while (decimals < 6 && fabs(step - floor(step + 0.5)) > 1e-6) {
        step *= 10;
        decimals++;
    }
    return decimals;
}

int axis_ticks(const struct axis *axis, int want, const char *suffix, struct arena *arena,
               struct tick ret[TICKS_MAX])
{
    double step = round_step((axis->hi - axis->lo) / (want > 1 ? want : 1));
    int decimals = decimals_of(step), n = 0;
    for (double k = ceil(axis->lo / step - 1e-9); n < TICKS_MAX; k += 1) {
        double value = k * step;
        if (value > axis->hi + step * 1e-6)
            break;
        if (fabs(value) < step * 1e-9)
            value = 0;
        const char *label = fabs(value) >= 10000 && decimals == 0
                                ? words_count(arena, (int64_t)value)
                                : arena_printf(arena, "%.*f", decimals, value);
        ret[n++] =
            (struct tick){value, *suffix ? arena_printf(arena, "%s%s", label, suffix) : label};
    }
    return n;
}

static const char *time_label(struct arena *arena, double value, double step)
{
    long long s = (long long)floor(fabs(value) + 0.5);
    const char *sign = value < 0 && s ? "-" : "";
    if (s == 0)
        return "0";
    if (step >= 3600 || (s >= 3600 && s % 3600 == 0))
        return arena_printf(arena, "%s%lld h", sign, s / 3600);
    if (s > 3600)
        return arena_printf(arena, "%s%lld h %02lld", sign, s / 3600, s / 60 % 60);
    if (s % 60 == 0)
        return arena_printf(arena, "%s%lld min", sign, s / 60);
    if (s > 60)
        return arena_printf(arena, "%s%lld:%02lld", sign, s / 60, s % 60);
    return arena_printf(arena, "%s%lld s", sign, s);
}

int axis_time_ticks(const struct axis *axis, int want, struct arena *arena,
                    struct tick ret[TICKS_MAX])
{
    static const double steps[] = {1,     2,     5,     10,    15,     30,    60,
                                   120,   300,   600,   900,   1800,   3600,  7200,
                                   10800, 21600, 43200, 86400, 172800, 604800};
    enum { N = sizeof steps / sizeof *steps };
    double raw = (axis->hi - axis->lo) / (want > 1 ? want : 1);
    int k = 0, n = 0;
    while (k < N - 1 && steps[k] < raw)
        k++;
    for (double i = ceil(axis->lo / steps[k] - 1e-9); n < TICKS_MAX; i += 1) {
        double value = i * steps[k];
        if (value > axis->hi + steps[k] * 1e-6)
            break;
        ret[n++] = (struct tick){value, time_label(arena, value, steps[k])};
    }
    return n;
}
