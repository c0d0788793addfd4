/* INFO and CONFIG. */
#include <string.h>
#include <strings.h>

#include "fakes/redis/redis.h"

static bool wants(int argc, char **argv, const char *section)
{
    bool any = argc == 1;
    for (int i = 1; i < argc; i++)
        any = any || strcasecmp(argv[i], section) == 0 || strcasecmp(argv[i], "all") == 0 ||
              strcasecmp(argv[i], "everything") == 0 || strcasecmp(argv[i], "default") == 0;
    return any;
}

static void part(struct buf *out, const char *name)
{
    buf_printf(out, "%s# %s\r\n", out->len ? "\r\n" : "", name);
}

struct redis_reply *redis_info(struct redis_client *c, int argc, char **argv)
{
    struct redis_server *s = c->server;
    int64_t keys = 0, expiring, bytes = 900000;
    struct buf out;
    buf_init(&out, 1 << 16);
    for (int i = 0; i < REDIS_DATABASES; i++)
        keys += redis_count(s, i, NULL);
    for (int i = 0; i < dataset_tables(store_serving(s->store)); i++)
        bytes += idset_count(dataset_rows(store_serving(s->store),
                                          dataset_table(store_serving(s->store), i))) *
                 100;
    bytes += keys * 100;
    if (wants(argc, argv, "server")) {
        part(&out, "Server");
        buf_printf(
            &out,
            "redis_version:7.0.15\r\nredis_mode:standalone\r\nprocess_id:1\r\ntcp_port:%d\r\n"
            "uptime_in_seconds:%lld\r\n",
            s->port, (long long)(world_now(s->env->world) / SECOND + 86400));
    }
    if (wants(argc, argv, "clients")) {
        part(&out, "Clients");
        buf_printf(&out, "connected_clients:%d\r\nblocked_clients:0\r\n", s->service ? 3 : 1);
    }
    if (wants(argc, argv, "memory")) {
        part(&out, "Memory");
        buf_printf(&out,
                   "used_memory:%lld\r\nused_memory_human:%.2fM\r\nmaxmemory:%lld\r\nmaxmemory_"
                   "policy:%s\r\n",
                   (long long)bytes, (double)bytes / 1048576, (long long)s->max_memory, s->policy);
    }
    if (wants(argc, argv, "persistence")) {
        part(&out, "Persistence");
        buf_printf(&out,
                   "loading:0\r\nrdb_changes_since_last_save:%lld\r\nrdb_bgsave_in_progress:"
                   "0\r\nrdb_last_save_time:%lld\r\n"
                   "rdb_last_bgsave_status:ok\r\naof_enabled:%d\r\n",
                   (long long)(redis_acknowledged(s) - s->saved_acknowledged + s->changes),
                   (long long)((s->env->start_unix_ns + s->saved_ns) / SECOND),
                   s->persistence == PERSIST_AOF);
    }
    if (wants(argc, argv, "replication")) {
        part(&out, "Replication");
        buf_puts(&out,
                 "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n");
    }
    if (wants(argc, argv, "keyspace")) {
        part(&out, "Keyspace");
        for (int i = 0; i < REDIS_DATABASES; i++) {
            keys = redis_count(s, i, &expiring);
            if (keys)
                buf_printf(&out, "db%d:keys=%lld,expires=%lld,avg_ttl=0\r\n", i, (long long)keys,
                           (long long)expiring);
        }
    }
    struct redis_reply *reply = redis_text(c, REPLY_VERBATIM, "%s", out.len ? out.at : "");
    buf_release(&out);
    return reply;
}

/* ---- CONFIG ---- */

