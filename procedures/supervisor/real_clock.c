#include "procedures/supervisor/real_clock.h"

#include <time.h>

int64_t real_clock_unix_s(void)
{
    return (int64_t)time(NULL);
}

int64_t real_clock_used_ns(pid_t pid)
{
    clockid_t clock = (clockid_t)((~(unsigned)pid << 3) | 2u); /* see clock_getcpuclockid(3) */
    struct timespec used;
    return clock_gettime(clock, &used) ? -1 : (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}
