/* The sandbox's chance: one stream, drawn from in the order of turns. (splitmix64) */
#include "procedures/supervisor/core.h"

void random_fill(struct supervisor *s, void *at, size_t len)
{
    unsigned char *bytes = at;
    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            s->random += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = s->random;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        bytes[i] = (unsigned char)(z >> (i % 8 * 8));
    }
}