static const char *value_of(struct redis_client *c, const char *name)
{
    struct redis_server *s = c->server;
    if (redis_setting(name) >= 0)
        return redis_setting_value(s, c->call->arena, redis_setting(name));
    if (strcmp(name, "appendfsync") == 0)
        return "everysec";
    if (strcmp(name, "requirepass") == 0)
        return s->password ? s->password : "";
    if (strcmp(name, "databases") == 0)
        return "16";
    if (strcmp(name, "dbfilename") == 0)
        return "dump.rdb";
    if (strcmp(name, "dir") == 0)
        return "/data";
    if (strcmp(name, "maxclients") == 0)
        return "10000";
    if (strcmp(name, "timeout") == 0)
        return "0";
    return NULL;
}

static const char *const names[] = {"appendfsync", "appendonly", "databases", "dbfilename",
                                    "dir",         "maxclients", "maxmemory", "maxmemory-policy",
                                    "requirepass", "save",       "timeout",   NULL};

/* Settings that Redis 7.0 has besides these. */
/* clang-format off */
static const char *const others[] = {
    "acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min",
    "active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower",
    "active-defrag-threshold-upper active-expire-effort activedefrag activerehashing always-show-logo",
    "aof-disable-auto-gc aof-load-truncated aof-rewrite-incremental-fsync aof-timestamp-enabled aof-use-rdb-preamble",
    "aof_rewrite_cpulist appenddirname appendfilename auto-aof-rewrite-min-size auto-aof-rewrite-percentage",
    "bgsave_cpulist bind bind-source-addr bio_cpulist busy-reply-threshold client-output-buffer-limit",
    "client-query-buffer-limit cluster-allow-pubsubshard-when-down cluster-allow-reads-when-down",
    "cluster-allow-replica-migration cluster-announce-bus-port cluster-announce-hostname cluster-announce-ip",
    "cluster-announce-port cluster-announce-tls-port cluster-config-file cluster-enabled cluster-link-sendbuf-limit",
    "cluster-migration-barrier cluster-node-timeout cluster-port cluster-preferred-endpoint-type",
    "cluster-replica-no-failover cluster-replica-validity-factor cluster-require-full-coverage",
    "cluster-slave-no-failover cluster-slave-validity-factor crash-log-enabled crash-memcheck-enabled daemonize",
    "disable-thp dynamic-hz enable-debug-command enable-module-command enable-protected-configs",
    "hash-max-listpack-entries hash-max-listpack-value hash-max-ziplist-entries hash-max-ziplist-value",
    "hll-sparse-max-bytes hz ignore-warnings io-threads io-threads-do-reads jemalloc-bg-thread",
    "latency-monitor-threshold latency-tracking latency-tracking-info-percentiles lazyfree-lazy-eviction",
    "lazyfree-lazy-expire lazyfree-lazy-server-del lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time",
    "lfu-log-factor list-compress-depth list-max-listpack-size list-max-ziplist-size logfile loglevel lua-time-limit",
    "masterauth masteruser maxmemory-clients maxmemory-eviction-tenacity maxmemory-samples min-replicas-max-lag",
    "min-replicas-to-write min-slaves-max-lag min-slaves-to-write no-appendfsync-on-rewrite notify-keyspace-events",
    "oom-score-adj oom-score-adj-values pidfile port proc-title-template propagation-error-behavior protected-mode",
    "proto-max-bulk-len rdb-del-sync-files rdb-save-incremental-fsync rdbchecksum rdbcompression repl-backlog-size",
    "repl-backlog-ttl repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync repl-diskless-sync-delay",
    "repl-diskless-sync-max-replicas repl-ping-replica-period repl-ping-slave-period repl-timeout replica-announce-ip",
    "replica-announce-port replica-announced replica-ignore-disk-write-errors replica-ignore-maxmemory",
    "replica-lazy-flush replica-priority replica-read-only replica-serve-stale-data replicaof sanitize-dump-payload",
    "server_cpulist set-max-intset-entries set-proc-title shutdown-on-sigint shutdown-on-sigterm shutdown-timeout",
    "slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority slave-read-only",
    "slave-serve-stale-data slaveof slowlog-log-slower-than slowlog-max-len socket-mark-id",
    "stop-writes-on-bgsave-error stream-node-max-bytes stream-node-max-entries supervised syslog-enabled",
    "syslog-facility syslog-ident tcp-backlog tcp-keepalive tls-auth-clients tls-ca-cert-dir tls-ca-cert-file",
    "tls-cert-file tls-ciphers tls-ciphersuites tls-client-cert-file tls-client-key-file tls-client-key-file-pass",
    "tls-cluster tls-dh-params-file tls-key-file tls-key-file-pass tls-port tls-prefer-server-ciphers tls-protocols",
    "tls-replication tls-session-cache-size tls-session-cache-timeout tls-session-caching tracking-table-max-keys",
    "unixsocket unixsocketperm zset-max-listpack-entries zset-max-listpack-value zset-max-ziplist-entries",
    "zset-max-ziplist-value",
    NULL,
};
/* clang-format on */

