/* opa: what the files of the Open Policy Agent share. See opa.c for what the system file may say.
 */
#ifndef REHEARSE_FAKES_OPA_H
#define REHEARSE_FAKES_OPA_H

#include <cjson/cJSON.h>

#include "fakes/http.h"
#include "sim/base/doc.h"
#include "sim/base/str.h"
#include "sim/record.h"

enum { OPA_MODULE_MAX = 1 << 20, OPA_BUNDLE_MAX = 16 << 20, OPA_ROOTS_MAX = 16 };

struct known_text {
    const char *name;
    struct str text;
};

struct module {
    const char *id;
    struct buf text; /* what is loaded */
    bool loaded;
    const char *start, *watch;
    const struct known_text *known;
    int n_known;
    struct module *next;
};

struct answer {
    const char *path;
    const struct doc *by; /* module id: {known name: value} */
    struct answer *next;
};

/* A bundle: an archive on the operator's machine, looked at every so often. */
struct opa_bundle {
    const char *name, *file;
    int64_t every_ns;
    struct buf seen;      /* the archive that was tried last */
    bool active;          /* one was activated since OPA started */
    const char *revision; /* of the active one */
    const char *error;    /* of the last try; NULL: it went well */
    int64_t activated_ns;
    const char *roots[OPA_ROOTS_MAX]; /* of the active one: the paths that nobody else may write */
    int n_roots;
    struct opa *opa;
    struct opa_bundle *next;
};

struct opa {
    struct env *env;
    struct service *service;
    struct module *modules;
    struct answer *answers;
    struct opa_bundle *bundles;
    const struct doc *first_data;
    cJSON *data;
    struct opa *next;
};

/* ---- modules ---- */

struct module *opa_find_module(const struct opa *, struct str id); /* NULL: none */
struct module *opa_add_module(struct opa *, const char *id);
const char *opa_known_as(const struct module *); /* by its text; NULL: not loaded */
void opa_load(struct opa *, struct module *, struct str text);
void opa_unload(struct opa *, struct module *);
/* What OPA's parser would say about the text, as far as can be told without one; NULL: nothing. */
const char *opa_parse_problem(struct str text, int *ret_row);
/* "a/b" of its line "package a.b"; "" if there is none. In the arena. */
const char *opa_package_of(struct arena *, struct str text);

/* ---- documents ---- */

cJSON *opa_json_of(const struct doc *);
bool opa_next_part(struct str *rest, char *part, size_t size);
cJSON *opa_data_at(cJSON *data, struct str path);
cJSON *opa_holder_of(cJSON *data, struct str path, char *last, size_t size);

/* ---- bundles ---- */

int opa_load_bundles(struct opa *, const struct doc *, struct error *);
/* As after a start: nothing is active until it has been read, which is at once. */
void opa_start_bundles(struct opa *);
/* The bundle that owns a path ("a/b"); NULL: none. */
const struct opa_bundle *opa_owner(const struct opa *, struct str path);
cJSON *opa_bundle_status(const struct opa *); /* {NAME: {...}} of /v1/status */

/* ---- answers ---- */

void opa_send_text(struct http_response *, int status, const char *text);
void opa_send_json(struct http_response *, int status, cJSON *);
void opa_send_error(struct http_response *, int status, const char *code, const char *message);
void opa_send_module_error(struct http_response *, const char *id, const char *message, int row);
void opa_send_not_found(struct http_response *, const char *what);
/* A path that a bundle owns is not written by others. True: the answer is given. */
bool opa_refuse_owned(struct opa *, struct str path, struct http_response *);
void opa_answer_policies(struct opa *, const struct http_request *, struct str id,
                         struct http_response *);
void opa_answer_data(struct opa *, const struct http_request *, struct str path,
                     struct http_response *);
int opa_serve(struct env *, const struct http_request *, struct http_response *, void *opa);
void opa_start_anew(struct opa *);

#endif
