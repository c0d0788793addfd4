#include "procedures/sandbox/programs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const standard_programs[] = {
    /* shells */
    "bash", "dash", "sh",
    /* coreutils */
    "[", "arch", "b2sum", "base32", "base64", "basename", "basenc", "cat", "chgrp", "chmod",
    "chown", "cksum", "comm", "cp", "csplit", "cut", "date", "dd", "df", "dir", "dircolors",
    "dirname", "du", "echo", "env", "expand", "expr", "factor", "false", "fmt", "fold", "groups",
    "head", "hostid", "id", "install", "join", "link", "ln", "logname", "ls", "md5sum", "mkdir",
    "mkfifo", "mknod", "mktemp", "mv", "nice", "nl", "nohup", "nproc", "numfmt", "od", "paste",
    "pathchk", "pr", "printenv", "printf", "ptx", "pwd", "readlink", "realpath", "rm", "rmdir",
    "seq", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "shred", "shuf", "sleep",
    "sort", "split", "stat", "stdbuf", "stty", "sum", "sync", "tac", "tail", "tee", "test",
    "timeout", "touch", "tr", "true", "truncate", "tsort", "tty", "uname", "unexpand", "uniq",
    "unlink", "users", "vdir", "wc", "who", "whoami", "yes",
    /* the rest of a plain Debian, as far as it acts on files, text and its own processes */
    "find", "xargs", "grep", "egrep", "fgrep", "sed", "awk", "mawk", "gawk", "tar", "gzip",
    "gunzip", "zcat", "zgrep", "cmp", "diff", "diff3", "sdiff", "which", "hostname", "run-parts",
    "tempfile", "free", "kill", "pgrep", "pidwait", "pkill", "pmap", "ps", "pwdx", "uptime",
    "vmstat", "w", "flock", "getopt", "script", "setsid", "mcookie", "namei", "rev", "column",
    "col", "hexdump", "hd", "xxd", "bc", "git", "jq", "bzip2", "bunzip2", "bzcat", "xz", "unxz",
    "xzcat", "zstd", "file", NULL};

const char *const library_folders[] = {"/usr/lib/x86_64-linux-gnu",
                                       "/usr/lib64",
                                       "/usr/lib/git-core",
                                       "/usr/libexec/git-core",
                                       "/usr/share/git-core",
                                       "/usr/lib/locale",
                                       "/usr/share/zoneinfo",
                                       "/usr/lib/terminfo",
                                       "/usr/lib/file",
                                       NULL};

const char *const python_folders[] = {"/usr/lib/python3", "/usr/lib/python3.11",
                                      "/usr/lib/python3.12", "/usr/lib/python3.13", NULL};

bool program_find(const char *name, char *path, size_t size)
{
    static const char *const folders[] = {"/usr/bin", "/bin", "/usr/sbin", "/sbin",
                                          "/usr/local/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int n = snprintf(path, size, "%s/%s", folders[i], name);
        if (n > 0 && (size_t)n < size && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* ---- versions ---- */

enum { STATUS_MAX = 64 << 20 };

/* The value of a field of an entry ("\nVersion: ", say); empty: it has none. */
static struct str field(struct str entry, const char *name)
{
    struct str rest = entry;
    ptrdiff_t at = str_find(rest, str_of(name));
    if (at < 0)
        return (struct str){0};
    rest = (struct str){entry.at + at + strlen(name), entry.len - (size_t)at - strlen(name)};
    return str_cut(&rest, '\n');
}

void programs_versions(struct buf *text)
{
    static const char *const packages[] = {"bash", "coreutils", "dash",    "diffutils", "findutils",
                                           "gawk", "git",       "grep",    "gzip",      "jq",
                                           "mawk", "procps",    "python3", "sed",       "tar"};
    struct buf status;
    buf_init(&status, STATUS_MAX);
    buf_putc(&status, '\n');
    (void)buf_read_file(&status, "/var/lib/dpkg/status");
    /* Entries stand in the order of their names; an empty line is between them. */
    for (const char *at = status.at, *end; at; at = end ? end + 1 : NULL) {
        static const char heading[] = "\nPackage: ";
        end = strstr(at, "\n\n");
        struct str entry = {at, end ? (size_t)(end - at) + 1 : strlen(at)};
        if (strncmp(at, heading, sizeof heading - 1) != 0)
            continue;
        struct str name = field(entry, heading);
        for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
            struct str version = {0};
            if (str_is(name, packages[i]) &&
                str_is(field(entry, "\nStatus: "), "install ok installed"))
                version = field(entry, "\nVersion: ");
            if (version.len)
                buf_printf(text, "%s%s %.*s", text->len ? ", " : "", packages[i], STR_ARG(version));
        }
    }
    buf_release(&status);
}
