/* The tier without namespaces, and the choice of a tier: what Landlock and the supervisor hold
 * between a playbook and the host. All of it as root and as an ordinary user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procedures/sandbox/programs.h"
#include "tests/cells.h"

/* ---- without namespaces ---- */

static void test_landlock_network(void **state)
{
    static const struct cell cells[] = {
        {"tcp", "socket(S, 2, 1, 0)", "97\n", "escaped_command: a network socket"},
        {"ipv6", "socket(S, 10, 2, 0)", "97\n", "escaped_command: a network socket"},
        {"netlink", "socket(S, 16, 3, 0)", "97\n", "escaped_command: a network socket"},
        {"packet", "socket(S, 17, 3, 0)", "97\n", "escaped_command: a network socket"},
        {"abstract", "socket(S, 1, 1, 0) && connect(S, pack(\"S x a*\", 1, \"x\"))", "111\n",
         "escaped_command: a local socket"},
        {"names are not asked for", "gethostbyname(\"example.com\") ? 0 : do { $! = 2; -1 }", "2\n",
         NULL},
    };
    (void)state;
    cells_try(cells, sizeof cells / sizeof *cells, true);
}

static void test_landlock_shell(void **state)
{
    static const struct cell cells[] = {
        {"no host users", "cut -d: -f1 /etc/passwd | sort -u | wc -l; cat /etc/shadow 2>&1",
         "2\ncat: /etc/shadow: No such file or directory\n", NULL},
        {"the host's root by way of /proc",
         "cat /proc/self/root/etc/shadow /proc/1/root/etc/shadow 2>/dev/null; echo $?; ls /proc/1 "
         "2>/dev/null; echo $?",
         "1\n2\n", NULL},
        {"out of the folder",
         "cat ../../../../../../../etc/shadow 2>/dev/null; echo $?; cd /; cd ..; pwd; ls -d /opt",
         "1\n/\n/opt\n", NULL},
        {"links out of the folder",
         "ln -s /../../../../etc /tmp/e; cat /tmp/e/shadow 2>/dev/null; echo $?; ls /tmp/e/passwd",
         "1\n/tmp/e/passwd\n", NULL},
        {"programs are read-only",
         "echo x 2>/dev/null > /usr/bin/cat; echo $?; rm -f /usr/lib/x86_64-linux-gnu/libc.so.6 "
         "2>/dev/null; echo $?",
         "1\n1\n", NULL},
        {"kernel settings",
         "echo x 2>/dev/null > /proc/sys/kernel/core_pattern; echo $?; echo 1 2>/dev/null > "
         "/proc/self/oom_score_adj; echo $?",
         "1\n1\n", NULL},
        {"other processes",
         "kill -0 1 2>/dev/null; echo $?; kill -0 $PPID 2>/dev/null; echo $?; cat "
         "/proc/$PPID/environ 2>/dev/null; echo $?",
         "1\n1\n1\n", NULL},
        {"kill everybody", "trap '' TERM; kill -TERM -1; echo alive", "alive\n", NULL},
        {"a host's program",
         "gcc --version 2>/dev/null; echo $?; /usr/bin/gcc --version 2>/dev/null; echo $?",
         "127\n127\n", NULL},
        {"own processes only", "ps -e -o comm= > /tmp/p; grep -c -v -E '^(bash|ps|shim)$' /tmp/p",
         "0\n", NULL},
        {"three descriptors", "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ", NULL},
        {"where am I", "pwd; cd /var/log; pwd -P; readlink /proc/self/cwd; readlink /proc/self/exe",
         "/opt/app\n/var/log\n/var/log\n/usr/bin/readlink\n", NULL},
        {"a script knows its name",
         "printf '#!/bin/bash\\necho \"$0 $1\"\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s x; cd /tmp; "
         "./s y",
         "/tmp/s x\n./s y\n", NULL},
        {"rights", "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status",
         "NoNewPrivs:\t1\nSeccomp:\t2\n", NULL},
    };
    (void)state;
    cells_try(cells, sizeof cells / sizeof *cells, false);
}

/* What Landlock does not hold: rights, owner and times of files, by whatever name or descriptor
 * they are reached. */
