/* bench_drill: a whole rehearsal, beside the same shell work done natively.
 *
 * The native run is the drill's change script and the commands of its procedure, in the same order,
 * by real bash and real git in a temporary folder, with every tool that the rehearsal fakes
 * replaced by a program that ends at once, and no sleeps: what no harness can be faster than.
 * Prints medians of alternating rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "procedures/drill/run.h"

enum { ROUNDS = 11 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const char native_setup[] =
    "set -e; d=$1; r=$2; mkdir -p $d/bin $d/opt/hp_ti $d/log $d/backups/database; "
    "printf '#include <unistd.h>\\nint main(void) { _exit(0); }\\n' >$d/t.c; cc -O1 -static -o "
    "$d/bin/docker $d/t.c; "
    "for n in docker-compose curl sleep psql redis-cli watch; do ln -f $d/bin/docker $d/bin/$n; "
    "done; "
    "cp -R $r/repo/v1.2.2/. $d/opt/hp_ti/; cd $d/opt/hp_ti; git init -q; git add -A; "
    "g='git -c user.name=x -c user.email=x@x'; $g commit -qm 1; git tag v1.2.2; cp -R "
    "$r/repo/v1.2.3/. .; git add -A; "
    "$g commit -qm 2; git tag v1.2.3; git checkout -q tags/v1.2.2; git remote add origin "
    "$d/opt/hp_ti; "
    "find . -name '*.sh' | xargs sed -i \"s|/opt/hp_ti|$d/opt/hp_ti|g; s|/var/log|$d/log|g; "
    "s|/var/backups/hp_ti|$d/backups|g\"; "
    "echo x | gzip >$d/backups/database/postgres_20250115_143000.sql.gz; "
    "sha256sum $d/backups/database/postgres_20250115_143000.sql.gz "
    ">$d/backups/database/postgres_20250115_143000.sql.gz.sha256; "
    "git add -A; $g commit -qm 3; git tag -f v1.2.2 >/dev/null; git tag -f v1.2.3 >/dev/null";

static void write_native(const struct drill *drill, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/run.sh", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        exit(1);
    fprintf(file, "PATH=%s/bin:$PATH; cd %s/opt/hp_ti\n", folder, folder);
    for (int i = 0; i < drill->model.n_changes; i++)
        fprintf(file, "%s\n", drill->model.changes[i].run ? drill->model.changes[i].run : ":");
    for (int i = 0; i < drill->procedure.n_lines; i++)
        fprintf(file, "%.*s\n", STR_ARG(drill->procedure.lines[i].text));
    fclose(file);
}

static double native_ms(const char *folder)
{
    char command[512];
    snprintf(command, sizeof command, "bash %s/run.sh >/dev/null 2>&1", folder);
    double start = now_ms();
    if (system(command) < 0)
        exit(1);
    return now_ms() - start;
}

static double rehearsal_ms(const struct drill *drill, int *ret_commands)
{
    struct error error = {""};
    struct record *record = NULL;
    struct run_options options = {.seed = 1};
    double start = now_ms();
    if (drill_run(drill, &options, &record, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    double took = now_ms() - start;
    *ret_commands = 0;
    for (int i = 0; i < record->n_events; i++)
        *ret_commands += record->events[i].kind == EVENT_COMMAND;
    record_free(record);
    return took;
}

int main(void)
{
    struct error error = {""};
    struct drill *drill = NULL;
    char folder[] = "/tmp/rehearse-bench-XXXXXX", command[4096], here[1024];
    if (drill_load("procedures/hp_ti/drills/database-migration.yaml", NULL, &drill, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    if (!mkdtemp(folder) || !getcwd(here, sizeof here))
        return 1;
    char script[512];
    snprintf(script, sizeof script, "%s/setup.sh", folder);
    FILE *file = fopen(script, "w");
    if (!file)
        return 1;
    fputs(native_setup, file);
    fclose(file);
    snprintf(command, sizeof command, "bash %s %s %s/procedures/hp_ti >/dev/null 2>&1", script,
             folder, here);
    if (system(command) != 0)
        fprintf(stderr, "bench_drill: the native side could not be set up\n");
    write_native(drill, folder);
    double rehearsals[ROUNDS], natives[ROUNDS];
    int commands = 0;
    for (int i = 0; i < ROUNDS; i++) {
        rehearsals[i] = rehearsal_ms(drill, &commands);
        natives[i] = native_ms(folder);
    }
    qsort(rehearsals, ROUNDS, sizeof *rehearsals, ascending);
    qsort(natives, ROUNDS, sizeof *natives, ascending);
    printf("the database scenario, its deployment included, %d fake commands\n", commands);
    printf("  rehearsed %25.1f ms (at most 100)\n", rehearsals[ROUNDS / 2]);
    printf("  the same shell work natively %6.1f ms\n", natives[ROUNDS / 2]);
    printf("  rehearsed over native %13.2f (at most 2)\n",
           rehearsals[ROUNDS / 2] / natives[ROUNDS / 2]);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    (void)!system(command);
    drill_free(drill);
    return 0;
}
