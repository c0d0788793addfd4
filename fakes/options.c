#include "fakes/options.h"

#include <string.h>

#include "sim/base/str.h"

struct known {
    struct str name;
    char letter; /* 0: none */
    bool takes_value, may_lack_it;
};

/* The next known option of the words; false at their end. */
static bool next_known(struct str *words, struct known *ret)
{
    while (words->len > 0) {
        struct str word = str_cut(words, ' ');
        if (word.len == 0)
            continue;
        *ret = (struct known){.name = word};
        if (word.len > 1 && word.at[word.len - 1] == '?') {
            ret->may_lack_it = true;
            word.len--;
        }
        if (word.at[word.len - 1] == '=') {
            ret->takes_value = true;
            word.len--;
        }
        ret->name = word;
        if (word.len > 2 && word.at[word.len - 2] == '|') {
            ret->letter = word.at[word.len - 1];
            ret->name.len = word.len - 2;
        }
        return true;
    }
    return false;
}

static bool find_letter(const char *words, char letter, struct known *ret)
{
    struct str rest = str_of(words);
    while (next_known(&rest, ret))
        if (ret->letter == letter || (ret->name.len == 1 && ret->name.at[0] == letter))
            return true;
    return false;
}

static bool find_name(const char *words, struct str name, bool abbreviations, struct known *ret)
{
    struct str rest = str_of(words);
    struct known known, hit;
    int n_hits = 0;
    while (next_known(&rest, &known)) {
        if (known.name.len > 1 && str_eq(known.name, name)) {
            *ret = known;
            return true;
        }
        if (abbreviations && name.len > 0 && known.name.len > name.len &&
            memcmp(known.name.at, name.at, name.len) == 0) {
            hit = known;
            n_hits++;
        }
    }
    if (n_hits == 1)
        *ret = hit;
    return n_hits == 1;
}

static void give(struct arena *arena, struct options *ret, struct str name, const char *value)
{
    ret->given[ret->n_given++] = (struct option){arena_str(arena, name), value};
}

/* Go's strconv.ParseBool; NULL: it is none. */
static const char *bool_value(const char *text)
{
    static const char *const words[] = {"1", "t", "T", "TRUE",  "true",  "True",
                                        "0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return i < 6 ? "true" : "false";
    return NULL;
}

/* pflag's "--flag=value" of a flag that is on or off. */
static void parse_bool(struct arena *arena, const struct known *known, const char *text,
                       struct options *ret)
{
    const char *value = bool_value(text);
    const char letter[] = {'-', known->letter, ',', ' ', '\0'};
    if (value)
        give(arena, ret, known->name, value);
    else
        ret->error = arena_printf(arena,
                                  "invalid argument \"%s\" for \"%s--%.*s\" flag: "
                                  "strconv.ParseBool: parsing \"%s\": invalid syntax",
                                  text, known->letter ? letter : "", STR_ARG(known->name), text);
}

/* "--name", "--name=value", "--name value". */
static void parse_long(struct arena *arena, enum options_style style, const char *words, char ***at,
                       struct options *ret)
{
    struct str rest = str_of(**at + 2);
    bool has_value = memchr(rest.at, '=', rest.len) != NULL;
    struct str name = str_cut(&rest, '=');
    struct known known;
    if (!find_name(words, name, style == OPTIONS_GETOPT, &known)) {
        ret->error = style == OPTIONS_GETOPT
                         ? arena_printf(arena, "unrecognized option '--%.*s'", STR_ARG(name))
                         : arena_printf(arena, "unknown flag: --%.*s", STR_ARG(name));
    } else if (!known.takes_value) {
        if (has_value && style == OPTIONS_GETOPT)
            ret->error = arena_printf(arena, "option '--%.*s' doesn't allow an argument",
                                      STR_ARG(known.name));
        else if (has_value)
            parse_bool(arena, &known, arena_str(arena, rest), ret);
        else
            give(arena, ret, known.name, "true");
    } else if (has_value) {
        give(arena, ret, known.name, arena_str(arena, rest));
    } else if (known.may_lack_it) {
        give(arena, ret, known.name, "true");
    } else if ((*at)[1]) {
        give(arena, ret, known.name, *++*at);
    } else {
        ret->error =
            style == OPTIONS_GETOPT
                ? arena_printf(arena, "option '--%.*s' requires an argument", STR_ARG(known.name))
                : arena_printf(arena, "flag needs an argument: --%.*s", STR_ARG(known.name));
    }
}

/* "-x", "-xy", "-nvalue", "-n value", pflag's "-n=value". */
static void parse_short(struct arena *arena, enum options_style style, const char *words,
                        char ***at, struct options *ret)
{
    const char *word = **at;
    for (const char *p = word + 1; *p && !ret->error; p++) {
        struct known known;
        if (!find_letter(words, *p, &known)) {
            ret->error = style == OPTIONS_GETOPT
                             ? arena_printf(arena, "invalid option -- '%c'", *p)
                             : arena_printf(arena, "unknown shorthand flag: '%c' in %s", *p, word);
        } else if (!known.takes_value) {
            give(arena, ret, known.name, "true");
        } else if (known.may_lack_it && p[1] != '=') {
            give(arena, ret, known.name, "true");
        } else if (p[1]) {
            give(arena, ret, known.name,
                 arena_strdup(arena, style == OPTIONS_PFLAG && p[1] == '=' ? p + 2 : p + 1));
            return;
        } else if ((*at)[1]) {
            give(arena, ret, known.name, *++*at);
            return;
        } else {
            ret->error = style == OPTIONS_GETOPT
                             ? arena_printf(arena, "option requires an argument -- '%c'", *p)
                             : arena_printf(arena, "flag needs an argument: '%c' in %s", *p, word);
        }
    }
}

void options_parse(struct arena *arena, enum options_style style, const char *words,
                   bool interspersed, char **argv, struct options *ret)
{
    size_t n_words = 0;
    for (char **at = argv; *at; at++)
        n_words += strlen(*at) + 1; /* "-abc" gives three */
    *ret = (struct options){
        .given = ARENA_ARRAY(arena, struct option, n_words + 1),
        .args = ARENA_ARRAY(arena, char *, n_words + 1),
    };
    bool only_args = false;
    for (char **at = argv[0] ? argv + 1 : argv; *at && !ret->error; at++) {
        const char *word = *at;
        if (only_args || word[0] != '-' || word[1] == '\0') {
            ret->args[ret->n_args++] = *at;
            only_args = only_args || !interspersed;
        } else if (strcmp(word, "--") == 0) {
            only_args = true;
        } else if (word[1] == '-') {
            parse_long(arena, style, words, &at, ret);
        } else {
            parse_short(arena, style, words, &at, ret);
        }
    }
}

bool options_has(const struct options *options, const char *name)
{
    const char *value = options_value(options, name, NULL);
    return value && strcmp(value, "false") != 0;
}

const char *options_value(const struct options *options, const char *name, const char *otherwise)
{
    const char *value = otherwise;
    for (int i = 0; i < options->n_given; i++)
        if (strcmp(options->given[i].name, name) == 0)
            value = options->given[i].value;
    return value;
}

bool options_number(const struct options *options, const char *name, int64_t otherwise,
                    int64_t *ret)
{
    const char *value = options_value(options, name, NULL);
    *ret = otherwise;
    return !value || str_int64(str_of(value), ret);
}
