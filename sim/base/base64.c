#include "sim/base/base64.h"

#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const char *base64_encode(struct arena *arena, struct str bytes)
{
    char *out = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1), *at = out;
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < bytes.len ? (unsigned char)bytes.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            *at++ = i + k <= bytes.len ? letters[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

bool base64_decode(struct arena *arena, struct str text, struct str *ret_bytes)
{
    char *out = arena_alloc(arena, text.len / 4 * 3 + 4);
    size_t n = 0, n_letters = 0, n_padding = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        const char *letter = c ? strchr(letters, c) : NULL;
        if (c == '\n' || c == '\r')
            continue;
        if ((!letter && c != '=') || (letter && n_padding))
            return false;
        n_padding += !letter;
        n_letters++;
        group = group << 6 | (letter ? (uint32_t)(letter - letters) : 0);
        if (n_letters % 4 == 0) {
            for (size_t k = 0; k < 3 - (n_padding < 3 ? n_padding : 3); k++)
                out[n++] = (char)(group >> (16 - 8 * k) & 255);
            group = 0;
        }
    }
    if (n_letters % 4 || n_padding > 2)
        return false;
    *ret_bytes = (struct str){out, n};
    return true;
}
