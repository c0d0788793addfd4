/* real_clock: the only place that reads a real clock. Nothing that it says reaches a run or its
 * report: it dates the entries of the history, tells `check` which waivers have run out, and stops
 * a loop that asks nothing of anybody (the run is then unknown). */
#ifndef REHEARSE_PROCEDURES_REAL_CLOCK_H
#define REHEARSE_PROCEDURES_REAL_CLOCK_H

#include <stdint.h>
#include <sys/types.h>

int64_t real_clock_unix_s(void);
/* Processor time that a process has used, its ended threads included; -1 if it is gone. */
int64_t real_clock_used_ns(pid_t);

#endif
