/* Metrics as Prometheus reads them: its text format, version 0.0.4. */
#include "sim/world/parts.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *metric, *type, *help;
} exposed[] = {
    {"requests_total", "counter", "Requests that arrived."},
    {"errors_total", "counter", "Requests answered with an error."},
    {"latency_p50_seconds", "gauge", "Half of the requests take no longer."},
    {"latency_p95_seconds", "gauge", "95 in 100 requests take no longer."},
    {"latency_p99_seconds", "gauge", "99 in 100 requests take no longer."},
    {"queue_length", "gauge", "Requests that wait."},
    {"cpu_ratio", "gauge", "Share of the places to work that are taken."},
    {"memory_bytes", "gauge", "Memory of all instances."},
    {"memory_ratio", "gauge", "Memory of the fullest instance, of its limit."},
    {"ready_replicas", "gauge", "Instances that take traffic."},
    {"restarts_total", "counter", "Starts after a crash."},
    {"up", "gauge", "1 if it answers."},
};
enum { EXPOSED = sizeof exposed / sizeof *exposed };

/* A name may hold letters, digits, _ and :, and must not begin with a digit. */
static void add_name(struct buf *out, const char *name)
{
    if (*name >= '0' && *name <= '9')
        buf_putc(out, '_');
    for (; *name; name++) {
        bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
        buf_putc(out, letter || (*name >= '0' && *name <= '9') ? *name : '_');
    }
}

static void add_label(struct buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '"' || *value == '\\' || *value == '\n')
            buf_putc(out, '\\');
        buf_putc(out, *value == '\n' ? 'n' : *value);
    }
}

static void add_value(struct buf *out, double value)
{
    if (value != value)
        buf_puts(out, "NaN");
    else if (isinf(value))
        buf_puts(out, value > 0 ? "+Inf" : "-Inf");
    else
        buf_printf(out, "%.15g", value); /* counters of billions, each one still to be seen */
}

static void add_header(struct buf *out, const char *prefix, const char *metric, const char *type,
                       const char *help)
{
    buf_puts(out, "# HELP ");
    add_name(out, prefix);
    buf_printf(out, "_%s %s\n# TYPE ", metric, help);
    add_name(out, prefix);
    buf_printf(out, "_%s %s\n", metric, type);
}

static void add_duration(struct buf *out, const struct service *service)
{
    static const struct {
        const char *quantile, *metric;
    } shown[] = {{"0.5", "latency_p50_seconds"},
                 {"0.95", "latency_p95_seconds"},
                 {"0.99", "latency_p99_seconds"}};
    const char *name = service->model->name;
    add_header(out, name, "request_duration_seconds", "summary", "How long requests take.");
    for (int i = 0; i < 3; i++) {
        double value = NAN;
        service_metric(service, shown[i].metric, &value);
        add_name(out, name);
        buf_printf(out, "_request_duration_seconds{quantile=\"%s\"} ", shown[i].quantile);
        add_value(out, value);
        buf_putc(out, '\n');
    }
    add_name(out, name);
    buf_puts(out, "_request_duration_seconds_sum ");
    add_value(out, service->latency_total_s);
    buf_putc(out, '\n');
    add_name(out, name);
    buf_puts(out, "_request_duration_seconds_count ");
    add_value(out, service->requests_total);
    buf_putc(out, '\n');
}

void service_exposition(const struct service *service, struct buf *out)
{
    for (int i = 0; i < EXPOSED; i++) {
        double value = NAN;
        service_metric(service, exposed[i].metric, &value);
        add_header(out, service->model->name, exposed[i].metric, exposed[i].type, exposed[i].help);
        add_name(out, service->model->name);
        buf_printf(out, "_%s ", exposed[i].metric);
        add_value(out, value);
        buf_putc(out, '\n');
    }
    add_duration(out, service);
}

void world_exposition(const struct world *world, struct buf *out)
{
    for (int i = 0; i < EXPOSED; i++) {
        add_header(out, "service", exposed[i].metric, exposed[i].type, exposed[i].help);
        for (int j = 0; j < world->n_services; j++) {
            double value = NAN;
            service_metric(&world->services[j], exposed[i].metric, &value);
            buf_printf(out, "service_%s{service=\"", exposed[i].metric);
            add_label(out, world->services[j].model->name);
            buf_puts(out, "\"} ");
            add_value(out, value);
            buf_putc(out, '\n');
        }
    }
}
