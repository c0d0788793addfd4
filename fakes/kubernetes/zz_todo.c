#include "fakes/kubernetes/controllers.h"
void stateful_set_sync(struct controllers *c, struct object *o)
{
    (void)c;
    (void)o;
}
void daemon_set_sync(struct controllers *c, struct object *o)
{
    (void)c;
    (void)o;
}
void job_sync(struct controllers *c, struct object *o)
{
    (void)c;
    (void)o;
}
void cron_job_sync(struct controllers *c, struct object *o)
{
    (void)c;
    (void)o;
}
void autoscaler_sync(struct controllers *c, struct object *o)
{
    (void)c;
    (void)o;
}
void budget_sync(struct controllers *c, struct object *o)
{
    (void)c;
    (void)o;
}
