/* Tables of `kubectl get`: k8s.io/cli-runtime pkg/printers tableprinter.go. */
#include <ctype.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/get.h"
#include "fakes/kubernetes/kubectl/tables.h"

/* Up to the first end of a line, which would break the table. */
static void add_cell(struct buf *text, const char *cell_text)
{
    size_t len = strcspn(cell_text, "\f\n\r");
    print_escaped(text, (struct str){cell_text, len});
    if (cell_text[len])
        buf_puts(text, "...");
}

static bool shown(struct get *get, struct str column)
{
    return get->printer.format == PRINTER_WIDE || !str_starts(column, "+");
}

/* "kubernetes.io/app" is headed APP. */
static void label_heading(struct buf *text, struct str label)
{
    size_t start = label.len;
    while (start > 0 && label.at[start - 1] != '/')
        start--;
    buf_putc(text, '\t');
    for (size_t i = start; i < label.len; i++)
        buf_putc(text, (char)toupper((unsigned char)label.at[i]));
}

static bool with_namespace(struct get *get, const struct kind *kind)
{
    return get->k->all_namespaces && kind->namespaced;
}

static void add_headings(struct get *get, const struct kind *kind, struct buf *text)
{
    struct str rest = str_of(table_columns(get->k->cluster, get->k->arena, kind));
    bool first = true;
    if (get->show_event)
        buf_puts(text, "EVENT\t");
    if (with_namespace(get, kind))
        buf_puts(text, "NAMESPACE\t");
    while (rest.len) {
        struct str column = str_cut(&rest, '|');
        if (!shown(get, column))
            continue;
        size_t plus = str_starts(column, "+");
        buf_printf(text, "%s%.*s", first ? "" : "\t", (int)(column.len - plus), column.at + plus);
        first = false;
    }
    for (rest = get->label_columns; rest.len;)
        label_heading(text, str_cut(&rest, ','));
    if (get->show_labels)
        buf_puts(text, "\tLABELS");
    buf_putc(text, '\n');
}

static void add_labels(struct get *get, const cJSON *object, struct buf *text)
{
    const cJSON *labels = json_at(object, "metadata", "labels");
    for (struct str rest = get->label_columns; rest.len;) {
        const char *name = arena_str(get->k->arena, str_cut(&rest, ','));
        buf_putc(text, '\t');
        add_cell(text, text_at("", labels, name));
    }
    if (get->show_labels) {
        buf_putc(text, '\t');
        add_cell(text, selector_text(get->k->arena, labels));
    }
}

static void add_row(struct get *get, const struct kind *kind, const cJSON *object,
                    const char *event, struct buf *text)
{
    struct row row = {.cluster = get->k->cluster, .arena = get->k->arena};
    struct str rest = str_of(table_columns(get->k->cluster, get->k->arena, kind));
    bool first = true;
    table_row(&row, kind, object);
    if (get->show_event)
        buf_printf(text, "%-8s\t", event);
    if (with_namespace(get, kind))
        buf_printf(text, "%s\t", text_at("", object, "metadata", "namespace"));
    for (int i = 0; i < row.n && rest.len; i++) {
        struct str column = str_cut(&rest, '|');
        if (!shown(get, column))
            continue;
        if (!first)
            buf_putc(text, '\t');
        if (get->show_kind && (str_is(column, "NAME") || str_is(column, "+NAME")))
            buf_puts(text, printer_name(get->k->arena, object));
        else
            add_cell(text, row.cells[i]);
        first = false;
    }
    add_labels(get, object, text);
    buf_putc(text, '\n');
}

void get_table(struct get *get, const struct kind *kind, const cJSON *const *objects, int n,
               const char *event)
{
    struct buf *text = get->printer.text, *out = get->printer.out;
    if (n == 0)
        return;
    buf_clear(text);
    buf_clear(out);
    if (kind != get->last) {
        if (get->last && get->wrote && get->printer.headers)
            buf_putc(out, '\n');
        get->writer = (struct tabwriter){
            .arena = get->k->arena, .min_width = 6, .padding = 3, .remember = true};
        if (get->printer.headers)
            add_headings(get, kind, text);
        get->last = kind;
    }
    for (int i = 0; i < n; i++)
        add_row(get, kind, objects[i], event, text);
    tabwriter_flush(&get->writer, buf_text(text), out);
    call_write(get->k->call, 1, out->at, out->len);
    get->wrote = true;
}
