/* Which commands never end by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "procedures/drill/monitor.h"

static void watchers(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "watch -n 30 './deployment/scripts/health_check.sh'",
        "tail -f /var/log/deploy_*.log",
        "tail -n 100 -F app.log | grep ERROR",
        "tail -fn 20 app.log",
        "docker logs -f web",
        "docker-compose logs --tail=100 --follow web",
        "kubectl get pods -w",
        "journalctl -u app -f",
        "docker stats",
        "top",
        "kubectl port-forward svc/web 8080:80",
    };
    static const char *const no[] = {
        "docker-compose logs honeypot --tail=100",
        "docker-compose -f a.yml up -d",
        "docker-compose -f a.yml logs web",
        "tail -20 app.log",
        "tail -n 20 app.log && rm -f x",
        "docker stats --no-stream",
        "kubectl get pods",
        "grep watch notes.txt",
        "sleep 600",
    };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (!monitor_never_ends(str_of(yes[i])))
            fail_msg("ends by itself: %s", yes[i]);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        if (monitor_never_ends(str_of(no[i])))
            fail_msg("never ends: %s", no[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(watchers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
