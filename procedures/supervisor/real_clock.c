#include "procedures/supervisor/real_clock.h"

#include <time.h>

int64_t real_clock_unix_s(void)
{
    return (int64_t)time(NULL);
}
