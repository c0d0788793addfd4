/* mutations: for every drill a change in one place of its files, and what has to be found otherwise
 * then. */
#ifndef REHEARSE_TESTS_MUTATIONS_H
#define REHEARSE_TESTS_MUTATIONS_H

struct edit {
    const char *file, *from, *to; /* `from` stands there once, or first below the heading `below` */
};

struct mutation {
    const char *drill;
    struct edit edits[3];
    /* "verdict:pass", "GATE:fail", "TARGET:met", "+FINDING", "-FINDING"; at least one word is not
     * what the drill expects */
    const char *expected;
    const char *why;
    const char *below; /* a heading; NULL: anywhere */
};

extern const struct mutation mutations[];
extern const int n_mutations;
extern const struct mutation hal9_mutations[];
extern const int n_hal9_mutations;
extern const struct mutation hap_mutations[];
extern const int n_hap_mutations;
extern const struct mutation hyperpage_mutations[];
extern const int n_hyperpage_mutations;
extern const struct mutation qec_sft_mutations[];
extern const int n_qec_sft_mutations;

#endif
