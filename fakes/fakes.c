#include <string.h>

#include "fakes/fake.h"

/* One line a fake: `extern const struct fake fake_NAME;` and its place in the table. */
extern const struct fake fake_git;
extern const struct fake fake_docker;
extern const struct fake fake_compose;
extern const struct fake fake_kubernetes;
extern const struct fake fake_helm;
extern const struct fake fake_host;
extern const struct fake fake_stubs;
extern const struct fake fake_world;
extern const struct fake fake_watch;
extern const struct fake fake_curl;
extern const struct fake fake_http;
extern const struct fake fake_wget;
extern const struct fake fake_opa;
extern const struct fake fake_postgres;
extern const struct fake fake_prometheus;
extern const struct fake fake_sqlite;
extern const struct fake fake_redis;
extern const struct fake fake_elasticsearch;

const struct fake *const all_fakes[] = {
    &fake_git, /* before docker, which reads Compose files out of the repositories */
    &fake_docker,   &fake_compose,    &fake_host,   &fake_stubs, &fake_kubernetes,    &fake_helm,
    &fake_world,    &fake_watch,      &fake_http,   &fake_wget,  &fake_curl,          &fake_opa,
    &fake_postgres, &fake_prometheus, &fake_sqlite, &fake_redis, &fake_elasticsearch, NULL,
};

const struct fake *fake_for(const char *command)
{
    const char *base = strrchr(command, '/');
    base = base ? base + 1 : command;
    for (int i = 0; all_fakes[i]; i++) {
        for (const char *const *name = all_fakes[i]->commands; *name; name++) {
            if (strcmp(*name, base) == 0)
                return all_fakes[i];
        }
    }
    return NULL;
}
