/* load: small helpers of the loaders in this folder. */
#ifndef REHEARSE_DRILL_LOAD_H
#define REHEARSE_DRILL_LOAD_H

#include "sim/base/arena.h"
#include "sim/base/doc.h"
#include "sim/world/model.h"

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int code_ = (call);                                                                        \
        if (code_)                                                                                 \
            return code_;                                                                          \
    } while (0)

/* Every child of a mapping or list, in order. */
#define EACH(child, node)                                                                          \
    for (const struct doc *child = (node) ? (node)->first : NULL; child; child = child->next)

/* Where to point in a message: at the child, or at the mapping where it is missing. */
static inline const struct doc *doc_near(const struct doc *node, const char *key)
{
    const struct doc *child = doc_get(node, key);
    return child ? child : node;
}

/* A number of the document, with limits given as int. */
static inline int doc_small(const struct doc *node, int lo, int hi, int *ret, struct error *error)
{
    int64_t value = *ret;
    TRY(doc_int(node, lo, hi, &value, error));
    *ret = (int)value;
    return 0;
}

/* Refuse a name that is no service (store) of the model, naming the nearest one. */
int need_service(const struct model *, const struct doc *, const char *name, struct error *);
int need_store(const struct model *, const struct doc *, const char *name, struct error *);
/* Parts of the system file, in files of their own. */
int load_settings(struct arena *, const struct doc *, const struct model_setting **ret, int *ret_n,
                  struct error *);
/* Appends to `at`, which holds the versions read so far, the version and, right behind it, its
 * variants. */
int load_version_and_variants(struct arena *, const struct doc *, struct model_service *,
                              struct model_version *at, struct error *);
int load_stores(struct arena *, const struct doc *, struct model *, struct error *);
int load_backups(struct arena *, const struct doc *, struct model *, struct error *);
int load_traffic(struct arena *, const struct doc *, struct model *, struct error *);
/* What versions write, once the stores are known. */
int load_all_version_writes(struct arena *, const struct doc *root, const struct model *,
                            struct error *);
int load_indicator(const struct doc *, struct model *, struct error *);
/* What good means: of the system, or of a drill that is after something else. */
int load_good_state(struct arena *, const struct doc *, struct model *, struct error *);
int load_decision(struct arena *, const struct doc *, struct model *, struct error *);
/* The faults of a scenario. */
int load_faults(struct arena *, const struct doc *, struct model *, struct error *);
/* An instant of a run, or how long something in it takes. */
int load_at(const struct doc *, int64_t *ret_ns, struct error *);
/* A share of which something is to come: 0% would be no canary, no fault. */
int load_share(const struct doc *, double *ret, struct error *);
/* A mapping of services to versions of theirs. */
int check_deploy(const struct doc *, const struct model *, struct error *);
/* 5m, or {p50: 5m, p95: 12m}. */
int load_delay(const struct doc *, struct model_delay *ret, struct error *);

#endif
