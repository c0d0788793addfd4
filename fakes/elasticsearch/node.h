/* node: a single Elasticsearch or OpenSearch node behind a store of the world, and one request to
 * it.
 *
 * A table of the store is an index. What traffic wrote are identities of that table; documents put
 * through the API are acknowledged to the ledger too (store_acknowledge) and keep their source
 * here, under their identity. What is there is what the store's serving contents hold: snapshots
 * and restores copy identities.
 */
#ifndef REHEARSE_FAKES_ELASTICSEARCH_NODE_H
#define REHEARSE_FAKES_ELASTICSEARCH_NODE_H

#include <cjson/cJSON.h>

#include "fakes/http.h"
#include "sim/base/doc.h"
#include "sim/world/model.h"

/* Documents of about 600 bytes, copied at indices.recovery.max_bytes_per_sec, 40 MB/s. */
enum {
    ES_DOCUMENT_BYTES = 600,
    ES_RESTORE_BYTES_PER_S = 40 * 1000 * 1000,
    ES_BODY_MAX = 64 << 20,
    ES_WINDOW = 10000
};

/* A document whose source came through the API. */
struct es_document {
    int64_t identity;
    char *id;
    cJSON *source;
    int64_t version;
};

/* Documents that _reindex copied: the k-th identity from `first` has the source of the k-th
 * identity of `origin`. */
struct es_copied {
    int64_t first, n;
    struct idset origin;
    const struct es_index *from;
};

struct es_index {
    const char *name;
    bool closed, corrupt, deleted;
    cJSON *properties; /* the mapping's, owned */
    /* what was set beyond the defaults, by full name ("index.blocks.write"), owned */
    cJSON *settings;
    cJSON *aliases; /* name to its properties, owned */
    const char *dynamic;
    int shards, replicas;
    int64_t created_ns;
    struct es_document *documents;
    int n_documents, cap_documents;
    struct es_copied *copied;
    int n_copied, cap_copied;
    struct es_snapshot *restoring, *restored_from; /* NULL: none */
    const char *restored_name;                     /* of the index in the snapshot */
    int64_t restore_began_ns, restore_ends_ns, restore_bytes;
};

struct es_snapshot {
    char *name;
    const char *repository;
    struct dataset *contents;
    cJSON *indices; /* of each index in it: {"properties", "settings", "aliases", "shards",
                       "replicas"} */
    int64_t began_ns, ended_ns;
    bool damaged;
    bool kept; /* `copy` is a handle for store_forget_copy */
    int copy;
};

struct es_repository {
    const char *name;
    cJSON *body; /* {"type": "fs", "settings": {...}}, owned */
    struct es_repository *next;
};

struct es_node {
    struct store *store;
    struct service *service;
    bool opensearch;
    const char *version;
    struct es_index **indices; /* by name */
    int n_indices, cap_indices;
    struct es_snapshot **snapshots;
    int n_snapshots, cap_snapshots;
    struct es_repository *repositories;
    cJSON *cluster_settings; /* {"persistent": {}, "transient": {}} */
    int64_t next_id;         /* of documents that the node names */
    struct env *env;
    struct es_node *next;
};

struct es_index *es_find_index(struct es_node *, struct str name); /* by its own name; NULL: none */
struct es_index *es_add_index(struct es_node *, const char *name);
void es_forget_index(struct es_node *, struct es_index *, const char *because); /* DELETE */
int64_t es_count(struct es_node *, const struct es_index *);
const char *es_health_of(const struct es_index *);
/* Whether a setting of the index is there and true: "index.blocks.write". */
bool es_is_set(const struct es_index *, const char *setting);
/* 22 characters that look like a uuid, from a name alone. */
const char *es_uuid(struct arena *, const char *name);
/* "2025-01-15T14:00:00.000Z" of a time of the simulation. */
const char *es_time(struct arena *, const struct es_node *, int64_t at_ns);

/* ---- one request ---- */

enum { ES_PARTS_MAX = 6 };

struct es_exchange {
    struct es_node *node;
    struct arena *arena;
    const struct http_request *request;
    struct http_response *response;
    const char *path; /* without the query */
    struct str query, parts[ES_PARTS_MAX];
    int n_parts;
    cJSON *body; /* NULL: none; freed after the request */
    bool answered;
};

