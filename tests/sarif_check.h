/* sarif_check: whether a text is a SARIF 2.1.0 log, by its schema and by what the standard asks for
 * beyond the schema: results name rules that are there, at the index that they say; rule ids are
 * there once; a region does not end before it starts; a rule has the words that code scanning
 * shows. */
#ifndef REHEARSE_TESTS_SARIF_CHECK_H
#define REHEARSE_TESTS_SARIF_CHECK_H

/* NULL if it is; else a line that says where and what, valid until the next call. */
const char *sarif_check(const char *document);

#endif