static void test_host_is_not_changed(void **state)
{
    static const char *const ways[] = {
        "chmod 777 $S",
        "chmod 777 /proc/self/root$S",
        "touch -d @1 /proc/self/root$S",
        "chmod 777 /proc/$$/cwd/../..$S",
        "chown 1 /proc/thread-self/root$S",
        "perl -e 'chmod 0777, \"/proc/self/root$ENV{S}\"'",
        "cd /proc/self/root; chmod 777 .$S",
        "perl -e 'opendir(D, \"/proc/self/root\"); chdir D; chmod 0777, \".$ENV{S}\"'",
        "perl -e '$p = \"/proc/self/root$ENV{S}\"; $f = syscall(257, -100, $p, 010000000); $e = "
        "\"\"; syscall(260, $f, $e, 1, 1, 0x1000)'",
        "ln -s /proc/self/root /tmp/r; chmod 777 /tmp/r$S; touch -h -d @1 /tmp/r$S",
        "cat /proc/self/root$S",
        "truncate -s 0 /proc/self/root$S",
        "ln /proc/self/root$S /tmp/l && chmod 777 /tmp/l",
        "exec 9< /proc/self/root$S; chmod 777 /dev/fd/9",
        "exec 8< /proc/self/root; chmod 777 /proc/self/fd/8$S /dev/fd/8$S"};
    struct trial t;
    struct stat before, after;
    char secret[] = "/tmp/rehearse-secret-XXXXXX", text[1024];
    (void)state;
    int fd = mkstemp(secret);
    assert_int_equal(write(fd, "secret\n", 7), 7);
    assert_int_equal(fstat(fd, &before), 0);
    cells_begin(&t);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        snprintf(text, sizeof text, "export S=%s\n%s\n", secret, ways[i]);
        cells_run(&t, text);
        assert_string_equal(t.out.at, "");
        assert_int_equal(fstat(fd, &after), 0);
        if (memcmp(&before, &after, sizeof before) != 0)
            print_error("changed by %s\n", text);
        assert_memory_equal(&before, &after, sizeof before);
    }
    trial_release(&t);
    close(fd);
    unlink(secret);
}

/* Its processes and sockets: those that take datagrams need no connection, and a descriptor's owner
 * gets signals. */
static void test_host_is_not_reached(void **state)
{
    struct trial t;
    struct sockaddr_un by_name = {.sun_family = AF_UNIX}, abstract = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/rehearse-test-XXXXXX", text[2048], got[8];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(by_name.sun_path, sizeof by_name.sun_path, "%s/s", folder);
    snprintf(abstract.sun_path + 1, sizeof abstract.sun_path - 1, "rehearse-test-%d",
             (int)getpid());
    socklen_t len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract.sun_path + 1));
    int a = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0),
        b = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(a, (struct sockaddr *)&by_name, sizeof by_name) |
                         bind(b, (struct sockaddr *)&abstract, len),
                     0);
    pid_t victim = fork();
    if (victim == 0)
        for (;;)
            (void)pause();
    cells_begin(&t);
    snprintf(text, sizeof text,
             "perl -e 'use Socket; for $k (1, 2) { for $a (\"%s\", \"\\0%s\") {\n"
             "  $k == 1 ? socket(S, 1, 2, 0) : socketpair(S, T, 1, 2, 0); $n = "
             "pack_sockaddr_un($a); send(S, \"x\", 0, $n);\n"
             "  $x = \"x\"; $v = pack(\"P L x4\", $x, 1); $m = pack(\"P L x4 P Q Q Q Q\", $n, "
             "length $n, $v, 1, 0, 0, 0);\n"
             "  syscall(46, fileno(S), $m, 0) } }'\n"
             "perl -e 'use Fcntl; pipe(R, W); fcntl(R, 8, %d); fcntl(R, 10, 9); fcntl(R, F_SETFL, "
             "020000); syswrite W, \"x\"'\n"
             "kill -9 %d 2>/dev/null; kill -9 -%d 2>/dev/null; perl -e 'exit(syscall(141, 2, %d, "
             "19) < 0)' && echo ranked\n",
             by_name.sun_path, abstract.sun_path + 1, (int)victim, (int)victim, (int)getpgrp(),
             (int)getuid());
    cells_run(&t, text);
    assert_string_equal(t.out.at, "");
    assert_non_null(strstr(t.observed.at, "escaped_command: a local socket for datagrams"));
    assert_true(recv(a, got, sizeof got, 0) < 0 && recv(b, got, sizeof got, 0) < 0);
    assert_int_equal(waitpid(victim, NULL, WNOHANG), 0);
    trial_release(&t);
    kill(victim, SIGKILL);
    waitpid(victim, NULL, 0);
    close(a);
    close(b);
    unlink(by_name.sun_path);
    rmdir(folder);
}

