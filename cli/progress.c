#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_show(int64_t done, int64_t all)
{
    enum { BAR = 30, LINE = BAR + 32 };
    static const char full[] = "##############################";
    _Static_assert(sizeof full - 1 == BAR, "one mark for each place");
    if (!isatty(STDERR_FILENO) || all < 2)
        return;
    int n = (int)(BAR * done / all);
    fprintf(stderr, "\r[%.*s%*s] %lld of %lld", n, full, BAR - n, "", (long long)done,
            (long long)all);
    if (done == all)
        fprintf(stderr, "\r%*s\r", LINE, "");
}
