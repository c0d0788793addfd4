/* What a variable of a playbook holds where the playbook says it: NAME=web, NAME="${1:-web}". */
#include <ctype.h>
#include <string.h>

#include "procedures/init/facts.h"

/* The value behind "NAME=" as far as it is plain text, or the default of "${...:-text}". */
static struct str plain_value(struct str value)
{
    ptrdiff_t at;
    value = str_trim(value);
    if (value.len >= 2 && (*value.at == '"' || *value.at == '\'') &&
        value.at[value.len - 1] == *value.at)
        value = (struct str){value.at + 1, value.len - 2};
    if (str_starts(value, "${") && (at = str_find(value, STR(":-"))) > 0 &&
        value.at[value.len - 1] == '}')
        value = (struct str){value.at + at + 2, value.len - (size_t)at - 3};
    for (size_t i = 0; i < value.len; i++)
        if (!isalnum((unsigned char)value.at[i]) && !strchr("-_./:", value.at[i]))
            return (struct str){0};
    return value;
}

/* The first assignment that says it, at the beginning of a line. */
static struct str value_of(const struct facts *facts, struct str name)
{
    struct str rest = facts->playbook->source;
    while (rest.len) {
        struct str line = str_trim(str_cut(&rest, '\n')), value;
        static const char *const before[] = {"export ", "local ", "readonly ", NULL};
        for (int i = 0; before[i]; i++)
            if (str_starts(line, before[i]))
                line = (struct str){line.at + strlen(before[i]), line.len - strlen(before[i])};
        if (line.len <= name.len || memcmp(line.at, name.at, name.len) || line.at[name.len] != '=')
            continue;
        value = plain_value((struct str){line.at + name.len + 1, line.len - name.len - 1});
        if (value.len)
            return value;
    }
    return (struct str){0};
}

const char *facts_value(const struct facts *facts, const char *text)
{
    struct buf out;
    const char *result;
    if (!text || !strchr(text, '$'))
        return text;
    buf_init(&out, 4096);
    for (const char *at = text; *at;) {
        bool braced = at[0] == '$' && at[1] == '{';
        struct str name = {at + 1 + braced, 0}, value;
        if (*at == '"') {
            at++;
            continue;
        }
        while (*at == '$' &&
               (isalnum((unsigned char)name.at[name.len]) || name.at[name.len] == '_'))
            name.len++;
        value = name.len && (!braced || name.at[name.len] == '}') ? value_of(facts, name)
                                                                  : (struct str){0};
        if (*at == '$' && !value.len) {
            buf_release(&out);
            return text;
        }
        if (*at == '$') {
            buf_add(&out, value.at, value.len);
            at = name.at + name.len + braced;
        } else {
            buf_putc(&out, *at++);
        }
    }
    result = arena_str(facts->arena, buf_text(&out));
    buf_release(&out);
    return result;
}
