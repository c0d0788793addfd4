/* Scheduled backups as files: what a job with `pg_dump | gzip > FILE; sha256sum FILE > FILE.sha256`
 * leaves behind. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fakes/postgres/catalog.h"
#include "fakes/postgres/dump.h"
#include "sim/base/hash.h"
#include "sim/world/model.h"

enum { FILE_MAX = 64 << 20 };

void gzip_text(struct buf *out, struct str text)
{
    z_stream z = {0};
    unsigned char block[32768];
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (unsigned char *)(uintptr_t)text.at;
    z.avail_in = (unsigned)text.len;
    int code;
    do {
        z.next_out = block;
        z.avail_out = sizeof block;
        code = deflate(&z, Z_FINISH);
        buf_add(out, block, sizeof block - z.avail_out);
    } while (code == Z_OK);
    deflateEnd(&z);
}

struct file {
    const char *place, *path;
    bool custom, compress, checksum;
};

static bool flag(const struct doc *config, const char *key, bool otherwise)
{
    doc_bool(doc_get(config, key), &otherwise, NULL);
    return otherwise;
}

/* Name and form of the file, by the schedule's keys: place, suffix, format, compress, checksum. */
static struct file file_of(struct arena *arena, const char *path, const struct doc *config)
{
    const char *place = "", *suffix = NULL, *format = "plain";
    if (doc_get(config, "place"))
        doc_text(doc_get(config, "place"), &place, NULL);
    if (doc_get(config, "suffix"))
        doc_text(doc_get(config, "suffix"), &suffix, NULL);
    size_t n = strlen(path);
    bool named =
        (n > 3 && strcmp(path + n - 3, ".gz") == 0) || (n > 4 && strcmp(path + n - 4, ".sql") == 0);
    if (doc_get(config, "format"))
        doc_text(doc_get(config, "format"), &format, NULL);
    bool custom = strcmp(format, "custom") == 0;
    if (!suffix)
        suffix = named || custom ? "" : ".sql.gz";
    struct file file = {
        .place = place, .path = arena_printf(arena, "%s%s", path, suffix), .custom = custom};
    n = strlen(file.path);
    file.compress =
        custom || flag(config, "compress", n > 3 && strcmp(file.path + n - 3, ".gz") == 0);
    const struct doc *checksum = doc_get(config, "checksum");
    const char *word = "sha256";
    if (checksum)
        doc_text(checksum, &word, NULL);
    file.checksum = strcmp(word, "sha256") == 0 || strcmp(word, "true") == 0;
    return file;
}

static void put(struct env *env, const struct file *file, const char *suffix, struct str content,
                int64_t made_ns)
{
    struct arena arena = {0};
    const char *path = arena_printf(&arena, "%s%s", file->path, suffix);
    if (made_ns < 0)
        env_write_old(env, file->place, path, content, 0644, env->start_unix_ns + made_ns);
    else
        env_write(env, file->place, path, content, 0644);
    arena_release(&arena);
}

static void damage_bytes(struct buf *content, int damage)
{
    if (damage == DAMAGE_TRUNCATED) {
        content->len /= 2;
    } else if (damage == DAMAGE_CORRUPT) {
        for (size_t i = content->len / 2; i < content->len && i < content->len / 2 + 64; i++)
            content->at[i] = (char)(content->at[i] ^ 0x5a);
    }
}

static void on_backup(struct world *world, const struct backup *backup, void *ctx)
{
    (void)world;
    struct pg_server *server = ctx;
    struct pg_database *database = pg_database_find(server, server->serving_name);
    if (backup->store != server->store || !*backup->path || backup->damage == DAMAGE_MISSING)
        return;
    struct arena arena = {0};
    struct buf text, content;
    struct file file = file_of(&arena, backup->path, backup->config);
    buf_init(&text, FILE_MAX);
    buf_init(&content, FILE_MAX);
    if (database && backup->damage != DAMAGE_EMPTY) {
        struct dump_options options = {.contents = backup->contents, .schema = backup->schema};
        dump_text(&text, database, &options);
    }
    if (file.custom)
        buf_add(&content, DUMP_CUSTOM_MAGIC, sizeof DUMP_CUSTOM_MAGIC - 1);
    if (file.compress)
        gzip_text(&content, buf_text(&text));
    else
        buf_str(&content, buf_text(&text));
    /* The checksum is of the file as the job wrote it; what harms it harms it later. */
    const char *sum = hash_sha256(&arena, buf_text(&content));
    damage_bytes(&content, backup->damage);
    put(server->env, &file, "", buf_text(&content), backup->made_ns);
    if (file.checksum)
        put(server->env, &file, ".sha256", str_of(arena_printf(&arena, "%s  %s\n", sum, file.path)),
            backup->made_ns);
    buf_release(&text);
    buf_release(&content);
    arena_release(&arena);
}

static void on_expiry(struct world *world, const char *path, void *ctx)
{
    (void)world;
    struct pg_server *server = ctx;
    static const char *const suffixes[] = {"", ".sql", ".sql.gz", ".dump", NULL};
    for (int i = 0; suffixes[i]; i++) {
        struct arena arena = {0};
        env_unlink(server->env, "", arena_printf(&arena, "%s%s", path, suffixes[i]));
        env_unlink(server->env, "", arena_printf(&arena, "%s%s.sha256", path, suffixes[i]));
        arena_release(&arena);
    }
}

void dump_watch(struct pg_server *server)
{
    world_watch_backups(server->env->world, on_backup, server);
    world_watch_expiry(server->env->world, on_expiry, server);
}
