/* curl's progress meter (lib/progress.c). It is drawn whenever the body does not go to a terminal.
 */
#include <string.h>

#include "fakes/curl/transfer.h"
#include "sim/base/doc.h"

static const char *size(struct arena *arena, int64_t bytes)
{
    const long long n = bytes, k = 1024, m = k * k, g = m * k;
    if (n < 100000)
        return arena_printf(arena, "%5lld", n);
    if (n < 10000 * k)
        return arena_printf(arena, "%4lldk", n / k);
    if (n < 100 * m)
        return arena_printf(arena, "%2lld.%lldM", n / m, n % m / (m / 10));
    if (n < 10000 * m)
        return arena_printf(arena, "%4lldM", n / m);
    return arena_printf(arena, "%2lld.%lldG", n / g, n % g / (g / 10));
}

static const char *span(struct arena *arena, int64_t seconds)
{
    if (seconds <= 0)
        return "--:--:--";
    return arena_printf(arena, "%2lld:%02lld:%02lld", (long long)(seconds / 3600),
                        (long long)(seconds / 60 % 60), (long long)(seconds % 60));
}

static void draw(struct curl_transfer *t, int64_t expected, int64_t down, int64_t up)
{
    struct arena *arena = t->session->call->arena;
    int64_t us = (call_now(t->session->call) - t->started_ns) / MICROSECOND, spent = us / 1000000;
    us = us > 0 ? us : 1000;
    int64_t down_per_s = down * 1000000 / us, up_per_s = up * 1000000 / us;
    int64_t total = expected + up, done = down + up;
    int64_t estimate = down_per_s ? expected / down_per_s : up_per_s ? up / up_per_s : 0;
    curl_say(t->session, "\r%3d %s  %3d %s  %3d %s  %s  %s %s %s %s %s",
             total ? (int)(done * 100 / total) : 0, size(arena, total),
             expected ? (int)(down * 100 / expected) : 0, size(arena, down), up ? 100 : 0,
             size(arena, up), size(arena, down_per_s), size(arena, up_per_s), span(arena, estimate),
             span(arena, spent), span(arena, estimate > spent ? estimate - spent : 0),
             size(arena, down_per_s + up_per_s));
}

void curl_meter_begin(struct curl_transfer *t, bool again)
{
    struct curl_session *s = t->session;
    bool terminal = !t->output && call_isatty(s->call, 1);
    t->meter_second = -1;
    if (s->options->silent || s->options->no_meter || s->options->parallel || terminal)
        return;
    t->meter_second = 0;
    if (s->options->bar)
        return;
    if (!again)
        curl_say(
            s,
            "  %% Total    %% Received %% Xferd  Average Speed   Time    Time     Time  Current\n"
            "                                 Dload  Upload   Total   Spent    Left  Speed\n");
    draw(t, 0, 0, 0);
}

void curl_meter_seconds(struct curl_transfer *t)
{
    if (t->meter_second < 0 || t->session->options->bar)
        return;
    int64_t second = (call_now(t->session->call) - t->started_ns) / SECOND;
    if (second == t->meter_second)
        return;
    t->meter_second = second;
    draw(t, 0, 0, 0);
}

void curl_meter_end(struct curl_transfer *t)
{
    if (t->meter_second < 0)
        return;
    if (t->session->options->bar) {
        static const char full[] =
            "########################################################################";
        if (t->answered)
            curl_say(t->session, "\r%s 100.0%%\n", full);
        return;
    }
    int64_t length = t->answered ? (int64_t)t->response.body.len : 0;
    draw(t, length, t->body_expected ? length : 0, t->answered ? (int64_t)t->body.len : 0);
    curl_say(t->session, "\n");
}
