/* Follows print_aligned_text(), print_aligned_vertical() and print_unaligned_text() of PostgreSQL's
 * fe_utils/print.c. */
#include "fakes/postgres/print.h"

#include <string.h>

static int width_of(const char *text, size_t len)
{
    int n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

/* Line `k` of a cell; *ret_more: another one follows. */
static struct str line_of(const char *text, int k, bool *ret_more)
{
    struct str rest = str_of(text), line = {0};
    for (int i = 0; i <= k; i++) {
        line = str_cut(&rest, '\n');
        *ret_more = rest.len > 0 || (line.at + line.len < text + strlen(text));
        if (!*ret_more && i < k)
            return (struct str){0};
    }
    return line;
}

static int cell_width(const char *text)
{
    int widest = 0;
    struct str rest = str_of(text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        int width = width_of(line.at, line.len);
        if (width > widest)
            widest = width;
    }
    return widest;
}

static int cell_lines(const char *text)
{
    int n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void spaces(struct buf *out, int n)
{
    for (; n > 0; n--)
        buf_putc(out, ' ');
}

static void dashes(struct buf *out, int n)
{
    for (; n > 0; n--)
        buf_putc(out, '-');
}

static const char *cell_of(const struct print_table *table, const struct print_options *options,
                           int row, int column)
{
    const char *text = table->cells[row * table->n_columns + column];
    return text ? text : options->null;
}

static void footers(struct buf *out, const struct print_table *table,
                    const struct print_options *options)
{
    if (options->tuples_only)
        return;
    if (!table->footers) {
        buf_printf(out, "(%d row%s)\n", table->n_rows, table->n_rows == 1 ? "" : "s");
        return;
    }
    for (int i = 0; table->footers[i]; i++)
        buf_printf(out, "%s\n", table->footers[i]);
}

/* ---- aligned ---- */

static void rule(struct buf *out, const int *width, int n, int border)
{
    if (border == 2)
        buf_puts(out, "+-");
    else if (border == 1)
        buf_putc(out, '-');
    for (int i = 0; i < n; i++) {
        dashes(out, width[i]);
        if (i < n - 1)
            buf_puts(out, border == 0 ? " " : "-+-");
    }
    buf_puts(out, border == 2 ? "-+\n" : border == 1 ? "-\n" : "\n");
}

static void aligned_row(struct buf *out, const struct print_table *table,
                        const struct print_options *options, const int *width, int row)
{
    int lines = 1, n = table->n_columns;
    for (int i = 0; i < n; i++) {
        int k = cell_lines(cell_of(table, options, row, i));
        lines = k > lines ? k : lines;
    }
    for (int k = 0; k < lines; k++) {
        if (options->border == 2)
            buf_putc(out, '|');
        for (int i = 0; i < n; i++) {
            bool more, last = i == n - 1 && options->border != 2;
            struct str line = line_of(cell_of(table, options, row, i), k, &more);
            int pad = width[i] - width_of(line.at, line.len);
            if (options->border != 0)
                buf_putc(out, ' ');
            if (last && k >= cell_lines(cell_of(table, options, row, i)))
                continue;
            if (table->right[i])
                spaces(out, pad);
            buf_str(out, line);
            if (!table->right[i] && (!last || more))
                spaces(out, pad);
            if (more)
                buf_putc(out, '+');
            else if (!last)
                buf_putc(out, ' ');
            if (i < n - 1 && options->border != 0)
                buf_putc(out, '|');
        }
        buf_puts(out, options->border == 2 ? "|\n" : "\n");
    }
}

static void print_aligned(struct buf *out, const struct print_table *table,
                          const struct print_options *options)
{
    int n = table->n_columns, width[256], total = 0;
    for (int i = 0; i < n; i++) {
        width[i] = cell_width(table->headers[i]);
        for (int row = 0; row < table->n_rows; row++) {
            int w = cell_width(cell_of(table, options, row, i));
            width[i] = w > width[i] ? w : width[i];
        }
        total += width[i];
    }
    total += options->border == 0 ? n : options->border == 1 ? n * 3 - (n > 0) : n * 3 + 1;
    if (!options->tuples_only) {
        if (table->title) {
            int w = width_of(table->title, strlen(table->title));
            if (w < total)
                spaces(out, (total - w) / 2);
            buf_printf(out, "%s\n", table->title);
        }
        if (options->border == 2)
            rule(out, width, n, 2);
        if (options->border == 2)
            buf_putc(out, '|');
        for (int i = 0; i < n; i++) {
            int pad = width[i] - cell_width(table->headers[i]);
            if (options->border != 0)
                buf_putc(out, ' ');
            spaces(out, pad / 2);
            buf_puts(out, table->headers[i]);
            spaces(out, (pad + 1) / 2);
            if (options->border != 0 || i < n - 1)
                buf_putc(out, ' ');
            if (i < n - 1 && options->border != 0)
                buf_putc(out, '|');
        }
        buf_puts(out, options->border == 2 ? "|\n" : "\n");
        rule(out, width, n, options->border);
    }
    for (int row = 0; row < table->n_rows; row++)
        aligned_row(out, table, options, width, row);
    if (options->border == 2)
        rule(out, width, n, 2);
    footers(out, table, options);
    buf_putc(out, '\n');
}

/* ---- expanded ---- */

static void record_line(struct buf *out, int record, int header_width, int data_width, int border)
{
    size_t before = out->len;
    if (border == 1)
        buf_putc(out, '-');
    if (border == 2)
        buf_puts(out, "+-");
    before = out->len;
    buf_printf(out, border == 0 ? "* Record %d" : "[ RECORD %d ]", record);
    int length = (int)(out->len - before) + (border != 2);
    char fill = border ? '-' : ' ';
    for (int i = length; i < header_width; i++)
        buf_putc(out, fill);
    length -= header_width;
    if (border > 0) {
        if (length-- <= 0)
            buf_putc(out, '-');
        if (length-- <= 0)
            buf_putc(out, '+');
        if (length-- <= 0)
            buf_putc(out, '-');
    } else if (length-- <= 0) {
        buf_putc(out, ' ');
    }
    for (int i = length < 0 ? 0 : length; i < data_width; i++)
        buf_putc(out, fill);
    buf_puts(out, border == 2 ? "-+\n" : "\n");
}

static void print_expanded(struct buf *out, const struct print_table *table,
                           const struct print_options *options)
{
    int header_width = 0, data_width = 0;
    for (int i = 0; i < table->n_columns; i++) {
        int w = cell_width(table->headers[i]);
        header_width = w > header_width ? w : header_width;
        for (int row = 0; row < table->n_rows; row++) {
            w = cell_width(cell_of(table, options, row, i));
            data_width = w > data_width ? w : data_width;
        }
    }
    if (table->n_rows == 0) {
        if (!options->tuples_only)
            buf_puts(out, "(0 rows)\n");
        buf_putc(out, '\n');
        return;
    }
    if (table->title && !options->tuples_only)
        buf_printf(out, "%s\n", table->title);
    for (int row = 0; row < table->n_rows; row++) {
        if (!options->tuples_only)
            record_line(out, row + 1, header_width, data_width, options->border);
        else if (row > 0)
            buf_putc(out, '\n');
        for (int i = 0; i < table->n_columns; i++) {
            const char *cell = cell_of(table, options, row, i);
            for (int k = 0; k < cell_lines(cell); k++) {
                bool more;
                struct str line = line_of(cell, k, &more);
                if (options->border == 2)
                    buf_puts(out, "| ");
                buf_puts(out, k ? "" : table->headers[i]);
                spaces(out, header_width - (k ? 0 : cell_width(table->headers[i])));
                buf_puts(out, options->border ? " | " : " ");
                buf_str(out, line);
                if (more || options->border == 2)
                    spaces(out, data_width - width_of(line.at, line.len));
                if (more)
                    buf_putc(out, '+');
                else if (options->border == 2)
                    buf_putc(out, ' ');
                buf_puts(out, options->border == 2 ? "|\n" : "\n");
            }
        }
    }
    for (int i = 0; !options->tuples_only && table->footers && table->footers[i]; i++)
        buf_printf(out, "%s\n", table->footers[i]);
    buf_putc(out, '\n');
}

/* ---- unaligned and CSV ---- */

static void csv_cell(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_putc(out, '"');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static void print_flat(struct buf *out, const struct print_table *table,
                       const struct print_options *options)
{
    const char *separator = options->csv ? "," : options->separator;
    if (table->title && !options->tuples_only && !options->csv)
        buf_printf(out, "%s\n", table->title);
    if (options->expanded && !options->csv) {
        for (int row = 0; row < table->n_rows; row++) {
            if (row)
                buf_putc(out, '\n');
            for (int i = 0; i < table->n_columns; i++)
                buf_printf(out, "%s%s%s\n", table->headers[i], separator,
                           cell_of(table, options, row, i));
        }
        return;
    }
    for (int i = 0; i < table->n_columns && !options->tuples_only; i++) {
        buf_puts(out, i ? separator : "");
        if (options->csv)
            csv_cell(out, table->headers[i]);
        else
            buf_puts(out, table->headers[i]);
    }
    if (!options->tuples_only)
        buf_puts(out, options->record_separator);
    for (int row = 0; row < table->n_rows; row++) {
        for (int i = 0; i < table->n_columns; i++) {
            buf_puts(out, i ? separator : "");
            if (options->csv)
                csv_cell(out, cell_of(table, options, row, i));
            else
                buf_puts(out, cell_of(table, options, row, i));
        }
        buf_puts(out, row < table->n_rows - 1 || *options->record_separator == '\n'
                          ? options->record_separator
                          : "\n");
    }
    if (!options->csv)
        footers(out, table, options);
}

void print_table(struct buf *out, const struct print_table *table,
                 const struct print_options *options)
{
    if (options->unaligned || options->csv)
        print_flat(out, table, options);
    else if (options->expanded)
        print_expanded(out, table, options);
    else if (table->n_columns <= 256)
        print_aligned(out, table, options);
}
