/* printer: what -o of a reading command asks for, and objects printed so.
 *
 * k8s.io/cli-runtime pkg/printers and pkg/genericclioptions (print_flags.go), k8s.io/kubectl
 * pkg/cmd/get (customcolumn.go).
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_PRINTER_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_PRINTER_H

#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/kubectl/tabwriter.h"

/* Flags that it reads. */
#define KUBECTL_GET_PRINT_FLAGS                                                                    \
    " output|o= template= show-managed-fields allow-missing-template-keys no-headers"

enum printer_format {
    PRINTER_TABLE,
    PRINTER_WIDE,
    PRINTER_NAME,
    PRINTER_JSON,
    PRINTER_YAML,
    PRINTER_JSONPATH,
    PRINTER_JSONPATH_JSON,
    PRINTER_GO_TEMPLATE,
    PRINTER_COLUMNS,
};

struct printer {
    struct kubectl *k;
    enum printer_format format;
    const char *template; /* jsonpath, go-template */
    bool strict;          /* --allow-missing-template-keys=false */
    bool headers;
    const char **headings, **paths; /* of custom columns */
    int n_columns;
    struct tabwriter columns;
    int printed;            /* objects so far */
    struct buf *text, *out; /* what is being made of one */
};

/* The format alone, without a look at templates. PRINTER_TABLE for what is none. */
bool printer_is_table(struct kubectl *);
/* False: -o cannot be printed, which has been said on stderr. */
bool printer_read(struct kubectl *, struct printer *ret);
/* Prints an object or a List. 0, or 1 when that has been said on stderr. Not for tables. */
int printer_print(struct printer *, const cJSON *object);
/* A List of objects, as kubectl makes one: {"apiVersion": "v1", "items": [...], "kind": "List",
 * "metadata": {"resourceVersion": ""}}. Refers to them; belongs to the call. */
cJSON *printer_list(struct kubectl *, const cJSON *const *objects, int n);
/* "deployment.apps/web" of an object's own kind and apiVersion. */
const char *printer_name(struct arena *, const cJSON *object);
/* Escapes what a terminal would obey, as printers.WriteEscaped. */
void print_escaped(struct buf *, struct str text);
/* A buffer that belongs to the call. */
struct buf *kubectl_buf(struct kubectl *);

#endif
