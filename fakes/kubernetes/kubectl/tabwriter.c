#include "fakes/kubernetes/kubectl/tabwriter.h"

#include <string.h>

struct line {
    struct str *cells;
    int n; /* with the last one, which belongs to no column */
};

struct layout {
    struct tabwriter *writer;
    const struct line *lines;
    int *widths; /* of the columns left of the one at hand */
    int n_widths;
    struct buf *out;
};

/* Characters, not bytes. */
static int width_of(struct str text)
{
    int n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return n;
}

static int count(struct str text, char c)
{
    int n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == c;
    return n;
}

static void print_lines(struct layout *l, int from, int to)
{
    for (int i = from; i < to; i++) {
        const struct line *line = &l->lines[i];
        for (int k = 0; k < line->n; k++) {
            buf_str(l->out, line->cells[k]);
            for (int w = width_of(line->cells[k]); k < l->n_widths && w < l->widths[k]; w++)
                buf_putc(l->out, ' ');
        }
        buf_putc(l->out, '\n');
    }
}

/* How wide that column of a block of lines is. */
static int column_width(struct layout *l, int column, int from, int to)
{
    struct tabwriter *writer = l->writer;
    int width = writer->min_width;
    if (writer->remember && column < writer->n_widths && writer->widths[column] > width)
        width = writer->widths[column];
    for (int i = from; i < to; i++) {
        int w = width_of(l->lines[i].cells[column]) + writer->padding;
        width = w > width ? w : width;
    }
    if (writer->remember) {
        if (column >= writer->n_widths) {
            int *more = ARENA_ARRAY(writer->arena, int, column + 1);
            if (writer->n_widths)
                memcpy(more, writer->widths, sizeof(int) * (size_t)writer->n_widths);
            writer->widths = more;
            writer->n_widths = column + 1;
        }
        writer->widths[column] = width;
    }
    return width;
}

/* Lines that have column n_widths make a block, which is laid out by itself; those between blocks
 * are printed as they stand. */
static void format(struct layout *l, int from, int to)
{
    int column = l->n_widths;
    for (int i = from; i < to; i++) {
        if (column >= l->lines[i].n - 1)
            continue;
        print_lines(l, from, i);
        int end = i;
        while (end < to && column < l->lines[end].n - 1)
            end++;
        l->widths[l->n_widths++] = column_width(l, column, i, end);
        format(l, i, end);
        l->n_widths--;
        from = end;
        i = end - 1;
    }
    print_lines(l, from, to);
}

void tabwriter_flush(struct tabwriter *writer, struct str text, struct buf *out)
{
    int n_lines = count(text, '\n'), columns = 0, n = 0;
    struct line *lines = ARENA_ARRAY(writer->arena, struct line, n_lines + 1);
    for (struct str rest = text; rest.len; n++) {
        struct str line = str_cut(&rest, '\n');
        lines[n].cells = ARENA_ARRAY(writer->arena, struct str, count(line, '\t') + 1);
        for (int cells = count(line, '\t') + 1; lines[n].n < cells;)
            lines[n].cells[lines[n].n++] = str_cut(&line, '\t');
        columns = lines[n].n > columns ? lines[n].n : columns;
    }
    struct layout layout = {
        .writer = writer,
        .lines = lines,
        .widths = ARENA_ARRAY(writer->arena, int, columns + 1),
        .out = out,
    };
    format(&layout, 0, n);
}