/* The answer; takes the JSON over. The later of two answers is dropped. */
void es_answer(struct es_exchange *, int status, cJSON *);
void es_answer_text(struct es_exchange *, const char *type, struct str text);
void es_acknowledge(struct es_exchange *); /* {"acknowledged":true} */
/* {"error":{"root_cause":[{...}],"type":...,"reason":...},"status":...}; `format` is the reason. */
void es_error(struct es_exchange *, int status, const char *type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
cJSON *es_error_json(const char *type, const char *reason); /* {"type":..., "reason":...} */
void es_no_such_index(struct es_exchange *, const char *name);
void es_not_simulated(struct es_exchange *, const char *what); /* 501, and a finding */
cJSON *es_shards(int total, int successful); /* {"total":...,"successful":...,"failed":0} */
/* Numbers that JSON of Elasticsearch writes with a point: 1.0. */
cJSON *es_float(struct arena *, double);

/* Parameters of the URL, decoded. */
bool es_has(const struct es_exchange *, const char *name);
const char *es_parameter(const struct es_exchange *, const char *name, const char *otherwise);
bool es_flag(const struct es_exchange *, const char *name, bool otherwise);
int64_t es_duration(const struct es_exchange *, const char *name,
                    int64_t otherwise_ns); /* "30s", "1m" */

/* The indices that an expression names: commas, *, -name, _all, aliases. In order of name. False:
 * one is missing (the answer is given), unless ignore_unavailable. */
struct es_indices {
    struct es_index **at;
    int n;
    const char **as; /* the alias by which each was asked for, or NULL */
};
bool es_resolve(struct es_exchange *, const char *expression, bool closed_too,
                struct es_indices *ret);
bool es_matches(const char *pattern, struct str name); /* with * */

/* Whether it can be read or written now; false: the answer is given. */
bool es_can_read(struct es_exchange *, const struct es_index *);
/* What refuses a write to it: an error and *ret_status, or NULL. */
cJSON *es_write_refused(const struct es_index *, int *ret_status);

/* ---- documents ---- */

/* A document as queries see it. */
struct es_hit {
    struct es_index *index;
    int64_t identity;
    const struct es_document *document; /* NULL: a record of traffic */
};
struct es_document *es_find_document(struct es_index *, int64_t identity);
/* The document of that _id which is there. */
bool es_find_by_id(struct es_exchange *, struct es_index *, const char *id, struct es_hit *ret);
const char *es_id_of(struct es_exchange *, const struct es_hit *);
int64_t es_version_of(const struct es_hit *);
/* Its source; the caller frees it. */
cJSON *es_source_of(struct es_exchange *, const struct es_hit *);
/* A field of it as JSON ("a.b"); NULL: it has none. Freed by the caller. */
cJSON *es_field_of(struct es_exchange *, const struct es_hit *, const char *path);

/* Writes one document: mapping, ledger and source. `id` NULL: the node names it. On success 200 or
 * 201 and *ret_id; else the status and *ret_error. `text` is the source as it was sent, for the
 * places in errors. */
int es_index_document(struct es_exchange *, struct es_index *, const char *id, const cJSON *source,
                      struct str text, bool create, const char **ret_id, int64_t *ret_version,
                      cJSON **ret_error);
void es_delete_document(struct es_exchange *, const struct es_hit *);

/* Checks a source against the mapping and adds the fields that it does not know. NULL, or the
 * error. */
cJSON *es_map_document(struct es_exchange *, struct es_index *, const char *id, const cJSON *source,
                       struct str text);
/* Adds properties to a mapping; a type that changes is refused: the reason, or NULL. */
const char *es_merge_mapping(struct arena *, cJSON *to, const cJSON *properties);
/* The type of a field ("long", "text" ...); NULL: not mapped. "name.keyword" is what dynamic
 * mapping makes. */
const char *es_type_of(const struct es_index *, const char *field);

/* ---- queries ---- */

/* Whether the hit is what the query (of the Query DSL; NULL: everything) asks for. A query that is
 * wrong or not simulated answers the request and sets x->answered. */
bool es_query(struct es_exchange *, const cJSON *query, const struct es_hit *);
/* Checks a query's form without a document. False: the answer is given. */
bool es_check_query(struct es_exchange *, const cJSON *query);
/* Calls back for every document of the indices that the query finds, in order; until the callback
 * says false. How many there are is returned by es_count_query, which need not look at each. */
typedef bool es_visit(struct es_exchange *, const struct es_hit *, void *ctx);
void es_each(struct es_exchange *, const struct es_indices *, const cJSON *query, es_visit *,
             void *ctx);
int64_t es_count_query(struct es_exchange *, const struct es_indices *, const cJSON *query);
/* "now-1d/d", "2025-01-15", "2025-01-15T14:00:00Z", milliseconds: simulation time in ns. `up`:
 * rounds and completes upwards, as lte and gt do. */
bool es_date(const struct es_exchange *, const char *text, bool up, int64_t *ret_ns);

/* ---- snapshots ---- */

/* The repository that the path names; NULL: the answer is given. */
struct es_repository *es_repository_of(struct es_exchange *);
struct es_snapshot *es_find_snapshot(struct es_node *, const char *repository, const char *name);
/* "a,b*,-c" or ["a", "b"]: whether a name is among them. Nothing means all. */
bool es_among(struct es_exchange *, const cJSON *names, const char *name);
/* The first plain name of such a list that the set does not have; NULL: all are there. */
const char *es_missing_name(struct es_exchange *, const cJSON *names,
                            bool (*has)(const void *set, const char *name), const void *set);
bool es_flag_in(const cJSON *body, const char *name, bool otherwise);

/* ---- handlers: one request each ---- */

typedef void es_handler(struct es_exchange *);
struct es_route {
    const char *methods; /* "GET POST" */
    const char *pattern; /* "{index}/_doc/{id}" */
    es_handler *handler;
};
/* Tables of routes, each ending in a NULL handler. */
extern const struct es_route es_cluster_routes[], es_cat_routes[], es_index_routes[],
    es_document_routes[], es_search_routes[], es_snapshot_routes[], es_alias_routes[],
    es_restore_routes[];

/* A backup schedule of the world made one. Takes `contents`. */
void es_add_snapshot(struct es_node *, const char *repository, const char *name,
                     struct dataset *contents, bool damaged, int64_t made_ns);
void es_free_snapshot(struct es_snapshot *);
int es_serve(struct env *, const struct http_request *, struct http_response *, void *node);

#endif