static bool asks_for_others(struct redis_client *c, const char *pattern)
{
    for (int i = 0; others[i]; i++) {
        struct str rest = str_of(others[i]);
        while (rest.len) {
            if (redis_glob(pattern, arena_str(c->call->arena, str_cut(&rest, ' '))))
                return true;
        }
    }
    return false;
}

static struct redis_reply *not_simulated(struct redis_client *c, const char *what, const char *name)
{
    record_observe(c->server->env->record, "not_simulated", "CONFIG",
                   "redis: CONFIG %s %s is not simulated", what, name);
    return redis_text(c, REPLY_ERROR, "ERR not simulated: CONFIG %s %s", what, name);
}

static struct redis_reply *bad(struct redis_client *c, const char *name, const char *why)
{
    return redis_text(c, REPLY_ERROR,
                      "ERR CONFIG SET failed (possibly related to argument '%s') - %s", name, why);
}

static struct redis_reply *config_set(struct redis_client *c, const char *name, const char *value)
{
    struct redis_server *s = c->server;
    if (!value_of(c, name) && asks_for_others(c, name))
        return not_simulated(c, "SET", name);
    if (!value_of(c, name))
        return redis_text(c, REPLY_ERROR,
                          "ERR Unknown option or number of arguments for CONFIG SET - '%s'", name);
    int setting = redis_setting(name);
    if (setting < 0)
        return not_simulated(c, "SET", name);
    const char *why = redis_set(s, setting, value);
    if (why)
        return bad(c, name, why);
    s->set_by[setting] = s->env->record->current_step;
    record_change(s->env->record, store_name(s->store), "%s %s", name, value);
    return redis_text(c, REPLY_STATUS, "OK");
}

static struct redis_reply *rewrite(struct redis_client *c)
{
    const char *why = redis_rewrite(c->server);
    return why ? redis_text(c, REPLY_ERROR, "ERR %s", why) : redis_text(c, REPLY_STATUS, "OK");
}

struct redis_reply *redis_config(struct redis_client *c, int argc, char **argv)
{
    if (strcasecmp(argv[1], "GET") == 0 && argc == 3) {
        struct redis_reply *list = redis_list(c);
        if (asks_for_others(c, argv[2]))
            return not_simulated(c, "GET", argv[2]);
        for (int i = 0; names[i]; i++) {
            if (!redis_glob(argv[2], names[i]))
                continue;
            redis_append(c, list, redis_text(c, REPLY_BULK, "%s", names[i]));
            redis_append(c, list, redis_text(c, REPLY_BULK, "%s", value_of(c, names[i])));
        }
        return list;
    }
    if (strcasecmp(argv[1], "SET") == 0 && argc == 4)
        return config_set(c, argv[2], argv[3]);
    if (strcasecmp(argv[1], "REWRITE") == 0)
        return rewrite(c);
    if (strcasecmp(argv[1], "RESETSTAT") == 0)
        return redis_text(c, REPLY_STATUS, "OK");
    return redis_text(c, REPLY_ERROR, "ERR unknown subcommand '%s'. Try CONFIG HELP.", argv[1]);
}
