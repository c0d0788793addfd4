/* real_clock: the only place that reads a real clock. Nothing that it says reaches a run or a report: it dates the
 * entries of the history. */
#ifndef REHEARSE_PROCEDURES_REAL_CLOCK_H
#define REHEARSE_PROCEDURES_REAL_CLOCK_H

#include <stdint.h>

int64_t real_clock_unix_s(void);

#endif
