/* hash: SHA-256 of inputs, for provenance. */
#ifndef REHEARSE_BASE_HASH_H
#define REHEARSE_BASE_HASH_H

#include "sim/base/arena.h"

/* 64 lower-case hex digits, in the arena. */
const char *hash_sha256(struct arena *, struct str text);

#endif
