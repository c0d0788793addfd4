/* formats: the files for other tools that run and check write when asked: JUnit XML, SARIF, CSV,
 * OpenMetrics. */
#ifndef REHEARSE_CLI_FORMATS_H
#define REHEARSE_CLI_FORMATS_H

#include "reports/summary.h"

struct formats {
    const char *junit, *sarif, *csv, *metrics; /* paths, or NULL */
};

/* Their options, for a command's table. */
#define FORMATS_OPTIONS(formats)                                                                   \
    {"--junit", &(formats)->junit, NULL}, {"--sarif", &(formats)->sarif, NULL},                    \
        {"--csv", &(formats)->csv, NULL},                                                          \
    {                                                                                              \
        "--metrics", &(formats)->metrics, NULL                                                     \
    }

/* Writes what was asked for. `all` holds the drills that could not be run, too: JUnit tells of
 * them. */
int formats_write(const struct formats *, const struct summary *summaries, int n,
                  const struct summary *all, int n_all, struct error *);
/* One file, whole or not at all, with the folders above it. */
int formats_write_file(const char *path, const struct buf *content, struct error *);
/* Where reports go if nobody says: a folder that git does not see (a .gitignore of its own is put
 * into it, as other tools do with what they leave). */
#define FORMATS_OUT "rehearse-out"
int formats_hide_out(struct error *);
/* A picture as SVG, or as PNG at twice its size if the name ends in .png. */
int formats_write_picture(const char *path, const struct buf *svg, struct error *);

#endif
