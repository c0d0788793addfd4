#include "sim/world/model.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/str.h"
#include "sim/base/xalloc.h"

#define FIND(list, count, wanted)                                                                  \
    for (int i = 0; i < (count); i++)                                                              \
        if (strcmp((list)[i].name, (wanted)) == 0)                                                 \
            return &(list)[i];                                                                     \
    return NULL

const struct model_service *model_service(const struct model *model, const char *name)
{
    FIND(model->services, model->n_services, name);
}

const struct model_version *model_version(const struct model_service *service, const char *name)
{
    FIND(service->versions, service->n_versions, name);
}

const struct model_store *model_store(const struct model *model, const char *name)
{
    FIND(model->stores, model->n_stores, name);
}

const struct model_traffic *model_traffic(const struct model *model, const char *name)
{
    FIND(model->traffic, model->n_traffic, name);
}

const struct model_backup *model_backup(const struct model *model, const char *name)
{
    FIND(model->backups, model->n_backups, name);
}

bool model_has_region(const struct model *model, const char *name)
{
    for (int i = 0; i < model->n_services; i++)
        if (model->services[i].region && strcmp(model->services[i].region, name) == 0)
            return true;
    for (int i = 0; i < model->n_traffic; i++)
        if (model->traffic[i].region && strcmp(model->traffic[i].region, name) == 0)
            return true;
    return false;
}

/* ---- checking ---- */

/* A walk along the edges of a graph of services: who calls whom, or who cannot start without whom.
 */
enum mark { WHITE, GREY, BLACK };
struct walk {
    const struct model *model;
    enum mark *marks;
    const char *what; /* "calls", "needs" */
    const char *(*edge)(const struct model_service *,
                        int j); /* the j-th service that it leads to, or NULL at the end */
};

static int index_of(const struct model *model, const char *name)
{
    const struct model_service *service = model_service(model, name);
    return service ? (int)(service - model->services) : -1;
}

static const char *call_edge(const struct model_service *service, int j)
{
    return j < service->n_calls ? service->calls[j].to : NULL;
}

/* What the version that runs at the start must find up. */
static const char *need_edge(const struct model_service *service, int j)
{
    const struct model_version *version =
        service->version ? model_version(service, service->version) : service->versions;
    for (int k = 0; version && k < version->n_needs; k++)
        if (version->needs[k].kind == NEED_UP && j-- == 0)
            return version->needs[k].subject;
    return NULL;
}

static int step(struct walk *walk, int i, struct error *error)
{
    const struct model_service *service = &walk->model->services[i];
    const char *name;
    walk->marks[i] = GREY;
    for (int j = 0; (name = walk->edge(service, j)); j++) {
        int to = index_of(walk->model, name);
        if (to < 0)
            return error_set(error, ERROR_INPUT, "service '%s' %s '%s', which is no service",
                             service->name, walk->what, name);
        if (walk->marks[to] == GREY)
            return error_set(error, ERROR_INPUT, "services stand in a circle: '%s' %s '%s'",
                             service->name, walk->what, name);
        if (walk->marks[to] == WHITE) {
            int code = step(walk, to, error);
            if (code)
                return code;
        }
    }
    walk->marks[i] = BLACK;
    return 0;
}

static int check_circles(const struct model *model, const char *what,
                         const char *(*edge)(const struct model_service *, int),
                         struct error *error)
{
    struct walk walk = {model, xcalloc((size_t)model->n_services, sizeof *walk.marks), what, edge};
    int code = 0;
    for (int i = 0; i < model->n_services && !code; i++)
        if (walk.marks[i] == WHITE)
            code = step(&walk, i, error);
    free(walk.marks);
    return code;
}

static int check_services(const struct model *model, struct error *error)
{
    if (model->n_services > MODEL_SERVICES_MAX)
        return error_set(error, ERROR_INPUT, "%d services are more than %d", model->n_services,
                         MODEL_SERVICES_MAX);
    for (int i = 0; i < model->n_services; i++) {
        const struct model_service *service = &model->services[i];
        if (service->n_versions < 1)
            return error_set(error, ERROR_INPUT, "service '%s' has no version", service->name);
        if (service->replicas < 0 || service->replicas > MODEL_REPLICAS_MAX)
            return error_set(error, ERROR_INPUT, "service '%s': replicas must be from 0 to %d",
                             service->name, MODEL_REPLICAS_MAX);
        for (int v = 0; v < service->n_versions; v++)
            for (int j = 0; j < service->versions[v].n_writes; j++)
                if (!model_store(model, service->versions[v].writes[j].store))
                    return error_set(error, ERROR_INPUT,
                                     "service '%s' writes to '%s', which is no store",
                                     service->name, service->versions[v].writes[j].store);
        if (service->version && !model_version(service, service->version))
            return error_set(error, ERROR_INPUT, "service '%s' has no version '%s'", service->name,
                             service->version);
    }
    int code = check_circles(model, "calls", call_edge, error);
    return code ? code : check_circles(model, "needs", need_edge, error);
}

static int check_traffic(const struct model *model, struct error *error)
{
    double sum = 0;
    for (int i = 0; i < model->n_traffic; i++) {
        const struct model_traffic *traffic = &model->traffic[i];
        sum += traffic->rate_per_s;
        if (!model_service(model, traffic->to))
            return error_set(error, ERROR_INPUT, "traffic '%s' goes to '%s', which is no service",
                             traffic->name, traffic->to);
        for (int j = 0; j < traffic->n_writes; j++)
            if (!model_store(model, traffic->writes[j].store))
                return error_set(error, ERROR_INPUT,
                                 "traffic '%s' writes to '%s', which is no store", traffic->name,
                                 traffic->writes[j].store);
    }
    if (!(sum >= 0 && sum <= MODEL_RATE_MAX))
        return error_set(error, ERROR_INPUT, "traffic of %g requests a second is more than %g", sum,
                         MODEL_RATE_MAX);
    return 0;
}

static int check_rest(const struct model *model, struct error *error)
{
    for (int i = 0; i < model->n_stores; i++)
        if (model->stores[i].service && !model_service(model, model->stores[i].service))
            return error_set(error, ERROR_INPUT,
                             "store '%s' is served by '%s', which is no service",
                             model->stores[i].name, model->stores[i].service);
    for (int i = 0; i < model->n_backups; i++)
        if (!model_store(model, model->backups[i].store))
            return error_set(error, ERROR_INPUT, "backup '%s' is of '%s', which is no store",
                             model->backups[i].name, model->backups[i].store);
    for (int i = 0; i < model->n_good; i++) {
        const struct model_good *good = &model->good[i];
        bool of_service =
            good->kind == GOOD_VERSION || good->kind == GOOD_REPLICAS || good->kind == GOOD_STARTED;
        bool of_store = good->kind == GOOD_SCHEMA || good->kind == GOOD_SERVING;
        if ((of_service && !model_service(model, good->subject)) ||
            (of_store && !model_store(model, good->subject)))
            return error_set(error, ERROR_INPUT,
                             "the good state asks for '%s', which does not exist", good->subject);
    }
    if (model->n_faults > MODEL_FAULTS_MAX)
        return error_set(error, ERROR_INPUT, "%d faults are more than %d", model->n_faults,
                         MODEL_FAULTS_MAX);
    return 0;
}

int model_check(const struct model *model, struct error *error)
{
    int code = check_services(model, error);
    if (!code)
        code = check_traffic(model, error);
    return code ? code : check_rest(model, error);
}
