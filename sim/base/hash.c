#include "sim/base/hash.h"

#include <openssl/evp.h>

const char *hash_sha256(struct arena *arena, struct str text)
{
    unsigned char digest[32];
    size_t len = sizeof digest;
    if (!EVP_Q_digest(NULL, "SHA256", NULL, text.at, text.len, digest, &len))
        return "unavailable";
    char *hex = arena_alloc(arena, 65);
    for (size_t i = 0; i < sizeof digest; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}
