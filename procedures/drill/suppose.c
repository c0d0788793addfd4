#include "procedures/drill/suppose.h"

#include <string.h>

static struct doc *copy_of(struct arena *arena, const struct doc *node, struct doc *parent)
{
    struct doc *copy = ARENA_NEW(arena, struct doc), **last = &copy->first;
    *copy = *node;
    copy->parent = parent;
    copy->first = copy->next = NULL;
    for (const struct doc *child = node->first; child; child = child->next) {
        *last = copy_of(arena, child, copy);
        last = &(*last)->next;
    }
    return copy;
}

static void number_children(struct doc *node)
{
    node->n = 0;
    for (struct doc *child = node->first; child; child = child->next)
        child->index = node->n++;
}

int suppose(struct arena *arena, struct doc *base, const struct doc *over, struct error *error)
{
    if (doc_want(over, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *child = over->first; child; child = child->next) {
        struct doc **at = &base->first;
        while (*at && strcmp((*at)->key, child->key) != 0)
            at = &(*at)->next;
        struct doc *old = *at;
        if (old && old->kind == DOC_MAPPING && child->kind == DOC_MAPPING) {
            if (suppose(arena, old, child, error) < 0)
                return ERROR_INPUT;
        } else if (child->kind == DOC_NULL) {
            if (!old)
                return doc_error(child, error, "there is nothing of that name to take away");
            *at = old->next;
        } else {
            struct doc *made = copy_of(arena, child, base);
            made->next = old ? old->next : NULL;
            *at = made;
        }
    }
    number_children(base);
    return 0;
}
