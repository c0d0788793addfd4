/* Finding a section of a playbook by what its heading says. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "procedures/playbook/internal.h"
#include "sim/base/buf.h"

enum { LISTED_MAX = 8 };

int playbook_section_end(const struct playbook *playbook, int heading)
{
    int end = heading + 1;
    while (end < playbook->n_headings &&
           playbook->headings[end].level > playbook->headings[heading].level)
        end++;
    return end;
}

static bool same_text(const char *heading, struct str name, bool exactly)
{
    struct str text = str_trim(str_of(heading));
    return text.len == name.len && (exactly ? !memcmp(text.at, name.at, name.len)
                                            : !strncasecmp(text.at, name.at, name.len));
}

/* How many headings in [first, end) say `name`; *ret is the first of them. */
static int count_matches(const struct playbook *playbook, struct str name, int first, int end,
                         bool exactly, int *ret)
{
    int n = 0;
    for (int i = first; i < end; i++)
        if (same_text(playbook->headings[i].text, name, exactly) && !n++)
            *ret = i;
    return n;
}

static const char *nearest_heading(const struct playbook *playbook, struct str name, int first,
                                   int end)
{
    size_t best = name.len / 2 + 2;
    const char *found = NULL;
    for (int i = first; i < end; i++) {
        struct str text = str_of(playbook->headings[i].text);
        size_t distance = str_distance(text, name, best);
        if (distance < best) {
            best = distance;
            found = text.at;
        }
    }
    for (int i = first; i < end && !found; i++) { /* part of a heading, which distance calls far */
        const char *text = playbook->headings[i].text;
        for (; *text && !found; text++)
            if (name.len > 2 && !strncasecmp(text, name.at, name.len))
                found = playbook->headings[i].text;
    }
    return found;
}

static int not_found(const struct playbook *playbook, struct str name, int first, int end,
                     struct error *error)
{
    const char *near = nearest_heading(playbook, name, first, end);
    struct buf list;
    int listed = 0;
    if (first >= end)
        return error_set(error, ERROR_INPUT, "no heading '%.*s' in %s, which has no headings there",
                         STR_ARG(name), playbook->file);
    if (near)
        return error_set(error, ERROR_INPUT, "no heading '%.*s' in %s; did you mean '%s'?",
                         STR_ARG(name), playbook->file, near);
    buf_init(&list, 700);
    for (int i = first; i < end && listed < LISTED_MAX; i++)
        if (!playbook->headings[i].bold_line)
            buf_printf(&list, "%s'%s'", listed++ ? ", " : "", playbook->headings[i].text);
    error_set(error, ERROR_INPUT, "no heading '%.*s' in %s; it has %s%s", STR_ARG(name),
              playbook->file, list.at ? list.at : "only bold lines",
              listed == LISTED_MAX ? " ..." : "");
    buf_release(&list);
    return ERROR_INPUT;
}

static const char *parent_of(const struct playbook *playbook, int heading)
{
    for (int i = heading - 1; i >= 0; i--)
        if (playbook->headings[i].level < playbook->headings[heading].level)
            return playbook->headings[i].text;
    return NULL;
}

static int ambiguous(const struct playbook *playbook, struct str name, int first, int end,
                     bool exactly, struct error *error)
{
    struct buf lines;
    const char *parent = NULL;
    int n = 0;
    buf_init(&lines, 200);
    for (int i = first; i < end; i++) {
        if (!same_text(playbook->headings[i].text, name, exactly))
            continue;
        buf_printf(&lines, "%s%d", n++ ? ", " : "", playbook->headings[i].line);
        if (!parent)
            parent = parent_of(playbook, i);
    }
    error_set(error, ERROR_INPUT,
              "%d headings say '%.*s' in %s, on lines %s; write the one above it too, such as "
              "'%s > %.*s'",
              n, STR_ARG(name), playbook->file, lines.at, parent ? parent : "PARENT",
              STR_ARG(name));
    buf_release(&lines);
    return ERROR_INPUT;
}

/* One heading among [first, end). */
static int find_heading(const struct playbook *playbook, struct str name, int first, int end,
                        int *ret, struct error *error)
{
    for (int exactly = 1; exactly >= 0; exactly--) {
        int found = -1, n = count_matches(playbook, name, first, end, exactly, &found);
        if (n > 1)
            return ambiguous(playbook, name, first, end, exactly, error);
        if (n == 1) {
            *ret = found;
            return 0;
        }
    }
    return not_found(playbook, name, first, end, error);
}

int playbook_section(const struct playbook *playbook, const char *name, int *ret_first,
                     int *ret_end, struct error *error)
{
    struct str rest = str_trim(str_of(name));
    int first = 0, end = playbook->n_headings, found = -1;
    while (rest.len && *rest.at == '#')
        rest = (struct str){rest.at + 1, rest.len - 1};
    rest = str_trim(rest);
    if (count_matches(playbook, rest, 0, end, true, &found) == 0 &&
        str_find(rest, STR(" > ")) > 0) {
        ptrdiff_t at;
        while ((at = str_find(rest, STR(" > "))) > 0) {
            struct str parent = str_trim((struct str){rest.at, (size_t)at});
            if (find_heading(playbook, parent, first, end, &found, error))
                return ERROR_INPUT;
            first = found + 1;
            end = playbook_section_end(playbook, found);
            rest = str_trim((struct str){rest.at + at + 3, rest.len - (size_t)at - 3});
        }
    }
    if (find_heading(playbook, rest, first, end, &found, error))
        return ERROR_INPUT;
    *ret_first = found;
    *ret_end = playbook_section_end(playbook, found);
    return 0;
}
