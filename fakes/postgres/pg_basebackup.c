/* pg_basebackup in tar format: the files it leaves, its messages, and what it could bring back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/dump.h"
#include "fakes/postgres/pg_options.h"

/* One member of a tar archive (ustar). */
static void tar_member(struct buf *out, const char *name, struct str content)
{
    char header[512] = {0};
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 8, "0000600");
    snprintf(header + 108, 8, "0001747");
    snprintf(header + 116, 8, "0001747");
    snprintf(header + 124, 12, "%011llo", (unsigned long long)content.len);
    snprintf(header + 136, 12, "%011o", 0);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    buf_add(out, header, sizeof header);
    buf_str(out, content);
    while (out->len % 512)
        buf_putc(out, '\0');
}

static void tar_end(struct buf *out)
{
    for (int i = 0; i < 1024; i++)
        buf_putc(out, '\0');
}

static int put(struct call *call, const char *folder, const char *name, struct buf *content,
               bool compress)
{
    struct buf packed;
    buf_init(&packed, 64 << 20);
    if (compress)
        gzip_text(&packed, buf_text(content));
    else
        buf_str(&packed, buf_text(content));
    char *bytes = arena_alloc(call->arena, packed.len + 1);
    size_t len = packed.len;
    memcpy(bytes, packed.at, len);
    buf_release(&packed);
    buf_release(content);
    return call_save(call,
                     arena_printf(call->arena, "%s/%s%s", folder, name, compress ? ".gz" : ""),
                     bytes, len, 0600);
}

static int write_files(struct call *call, struct pg_server *server, const char *folder,
                       const char *label, bool tar, bool compress, bool wal)
{
    struct buf base, log;
    struct pg_database *database = pg_database_find(server, server->serving_name);
    buf_init(&base, 64 << 20);
    if (!tar) { /* plain: the folder itself */
        int code =
            call_save(call, arena_printf(call->arena, "%s/PG_VERSION", folder), "15\n", 3, 0600);
        if (code == 0)
            code = call_save(call, arena_printf(call->arena, "%s/backup_label", folder), label,
                             strlen(label), 0600);
        return code;
    }
    struct dump_options options = {.schema = NEVER};
    struct buf rows;
    buf_init(&rows, 64 << 20);
    if (database)
        dump_text(&rows, database, &options);
    tar_member(&base, "backup_label", str_of(label));
    tar_member(&base, "PG_VERSION", STR("15\n"));
    tar_member(&base, "base/contents", buf_text(&rows));
    tar_end(&base);
    buf_release(&rows);
    int code = put(call, folder, "base.tar", &base, compress);
    if (code == 0 && wal) {
        buf_init(&log, 1 << 20);
        tar_member(&log, "000000010000000000000002", STR(""));
        tar_end(&log);
        code = put(call, folder, "pg_wal.tar", &log, compress);
    }
    return code;
}

/* With the folders above it, as pg_mkdir_p does. Returns 0 or -errno. */
static int make_folder(struct call *call, const char *folder)
{
    for (const char *at = folder; *at; at++) {
        if (at[1] != '/' && at[1] != '\0')
            continue;
        const char *path = arena_printf(call->arena, "%.*s", (int)(at + 1 - folder), folder);
        int code = call_exists(call, path) == 0 ? call_mkdir(call, path, 0700) : 0;
        if (code < 0)
            return code;
    }
    return 0;
}

int run_pg_basebackup(struct call *call)
{
    static const struct pg_option list[] = {
        {'h', "host", true},         {'p', "port", true},
        {'U', "username", true},     {'w', "no-password", false},
        {'W', "password", false},    {'d', "dbname", true},
        {'D', "pgdata", true},       {'F', "format", true},
        {'z', "gzip", false},        {'Z', "compress", true},
        {'P', "progress", false},    {'R', "write-recovery-conf", false},
        {'X', "wal-method", true},   {'c', "checkpoint", true},
        {'l', "label", true},        {'v', "verbose", false},
        {'N', "no-sync", false},     {'S', "slot", true},
        {'C', "create-slot", false}, {0}};
    struct pg_options o = {.call = call, .program = "pg_basebackup", .list = list, .at = 1};
    struct pg_target target = {0};
    const char *folder = NULL, *format = "p", *wal = "stream", *name = "pg_basebackup base backup";
    bool compress = false, progress = false, verbose = false;
    for (int i; (i = pg_next_option(&o)) != -1;) {
        if (i == -2)
            return 1;
        if (pg_target_option(&target, &list[i], o.value))
            continue;
        folder = list[i].letter == 'D' ? o.value : folder;
        format = list[i].letter == 'F' ? o.value : format;
        wal = list[i].letter == 'X' ? o.value : wal;
        name = list[i].letter == 'l' ? o.value : name;
        compress |= list[i].letter == 'z' || list[i].letter == 'Z';
        progress |= list[i].letter == 'P';
        verbose |= list[i].letter == 'v';
    }
    if (!folder) {
        call_err(call, "pg_basebackup: error: no target directory specified\n"
                       "pg_basebackup: hint: Try \"pg_basebackup --help\" for more information.\n");
        return 1;
    }
    bool tar = *format == 't';
    if (compress && !tar) {
        call_err(call, "pg_basebackup: error: only tar mode backups can be compressed\n"
                       "pg_basebackup: hint: Try \"pg_basebackup --help\" for more information.\n");
        return 1;
    }
    char **names = NULL;
    if (call_exists(call, folder) == 2 && call_list(call, folder, &names) == 0 && names[0]) {
        call_err(call, "pg_basebackup: error: directory \"%s\" exists but is not empty\n", folder);
        return 1;
    }
    target.database = "postgres"; /* a replication connection is to no database */
    pg_target_defaults(call, &target);
    struct pg_session *session = pg_target_connect(call, &target, "pg_basebackup");
    if (!session)
        return 1;
    struct pg_server *server = session->server;
    int64_t bytes = 0;
    for (struct pg_database *d = server->databases; d; d = d->next)
        bytes += pg_database_bytes(d);
    int code = make_folder(call, folder);
    if (code < 0) {
        call_err(call, "pg_basebackup: error: could not create directory \"%s\": %s\n", folder,
                 strerror(-code));
        return 1;
    }
    if (verbose)
        call_err(call,
                 "pg_basebackup: initiating base backup, waiting for checkpoint to complete\n");
    if (progress)
        call_err(call, "waiting for checkpoint\n");
    call_sleep(call, 2 * SECOND);
    int64_t kilobytes = bytes / 1024;
    call_sleep(call, bytes / 80 * MICROSECOND); /* some 80 MB a second */
    code = write_files(call, server, folder, recovery_note_base(server, call->arena, name), tar,
                       compress, *wal != 'n');
    if (code < 0) {
        call_err(call, "pg_basebackup: error: could not create file \"%s/base.tar\": %s\n", folder,
                 strerror(-code));
        return 1;
    }
    if (server->store) {
        struct pg_database *database = pg_database_find(server, server->serving_name);
        if (database)
            store_keep_copy(server->store, arena_printf(call->arena, "base backup %s", folder),
                            dataset_copy(pg_database_contents(database)));
    }
    if (progress)
        call_err(call, "%lld/%lld kB (100%%), 1/1 tablespace\n", (long long)kilobytes,
                 (long long)kilobytes);
    if (verbose)
        call_err(call, "pg_basebackup: base backup completed\n");
    return 0;
}
