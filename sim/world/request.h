/* request: inside of the request grain, for request.c and station.c only. */
#ifndef REHEARSE_WORLD_REQUEST_H
#define REHEARSE_WORLD_REQUEST_H

#include "sim/engine/statistics.h"
#include "sim/world/parts.h"

enum {
    REQUESTS_MAX = 4000000, /* under way at once; beyond, new ones are refused */
    WRITES_MAX = 64,        /* tables that one request may write to */
    WINDOW = 10,            /* seconds of which the present ratios and latencies are taken */
    POOL_CHUNK = 1024,
};
struct request {
    struct request *next, *before; /* in its time-out list; `next` also in the pool */
    struct request *behind;        /* in the queue of its group */
    struct request *parent, *child;
    struct service *service;
    struct source *source; /* of one that a client sent; NULL: a call */
    struct patience *patience;
    int64_t started_ns, deadline_ns;
    uint64_t event; /* pending: its work, or a quick refusal */
    int version, call, left, attempt;
    bool queued, serving, orphan, listed;
};

/* All requests that wait with the same time-out. */
struct patience {
    struct world *world;
    int64_t timeout_ns;
    struct request *first, *last;
    bool armed;
};

struct line {
    struct request *first, *last;
    int queued, serving, servers, room;
    struct request **working; /* those being served, for when an instance dies */
};

struct second {
    int64_t n, ok, arrived;
    double latency_s, square;
};

struct station {
    struct line *lines;         /* one for each version */
    struct patience *patiences; /* one for each call */
    struct stream work, errors, route, fraction, writes;
    struct second seconds[WINDOW];
    struct histogram now, last; /* latencies since the last scrape, and of the interval before */
    double *mu, *sigma;         /* of each version's work */
};

struct requests {
    struct request *pool;
    void **chunks;
    int n_chunks, cap_chunks;
    int64_t under_way;
    struct patience *clients; /* one for each source */
    struct stream *writes;    /* likewise */
    struct {
        int64_t n, good;
    } seconds[WINDOW];
    int at; /* the current second of all windows */
    double ratio;
};

/* A client sends its next request, and the one after it is planned. */
void request_arrive(struct world *, void *source);
/* Whoever waits in that line is served as far as there are places, or turned away. */
void line_serve(struct world *, struct line *);
void line_turn_away(struct world *, struct line *);
/* It ends unanswered: its instance has died. */
void request_kill(struct world *, struct request *);

#endif
