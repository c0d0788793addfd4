/* bench_fakes: what one call of a fake costs in a rehearsal: bash forks, the shim starts, the fake
 * answers, it ends.
 *
 * The difference of a script with many calls and one with few, so that what a rehearsal costs
 * anyhow drops out; processor time of this process and of the sandbox, which a loaded machine does
 * not change as it changes wall-clock time. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "procedures/drill/run.h"

enum { FEW = 50, MANY = 450 };

#define MACHINE "procedures/hp_ti", "/opt/hp_ti", "{honeypot: v1.2.3}"
#define CLUSTER "tests/data/twins-kubernetes", "/root", "{web: v2}"

static const struct {
    const char *system, *cwd, *deploy, *command;
} calls[] = {
    {MACHINE, "docker ps"},
    {MACHINE, "docker tag postgres:15 postgres:copy"},
    {MACHINE, "docker-compose ps"},
    {MACHINE, "docker-compose up -d"},
    {MACHINE, "systemctl is-active docker"},
    {MACHINE, "docker exec hp_ti_postgres psql -U hp_ti_user -d hp_ti_db -c 'SELECT 1'"},
    {CLUSTER, "kubectl get pods"},
    {CLUSTER, "kubectl get deployment web -o jsonpath='{.status.readyReplicas}'"},
    {CLUSTER,
     "kubectl patch configmap web-config -p \"{\\\"data\\\":{\\\"LIMIT\\\":\\\"$i\\\"}}\""},
    {CLUSTER, "kubectl label deployment web n=$i --overwrite"},
    {CLUSTER, "kubectl rollout status deployment/web"},
    {MACHINE, "true"}, /* a builtin: nothing at all */
};

static double seconds(const struct timeval *at)
{
    return (double)at->tv_sec + (double)at->tv_usec / 1e6;
}

static double used_s(void)
{
    struct rusage self, children;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return seconds(&self.ru_utime) + seconds(&self.ru_stime) + seconds(&children.ru_utime) +
           seconds(&children.ru_stime);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
        exit(1);
    fputs(text, file);
    fclose(file);
}

static double rehearse_s(const char *folder, const char *command, int times)
{
    char text[1024], path[512];
    struct error error = {""};
    struct drill *drill = NULL;
    struct record *record = NULL;
    struct run_options options = {.seed = 1};
    snprintf(text, sizeof text, "#!/bin/bash\nfor i in {1..%d}; do %s; done >/dev/null 2>&1\n",
             times, command);
    write_file(folder, "calls.sh", text);
    snprintf(path, sizeof path, "%s/drill.yaml", folder);
    double before = used_s();
    if (drill_load(path, NULL, &drill, &error) < 0 ||
        drill_run(drill, &options, &record, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    double took = used_s() - before;
    record_free(record);
    drill_free(drill);
    return took;
}

int main(void)
{
    char folder[] = "/tmp/rehearse-bench-XXXXXX", here[1024], text[4096];
    if (!mkdtemp(folder) || !getcwd(here, sizeof here))
        return 1;
    printf("one call of a fake, in milliseconds of processor time (at most 1)\n");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        snprintf(text, sizeof text,
                 "format: rehearse.drill/1\nsystem: %s/%s/system.yaml\n"
                 "start: 2025-01-15T14:25:00Z\ncwd: %s\nchange: {at: 1m, deploy: %s}\n"
                 "procedure: {playbook: calls.sh}\noperator: on_call\n",
                 here, calls[i].system, calls[i].cwd, calls[i].deploy);
        write_file(folder, "drill.yaml", text);
        double few = rehearse_s(folder, calls[i].command, FEW),
               many = rehearse_s(folder, calls[i].command, MANY);
        printf("  %-72s %6.2f\n", calls[i].command, (many - few) * 1e3 / (MANY - FEW));
    }
    snprintf(text, sizeof text, "rm -rf %s", folder);
    return system(text) == 0 ? 0 : 1;
}
