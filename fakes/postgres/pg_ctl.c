/* pg_ctl: start, stop, restart, status, reload, promote, on the server whose data directory -D
 * names. */
#include <string.h>

#include "fakes/postgres/postgres.h"

static struct pg_server *server_with(struct call *call, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    for (struct pg_server *s = pg_servers(call->env); s; s = s->next) {
        if (s->service && strlen(s->data_directory) == n &&
            strncmp(s->data_directory, folder, n) == 0)
            return s;
    }
    return NULL;
}

static struct instance *instance_of(struct call *call, struct pg_server *server)
{
    struct service *service = world_service(call->env->world, server->service);
    return service && service_instances(service) ? service_instance(service, 0) : NULL;
}

static bool wait_for(struct call *call, struct pg_server *server, bool running)
{
    for (int i = 0; i < 60 && pg_server_runs(server) != running; i++) {
        call_out(call, ".");
        if (call_sleep(call, SECOND))
            return false;
    }
    return pg_server_runs(server) == running;
}

static int not_running(struct call *call, const char *folder)
{
    call_err(call, "pg_ctl: PID file \"%s/postmaster.pid\" does not exist\nIs server running?\n",
             folder);
    return 1;
}

static int stop(struct call *call, struct pg_server *server, const char *folder, bool immediate)
{
    if (!pg_server_runs(server))
        return not_running(call, folder);
    call_out(call, "waiting for server to shut down...");
    instance_stop(instance_of(call, server), !immediate);
    bool done = wait_for(call, server, false);
    call_out(call, done ? ". done\nserver stopped\n" : " failed\n");
    return done ? 0 : 1;
}

static int start(struct call *call, struct pg_server *server)
{
    if (pg_server_runs(server)) {
        call_err(call, "pg_ctl: another server might be running; trying to start server anyway\n");
        call_out(call, "waiting for server to start.... stopped waiting\n");
        call_err(call, "pg_ctl: could not start server\nExamine the log output.\n");
        return 1;
    }
    call_out(call, "waiting for server to start...");
    instance_start(instance_of(call, server));
    bool done = wait_for(call, server, true) && !server->refuses;
    call_out(call, done ? ". done\nserver started\n" : ". stopped waiting\n");
    if (!done)
        call_err(call, "pg_ctl: could not start server\nExamine the log output.\n");
    return done ? 0 : 1;
}

static int promote(struct call *call, struct pg_server *server, const char *folder)
{
    if (!pg_server_runs(server))
        return not_running(call, folder);
    if (!server->in_recovery) {
        call_err(call, "pg_ctl: cannot promote server; server is not in standby mode\n");
        return 1;
    }
    call_out(call, "waiting for server to promote...");
    call_sleep(call, 100 * MILLISECOND);
    pg_promote(server);
    call_out(call, ". done\nserver promoted\n");
    return 0;
}

int run_pg_ctl(struct call *call)
{
    const char *folder = call_getenv(call, "PGDATA"), *command = NULL, *mode = "fast";
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        bool takes = strlen(word) == 2 && *word == '-' && strchr("Dmltop", word[1]);
        if (takes && i + 1 < call->argc) {
            folder = word[1] == 'D' ? call->argv[i + 1] : folder;
            mode = word[1] == 'm' ? call->argv[i + 1] : mode;
            i++;
        } else if (*word != '-' && !command) {
            command = word;
        }
    }
    struct pg_server *server = folder ? server_with(call, folder) : NULL;
    if (!command || !folder) {
        call_err(
            call,
            command
                ? "pg_ctl: no database directory specified and environment variable PGDATA unset\n"
                  "Try \"pg_ctl --help\" for more information.\n"
                : "pg_ctl: no operation specified\nTry \"pg_ctl --help\" for more information.\n");
        return 1;
    }
    if (!server || !instance_of(call, server)) {
        call_err(call, "pg_ctl: directory \"%s\" does not exist\n", folder);
        return strcmp(command, "status") == 0 ? 4 : 1;
    }
    if (strcmp(command, "stop") == 0)
        return stop(call, server, folder, *mode == 'i');
    if (strcmp(command, "start") == 0)
        return start(call, server);
    if (strcmp(command, "restart") == 0)
        return stop(call, server, folder, *mode == 'i') ? 1 : start(call, server);
    if (strcmp(command, "promote") == 0)
        return promote(call, server, folder);
    if (strcmp(command, "status") == 0) {
        bool runs = pg_server_runs(server);
        call_out(call,
                 runs ? "pg_ctl: server is running (PID: 1)\n" : "pg_ctl: no server running\n");
        return runs ? 0 : 3;
    }
    if (strcmp(command, "reload") == 0 && pg_server_runs(server)) {
        call_out(call, "server signaled\n");
        return 0;
    }
    if (strcmp(command, "reload") == 0)
        return not_running(call, folder);
    record_observe(call->env->record, "not_simulated", command, "pg_ctl %s is not simulated",
                   command);
    call_err(call, "pg_ctl: not simulated: %s\n", command);
    return 1;
}
