#include "sim/base/hash.h"

#include <openssl/evp.h>

static const char *digest_of(struct arena *arena, const char *algorithm, struct str text)
{
    unsigned char digest[64];
    size_t len = sizeof digest;
    if (!EVP_Q_digest(NULL, algorithm, NULL, text.at ? text.at : "", text.len, digest, &len))
        return "unavailable";
    char *hex = arena_alloc(arena, 2 * len + 1);
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}

const char *hash_sha256(struct arena *arena, struct str text)
{
    return digest_of(arena, "SHA256", text);
}

const char *hash_md5(struct arena *arena, struct str text)
{
    return digest_of(arena, "MD5", text);
}
