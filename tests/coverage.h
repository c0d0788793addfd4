/* coverage: the table in a system's README.md that says which drill or case reaches which part of
 * the owner's document. */
#ifndef REHEARSE_TESTS_COVERAGE_H
#define REHEARSE_TESTS_COVERAGE_H

/* Fails the test unless the table "| line | the document says | reached by |" of FOLDER/README.md
 * agrees with FOLDER/playbook.md, FOLDER/drills and the triggers that a test makes fire (ids, NULL
 * at the end). Complains of
 * - headings, rows of the decision matrix and bullets of "When (NOT) to Rollback" that have no row,
 * - rows whose line says something else, and rows that name neither a drill nor a trigger and do
 *   not begin with "nothing to run",
 * - names that are neither a drill of a line of that part nor one of the triggers,
 * - drills and triggers that no row names; hardened editions are not asked for. */
void coverage_check(const char *folder, const char *const *triggers);

#endif