/* Folders of one harness: others may be at work on this machine. */
static int count_jails(pid_t harness)
{
    static const char *const folders[] = {"/dev/shm", "/tmp"};
    char prefix[64];
    int n = 0;
    snprintf(prefix, sizeof prefix, "rehearse-jail-%d-", (int)harness);
    for (int i = 0; i < 2; i++) {
        DIR *folder = opendir(folders[i]);
        for (struct dirent *entry; folder && (entry = readdir(folder));)
            n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
        if (folder)
            closedir(folder);
    }
    return n;
}

/* A killed harness leaves its folder; the next start removes it. */
static void test_landlock_cleans_up(void **state)
{
    struct trial t;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        cells_begin(&t);
        (void)trial_run(&t, "true\n");
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(count_jails(pid), 1);
    cells_begin(&t);
    cells_run(&t, "mkdir -m 0 /tmp/closed; echo ok\n");
    assert_string_equal(t.out.at, "ok\n");
    trial_release(&t);
    assert_int_equal(count_jails(pid), 0);
    assert_int_equal(count_jails(getpid()), 0);
}

/* ---- with privileges taken away ---- */

/* Refuses these calls (and namespaces, by clone's flags) to the process, as a container's profile
 * does. */
static void deny(const int *numbers, int n)
{
    struct sock_filter filter[64];
    int at = 0;
    filter[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < n; i++) {
        filter[at++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i], 0, 1);
        filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    }
    filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                offsetof(struct seccomp_data, args[0]));
    filter[at++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER | CLONE_NEWNS, 0, 1);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)at, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(90);
}

/* In a child: as an ordinary user, without some calls; 0 if it went as `tier` says (TIER_AUTO:
 * refused, and why). */
static int run_deprived(const int *numbers, int n, bool deny_any, enum tier tier, const char *why)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct trial t;
        if (chdir("/")) /* the folder may be closed to that user */
            _exit(95);
        if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
            _exit(91);
        (void)prctl(PR_SET_DUMPABLE, 1); /* as after an exec */
        if (deny_any)
            deny(numbers, n);
        trial_tier = TIER_AUTO;
        trial_init(&t);
        int failed = trial_run(
            &t, "id -un; cat a.txt; tool x; echo $?; sleep 60; date +%T; cat /etc/shadow\n");
        buf_putc(&t.out, '\0');
        if (tier == TIER_AUTO)
            _exit(failed == ERROR_SEAL && strstr(t.error.text, why) ? 0 : 92);
        if (failed || supervisor_tier(t.supervisor) != tier) {
            print_error("%s (tier %d)\n", t.error.text,
                        t.supervisor ? (int)supervisor_tier(t.supervisor) : -1);
            _exit(93);
        }
        _exit(strcmp(t.out.at, "root\nhello\ntool x in /opt/app\n7\n14:31:00\n") == 0 ? 0 : 94);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_deprived(void **state)
{
    static const int docker[] = {SYS_unshare, SYS_setns,      SYS_mount,
                                 SYS_umount2, SYS_pivot_root, SYS_mount_setattr};
    static const int no_ptrace[] = {SYS_unshare, SYS_mount, SYS_ptrace};
    static const int no_landlock[] = {SYS_unshare, SYS_mount, SYS_landlock_create_ruleset};
    (void)state;
    trial_tier = TIER_NAMESPACES;
    bool namespaces = trial_possible();
    trial_tier = TIER_AUTO;
    if (namespaces)
        assert_int_equal(run_deprived(NULL, 0, false, TIER_NAMESPACES, NULL), 0);
    assert_int_equal(run_deprived(docker, 6, true, TIER_LANDLOCK, NULL), 0);
    assert_int_equal(run_deprived(no_ptrace, 3, true, TIER_AUTO, "cannot seal the sandbox"), 0);
    assert_int_equal(run_deprived(no_landlock, 3, true, TIER_AUTO, "cannot seal the sandbox"), 0);
}

static int all(void)
{
    const struct CMUnitTest landlock[] = {
        cmocka_unit_test(test_landlock_network),    cmocka_unit_test(test_landlock_shell),
        cmocka_unit_test(test_host_is_not_changed), cmocka_unit_test(test_host_is_not_reached),
        cmocka_unit_test(test_landlock_cleans_up),  cmocka_unit_test(test_deprived),
    };
    return trial_group(TIER_LANDLOCK, landlock);
}

int main(void)
{
    char path[128];
    if (!program_find("perl", path, sizeof path)) {
        print_message("1..1\nok 1 - sandbox # SKIP no perl here\n");
        return 0;
    }
    return cells_as_both(all);
}
