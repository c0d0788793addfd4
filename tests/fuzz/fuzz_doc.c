/* Any bytes as a document, and every reader of values on every node. */
#include "sim/base/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_values(const struct doc *node)
{
    static const char *const words[] = {"first", "second", NULL};
    int64_t whole;
    double number;
    bool flag;
    int choice;
    struct error error;
    (void)doc_int(node, -5, 5, &whole, &error);
    (void)doc_duration(node, &whole, &error);
    (void)doc_size(node, &whole, &error);
    (void)doc_time(node, &whole, &error);
    (void)doc_number(node, 0, 1, &number, &error);
    (void)doc_ratio(node, &number, &error);
    (void)doc_rate(node, &number, &error);
    (void)doc_bool(node, &flag, &error);
    (void)doc_choice(node, words, &choice, &error);
    (void)doc_only(node, words, &error);
    for (const struct doc *child = node->first; child; child = child->next)
        read_values(child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct doc *root;
    struct error error;
    if (doc_read_text(&arena, "x", (struct str){(const char *)data, size}, &root, &error) == 0)
        read_values(root);
    arena_release(&arena);
    return 0;
}
