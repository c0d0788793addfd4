/* hash: SHA-256 and MD5 of texts. */
#ifndef REHEARSE_BASE_HASH_H
#define REHEARSE_BASE_HASH_H

#include "sim/base/arena.h"

/* 64 lower-case hex digits, in the arena. */
const char *hash_sha256(struct arena *, struct str text);
/* MD5: 32 digits. */
const char *hash_md5(struct arena *, struct str text);

#endif
