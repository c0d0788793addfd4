#include "tests/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/base/buf.h"

void workspace_init(struct workspace *workspace, const char *folder)
{
    *workspace = (struct workspace){0};
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *path = arena_printf(&workspace->arena, "%s/rehearse-test-XXXXXX", base);
    assert_non_null(mkdtemp(path));
    workspace->path = path;
    if (folder)
        assert_int_equal(system(arena_printf(&workspace->arena, "cp -R '%s/.' '%s'", folder, path)),
                         0);
}

void workspace_release(struct workspace *workspace)
{
    char *command = arena_printf(&workspace->arena, "rm -rf '%s'", workspace->path);
    assert_int_equal(system(command), 0);
    arena_release(&workspace->arena);
}

const char *workspace_path(struct workspace *workspace, const char *name)
{
    return arena_printf(&workspace->arena, "%s/%s", workspace->path, name);
}

void workspace_write(struct workspace *workspace, const char *name, const char *text)
{
    FILE *file = fopen(workspace_path(workspace, name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void workspace_replace(struct workspace *workspace, const char *name, const char *from,
                       const char *to)
{
    struct buf text, changed;
    buf_init(&text, 16 << 20);
    buf_init(&changed, 16 << 20);
    assert_int_equal(buf_read_file(&text, workspace_path(workspace, name)), 0);
    const char *found = strstr(text.at, from);
    if (!found)
        fail_msg("%s: nothing to replace: %s", name, from);
    assert_null(strstr(found + 1, from));
    buf_add(&changed, text.at, (size_t)(found - text.at));
    buf_puts(&changed, to);
    buf_puts(&changed, found + strlen(from));
    workspace_write(workspace, name, changed.at);
    buf_release(&text);
    buf_release(&changed);
}

const char *owners_playbook(struct arena *arena, const char *name)
{
    const char *path = arena_printf(arena, "../shared/playbooks/%s", name);
    return access(path, R_OK) == 0 ? path : NULL;
}
