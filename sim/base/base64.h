/* base64: RFC 4648, the standard alphabet with padding. */
#ifndef REHEARSE_BASE_BASE64_H
#define REHEARSE_BASE_BASE64_H

#include <stdbool.h>

#include "sim/base/arena.h"

const char *base64_encode(struct arena *, struct str bytes);
/* False if it is none; line breaks are passed over, as Go's decoder does. The result lives in the
 * arena and ends in a NUL that does not count. */
bool base64_decode(struct arena *, struct str text, struct str *ret_bytes);

#endif
