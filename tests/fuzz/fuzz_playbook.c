/* Any bytes as a playbook: parsed, linted, made a first drill of, and its procedure picked in each
 * way. */
#include "procedures/init/init.h"
#include "procedures/lint/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct binding bind[] = {{"<x>", "1"}, {"$Y", "2"}, {"YYYYMMDD", "3"}};
    static const char *const choose[] = {"Or", "Option B", NULL};
    struct str text = {(const char *)data, size};
    for (int script = 0; script < 2; script++) {
        struct arena arena = {0};
        struct playbook playbook;
        struct lint_result result;
        if (!playbook_parse(&arena, script ? "x.sh" : "x.md", text, &playbook, NULL)) {
            struct init_options first = {.playbook_path = "x"};
            struct init_result made;
            lint_playbook(&arena, &playbook, &result);
            init_from_playbook(&arena, &playbook, &first, &made, NULL);
            for (int way = ALTERNATIVES_FIRST; way <= ALTERNATIVES_CHOSEN; way++) {
                struct procedure procedure;
                struct procedure_options options = {.bind = bind,
                                                    .n_bind = 3,
                                                    .alternatives = (enum alternatives)way,
                                                    .choose = choose,
                                                    .sql = true};
                procedure_pick(&arena, &playbook, &options, &procedure, NULL);
            }
        }
        arena_release(&arena);
    }
    return 0;
}
