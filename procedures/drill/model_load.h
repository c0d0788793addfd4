/* model_load: from the YAML that people write to struct model.
 *
 * The system file gives services, traffic, stores, backups, the indicator, the good state,
 * settings, metrics, triggers and decision rules; the drill gives what goes wrong and who operates.
 * Every name is checked here, where file and line are known. All of the model lives in the arena
 * given, as do the documents it points into. procedures/drill/README.md shows how such files are
 * written.
 */
#ifndef REHEARSE_DRILL_MODEL_LOAD_H
#define REHEARSE_DRILL_MODEL_LOAD_H

#include "sim/base/arena.h"
#include "sim/base/doc.h"
#include "sim/world/model.h"

/* Sets every default. Call it first. */
void model_defaults(struct model *);
/* Reads the system file's root. `also` (NULL-terminated, or NULL) are further keys that the caller
 * reads itself (hosts, assume, fakes ...); any other unknown key is refused. 0 or ERROR_INPUT. */
int model_load_system(struct arena *, const struct doc *root, const char *const *also,
                      struct model *, struct error *);
/* Reads the keys of model_drill_keys from the drill's root; the caller refuses unknown ones. Call
 * it after model_load_system. 0 or ERROR_INPUT. */
int model_load_scenario(struct arena *, const struct doc *root, struct model *, struct error *);
extern const char *const model_drill_keys[]; /* NULL-terminated */

/* A file of triggers on its own (format rehearse.triggers/1), or the same mapping inside a system
 * file, or a bare list of triggers. `names` may be NULL: then metrics are not checked against the
 * system. */
int model_load_triggers(struct arena *, const struct doc *, const struct model *names,
                        struct model_triggers *, struct error *);
/* One trigger, as a mapping. */
int model_load_trigger(struct arena *, const struct doc *, const struct model *names,
                       struct model_trigger *, struct error *);

#endif
