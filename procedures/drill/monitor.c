#include "procedures/drill/monitor.h"

#include <string.h>

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* The next run of characters that are not in `separators`. Quotes stay: good enough to tell a
 * watcher. */
static struct str next_part(struct str *rest, const char *separators)
{
    while (rest->len && is_one_of(rest->at[0], separators)) {
        rest->at++;
        rest->len--;
    }
    struct str part = {rest->at, 0};
    while (part.len < rest->len && !is_one_of(rest->at[part.len], separators))
        part.len++;
    rest->at += part.len;
    rest->len -= part.len;
    return part;
}

static bool is_follow(struct str word)
{
    if (str_is(word, "--follow") || str_starts(word, "--follow="))
        return true;
    if (word.len < 2 || word.at[0] != '-' || word.at[1] == '-')
        return false;
    for (size_t i = 1; i < word.len; i++) { /* -f, -F, -fn100 */
        if (word.at[i] == 'f' || word.at[i] == 'F')
            return true;
        if (word.at[i] >= '0' && word.at[i] <= '9')
            return false;
    }
    return false;
}

static bool one_never_ends(struct str command)
{
    bool follows = false, gets = false, stats = false;
    struct str rest = command;
    for (struct str word = next_part(&rest, " \t\n"); word.len; word = next_part(&rest, " \t\n")) {
        if (str_is(word, "watch") || str_ends(word, "/watch") || str_is(word, "top") ||
            str_is(word, "htop") || str_is(word, "port-forward"))
            return true;
        if (str_is(word, "tail") || str_is(word, "logs") || str_is(word, "journalctl"))
            follows = true;
        else if (str_is(word, "get"))
            gets = true;
        else if (str_is(word, "stats"))
            stats = true;
        else if (follows && is_follow(word))
            return true;
        else if (gets && (str_is(word, "-w") || str_is(word, "--watch")))
            return true;
        else if (str_is(word, "--no-stream"))
            stats = false;
        else if (str_is(word, "grep") || str_is(word, "echo"))
            return false; /* what follows is text */
    }
    return stats;
}

bool monitor_never_ends(struct str command)
{
    struct str rest = command;
    for (struct str one = next_part(&rest, "|;&\n()"); one.len; one = next_part(&rest, "|;&\n()")) {
        if (one_never_ends(one))
            return true;
    }
    return false;
}
