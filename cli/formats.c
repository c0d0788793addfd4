#include "cli/formats.h"

#include <unistd.h>

#include "reports/plot/png.h"
#include "reports/report.h"

int formats_write_file(const char *path, const struct buf *content, struct error *error)
{
    int code = report_make_parents(path, error);
    return code ? code : report_write_file(path, buf_text(content), error);
}

int formats_hide_out(struct error *error)
{
    static const char path[] = FORMATS_OUT "/.gitignore";
    static const char content[] = "*\n";
    if (access(path, F_OK) == 0) /* perhaps somebody's own */
        return 0;
    int code = report_make_parents(path, error);
    return code ? code : report_write_file(path, str_of(content), error);
}

int formats_write_picture(const char *path, const struct buf *svg, struct error *error)
{
    struct buf png;
    buf_init(&png, REPORT_MAX);
    bool pixels = str_ends(str_of(path), ".png");
    if (pixels)
        png_of_svg(buf_text(svg), 2, &png);
    int code = formats_write_file(path, pixels ? &png : svg, error);
    buf_release(&png);
    return code;
}

int formats_write(const struct formats *formats, const struct summary *summaries, int n,
                  const struct summary *all, int n_all, struct error *error)
{
    const struct {
        const char *path;
        void (*write)(const struct summary *, int, struct buf *);
        const struct summary *of;
        int n;
    } files[] = {{formats->junit, summaries_junit, all, n_all},
                 {formats->sarif, summaries_sarif, summaries, n},
                 {formats->csv, summaries_csv, summaries, n},
                 {formats->metrics, summaries_openmetrics, summaries, n}};
    int code = 0;
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    for (size_t i = 0; code == 0 && i < sizeof files / sizeof *files; i++) {
        if (!files[i].path)
            continue;
        buf_clear(&buf);
        files[i].write(files[i].of, files[i].n, &buf);
        code = formats_write_file(files[i].path, &buf, error);
    }
    buf_release(&buf);
    return code;
}
