/* Any bytes as command lines of the fakes, on one machine with all kinds of them: a line is a
 * command, a line behind "<" is what the next one reads from stdin. Whatever comes out, nothing may
 * crash, hang or leave its memory behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/machine.h"

enum { COMMANDS_MAX = 8, LINE_MAX_BYTES = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char system_text[] =
    "services:\n"
    "  web: {runs: {compose: docker-compose.yml, service: web}, versions: {v1: {}, v2: {errors: "
    "40%}, v3: {}}}\n"
    "  db: {runs: {compose: docker-compose.yml, service: db}, versions: {'15': {}}}\n"
    "  cache: {versions: {'7': {}}}\n"
    "  search: {versions: {'8': {}}}\n"
    "  policy: {versions: {'1': {}}}\n"
    "good_state: {web: v1}\n"
    "stores:\n"
    "  db: {engine: postgresql 15, tables: {orders: {records: 1000}}, database: shop, user: "
    "owner}\n"
    "  cache: {engine: redis 7, service: cache, host: localhost, port: 6379, tables: {jobs: "
    "{records: 100}}}\n"
    "  search: {engine: elasticsearch 8.11, service: search, host: localhost, port: 9200, "
    "repository: backups,\n"
    "           tables: {logs: {records: 500}}}\n"
    "traffic: {shoppers: {to: web, rate: 5/s, writes: {db.orders: 10%, cache.jobs: 5%, "
    "search.logs: 5%}}}\n"
    "http: {web: {host: localhost, port: 8080, paths: {/version: {body: v1}}}}\n"
    "docker:\n"
    "  compose: {folder: /opt/shop}\n"
    "  images: {shop/web: {size: 80MB, stop: 2s}, 'busybox:1.36': {ends: 1s, exit: 3, size: 4MB, "
    "here: ['1.36']}}\n"
    "  registry: {bandwidth: 40MB/s, missing: ['shop/web:v3']}\n"
    "host: {units: {nginx: {}}, disks: {/: {size: 80GB, used: 41%}}}\n";

static const struct machine_file files[] = {
    {"/opt/shop/docker-compose.yml",
     "services:\n"
     "  web: {image: 'shop/web:v1', restart: always, environment: {MODE: old}, ports: "
     "['8080:80']}\n"
     "  db: {image: 'postgres:15', volumes: ['data:/var/lib/postgresql/data']}\n"
     "volumes: {data: {}}\n"},
    {NULL, NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine m;
    struct str rest = {(const char *)data, size}, input = {0};
    machine_init(&m, system_text, NULL, files);
    m.d.interrupt_at_ns = 100 * SECOND; /* somebody presses Ctrl-C on what never ends */
    for (int n = 0; rest.len && n < COMMANDS_MAX;) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, "<")) {
            input = (struct str){line.at + 1, line.len - 1};
            continue;
        }
        if (!line.len || line.len > LINE_MAX_BYTES || memchr(line.at, '\0', line.len))
            continue;
        m.d.input = input;
        input = (struct str){0};
        (void)double_run(&m.d, arena_str(&m.arena, line));
        n++;
    }
    machine_release(&m);
    return 0;
}
