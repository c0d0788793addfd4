#include "tests/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/base/buf.h"

static void write_golden(const char *path, struct str bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.at, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

void golden_check(const char *name, struct str bytes)
{
    char path[256];
    snprintf(path, sizeof path, "tests/golden/%s", name);
    if (getenv("REHEARSE_UPDATE_GOLDEN")) {
        write_golden(path, bytes);
        return;
    }
    struct buf kept;
    buf_init(&kept, 16 << 20);
    assert_int_equal(buf_read_file(&kept, path), 0);
    struct str want = buf_text(&kept), have = bytes;
    int line = 1;
    while (want.len || have.len) {
        struct str a = str_cut(&want, '\n'), b = str_cut(&have, '\n');
        if (!str_eq(a, b))
            fail_msg("%s:%d: want '%.*s', have '%.*s'", path, line, STR_ARG(a), STR_ARG(b));
        line++;
    }
    assert_int_equal(kept.len, bytes.len);
    buf_release(&kept);
}
