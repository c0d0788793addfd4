/* What a playbook can do to the world outside its sandbox: nothing. Each cell of the escape matrix
 * is tried, from a shell and by bare system calls (perl's syscall), and must fail inside, leave
 * nothing outside, and be told where it was an attempt on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <elf.h>
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

#define ADDRESS(family, port, ip) "pack(\"S n C4 x8\", " family ", " port ", " ip ")"
#define SOCKADDR6                                                                                  \
    "pack(\"S n N a16 N\", 10, 80, 0, pack(\"H*\", \"20010db8000000000000000000000001\"), 0)"

static void test_network(void **state)
{
    static const struct cell cells[] = {
        {"tcp", "socket(S, 2, 1, 0) && connect(S, " ADDRESS("2", "80", "1,1,1,1") ")", "101\n",
         "escaped_command: a connection to 1.1.1.1:80"},
        {"udp", "socket(S, 2, 2, 0) && send(S, \"x\", 0, " ADDRESS("2", "53", "8,8,8,8") ")",
         "101\n", "escaped_command: a connection to 8.8.8.8:53"},
        {"ipv6", "socket(S, 10, 1, 0) && connect(S, " SOCKADDR6 ")", "101\n",
         "escaped_command: a connection to [2001:db8::1]:80"},
        {"udp message",
         "socket(S, 2, 2, 0) && do { $n = " ADDRESS(
             "2", "53", "8,8,4,4") "; $v = pack(\"P Q\", $c, 1);\n"
                                   "$m = pack(\"P L x4 P Q Q Q Q\", $n, 16, $v, 1, 0, 0, 0); "
                                   "syscall(46, fileno(S), $m, 0) }",
         "101\n", "escaped_command: a connection to 8.8.4.4:53"},
        {"udp messages",
         "socket(S, 2, 2, 0) && do { $n = " ADDRESS(
             "2", "53", "8,8,4,4") "; $v = pack(\"P Q\", $c, 1);\n"
                                   "$m = pack(\"P L x4 P Q Q Q Q Q\", $n, 16, $v, 1, 0, 0, 0, 0); "
                                   "syscall(307, fileno(S), $m, 1, 0) }",
         "101\n", "escaped_command: a connection to 8.8.4.4:53"},
        {"loopback by its other name",
         "socket(S, 10, 1, 0) && connect(S, pack(\"S n N a16 N\", 10, 22, 0, pack(\"H*\", "
         "\"00000000000000000000ffff7f000001\"), 0))",
         "111\n", NULL},
        {"raw", "socket(S, 2, 3, 1)", "1\n", "escaped_command: a raw socket"},
        {"packet", "socket(S, 17, 3, 0)", "97\n", "escaped_command: a socket of family 17"},
        {"to the hypervisor", "socket(S, 40, 1, 0)", "97\n",
         "escaped_command: a socket of family 40"},
        {"netlink audit", "socket(S, 16, 3, 9)", "93\n",
         "escaped_command: a netlink socket (protocol 9)"},
        {"loopback is the sandbox's own",
         "socket(S, 2, 1, 0) && connect(S, " ADDRESS("2", "22", "127,0,0,1") ")", "111\n", NULL},
        {"names are not asked for", "gethostbyname(\"example.com\") ? 0 : do { $! = 2; -1 }", "2\n",
         NULL},
    };
    (void)state;
    cells_try(cells, sizeof cells / sizeof *cells, true);
}

/* Sockets of the host: one by name in a folder, one abstract. */
static void test_host_sockets(void **state)
{
    struct trial t;
    char folder[] = "/tmp/rehearse-test-XXXXXX", text[1024];
    struct sockaddr_un by_name = {.sun_family = AF_UNIX}, abstract = {.sun_family = AF_UNIX};
    (void)state;
    assert_non_null(mkdtemp(folder));
    int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(by_name.sun_path, sizeof by_name.sun_path, "%s/s", folder);
    snprintf(abstract.sun_path + 1, sizeof abstract.sun_path - 1, "rehearse-test-%d",
             (int)getpid());
    socklen_t len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract.sun_path + 1));
    assert_int_equal(bind(a, (struct sockaddr *)&by_name, sizeof by_name), 0);
    assert_int_equal(bind(b, (struct sockaddr *)&abstract, len), 0);
    assert_int_equal(listen(a, 1) | listen(b, 1), 0);
    cells_begin(&t);
    snprintf(text, sizeof text,
             "perl -e 'socket(S,1,1,0); connect(S, pack(\"S a*\", 1, \"%s\")) ? print \"in\\n\" : "
             "print $!+0, \"\\n\"'\n"
             "perl -e 'socket(S,1,1,0); connect(S, pack(\"S x a*\", 1, \"%s\")) ? print \"in\\n\" "
             ": print $!+0, \"\\n\"'\n",
             by_name.sun_path, abstract.sun_path + 1);
    cells_run(&t, text);
    assert_string_equal(t.out.at, "2\n111\n");
    trial_release(&t);
    close(a);
    close(b);
    unlink(by_name.sun_path);
    rmdir(folder);
}

static void test_calls(void **state)
{
    static const struct cell cells[] = {
        {"ptrace", "syscall(101, 16, 1, 0, 0)", "1\n",
         "escaped_command: tracing another process (ptrace)"},
        {"read memory", "syscall(310, 1, 0, 0, 0, 0, 0)", "1\n",
         "escaped_command: reading another process's memory"},
        {"write memory", "syscall(311, 1, 0, 0, 0, 0, 0)", "1\n",
         "escaped_command: writing another process's memory"},
        {"take a descriptor", "syscall(438, 1, 0, 0)", "1\n",
         "escaped_command: taking another process's descriptor"},
        {"mount", "syscall(165, $a, $b, $a, 0, 0)", "1\n", "escaped_command: mounting"},
        {"new mount api", "syscall(430, $a, 0)", "1\n", "escaped_command: mounting (fsopen)"},
        {"umount", "syscall(166, $b, 0)", "1\n", "escaped_command: unmounting"},
        {"pivot_root", "syscall(155, $b, $b)", "1\n", "escaped_command: another root (pivot_root)"},
        {"chroot", "syscall(161, $b)", "1\n", "escaped_command: another root (chroot)"},
        {"unshare user", "syscall(272, 0x10000000)", "1\n",
         "escaped_command: namespaces of its own (unshare)"},
        {"setns", "syscall(308, 0, 0)", "1\n", "escaped_command: another namespace (setns)"},
        {"clone into namespaces", "syscall(56, 0x10000011, 0, 0, 0, 0)", "1\n",
         "escaped_command: namespaces of its own (clone)"},
        {"clone untraced", "syscall(56, 0x00800011, 0, 0, 0, 0)", "1\n",
         "escaped_command: namespaces of its own (clone)"},
        {"clone3 hides its flags", "syscall(435, 0, 0)", "38\n", NULL},
        {"keyring", "syscall(250, 0, -3, 0)", "1\n",
         "escaped_command: the kernel's keyring (keyctl)"},
        {"add_key", "syscall(248, $a, $b, $c, 1, -3)", "1\n",
         "escaped_command: the kernel's keyring (add_key)"},
        {"io_uring", "syscall(425, 1, 0)", "38\n",
         "escaped_command: an input-output ring (io_uring_setup)"},
        {"bpf", "syscall(321, 0, 0, 0)", "1\n",
         "escaped_command: loading a program into the kernel (bpf)"},
        {"perf", "syscall(298, 0, 0, -1, -1, 0)", "1\n",
         "escaped_command: measuring the machine (perf_event_open)"},
        {"userfaultfd", "syscall(323, 0)", "1\n",
         "escaped_command: handling memory faults (userfaultfd)"},
        {"kexec", "syscall(246, 0, 0, 0, 0)", "1\n",
         "escaped_command: another kernel (kexec_load)"},
        {"module", "syscall(313, 0, $c, 0)", "1\n",
         "escaped_command: a kernel module (finit_module)"},
        {"reboot", "syscall(169, 0xfee1dead, 672274793, 0x01234567, 0)", "1\n",
         "escaped_command: restarting the machine (reboot)"},
        {"set clock", "syscall(227, 0, $c = pack(\"qq\", 1, 1))", "1\n",
         "escaped_command: setting the clock (clock_settime)"},
        {"set host name", "syscall(170, $c, 1)", "1\n",
         "escaped_command: another host name (sethostname)"},
        {"kernel log", "syscall(103, 3, 0, 0)", "1\n",
         "escaped_command: the kernel's log (syslog)"},
        {"ports", "syscall(172, 3)", "1\n", "escaped_command: the machine's ports (iopl)"},
        {"own filter", "syscall(317, 1, 0, 0)", "1\n",
         "escaped_command: a system call filter of its own (seccomp)"},
        {"own filter by prctl", "syscall(157, 22, 2, 0, 0, 0)", "22\n",
         "escaped_command: a system call filter of its own (prctl)"},
        {"file by handle", "syscall(304, 0, 0, 0)", "1\n",
         "escaped_command: a file by its handle (open_by_handle_at)"},
        {"fanotify", "syscall(300, 0, 0)", "1\n",
         "escaped_command: watching the machine's files (fanotify)"},
        {"block device", "syscall(133, $b, 0060600, 0x800)", "1\n",
         "escaped_command: a device node (mknod)"},
        {"typing into a terminal", "syscall(16, 0, 0x5412, $c)", "1\n",
         "escaped_command: typing into a terminal (TIOCSTI)"},
        {"personality", "syscall(135, 0x0040000)", "1\n",
         "escaped_command: another kernel personality (personality)"},
        {"the shim's own call", "syscall(1000, 0)", "38\n",
         "escaped_command: the rehearsal's own system call"},
        {"a call of the future", "syscall(999, 0)", "38\n",
         "escaped_command: a system call that is not known here (system call 999)"},
        {"an x32 call", "syscall(0x40000000 + 39)", "38\n",
         "escaped_command: a 32-bit system call"},
        {"kill pid 1 of the host's numbering", "syscall(62, 999999, 9)", "3\n", NULL},
    };
    (void)state;
    cells_try(cells, sizeof cells / sizeof *cells, true);
}

static void test_shell_escapes(void **state)
{
    static const struct cell cells[] = {
        {"no host users", "cut -d: -f1 /etc/passwd | sort -u | wc -l; cat /etc/shadow 2>&1",
         "2\ncat: /etc/shadow: No such file or directory\n", NULL},
        {"programs are read-only",
         "cp /bin/true /usr/bin/cat 2>/dev/null; echo $?; rm -f /usr/bin/cat 2>/dev/null; echo $?; "
         "echo ok | cat",
         "1\n1\nok\n", NULL},
        {"libraries are read-only", "touch /usr/lib/x86_64-linux-gnu/x 2>/dev/null; echo $?", "1\n",
         NULL},
        {"kernel settings are read-only",
         "echo '|/tmp/x' 2>/dev/null > /proc/sys/kernel/core_pattern; echo $?; echo b 2>/dev/null "
         "> /proc/sysrq-trigger; echo $?",
         "1\n1\n", NULL},
        {"the first process has no secrets",
         "tr '\\0' ' ' < /proc/1/environ | wc -c; tr '\\0' ' ' < /proc/1/cmdline", "0\ninit ",
         NULL},
        {"its root is ours", "ls /proc/1/root/etc/hosts /proc/1/cwd/etc/hosts",
         "/proc/1/cwd/etc/hosts\n/proc/1/root/etc/hosts\n", NULL},
        {"three descriptors", "ls /proc/1/fd | tr '\\n' ' '; ls /proc/self/fd | tr '\\n' ' '",
         "0 1 2 0 1 2 3 ", NULL},
        {"only our processes", "ps -e -o comm= > /tmp/p; sort -u /tmp/p | tr '\\n' ' '",
         "bash ps shim ", NULL},
        {"kill everybody", "trap '' TERM; kill -TERM -1; echo alive", "alive\n", NULL},
        {"the first process cannot be killed", "kill -9 1; echo $?; ps -p 1 -o comm=", "0\nshim\n",
         NULL},
        {"the group of the harness", "kill -TERM 0 & wait; echo gone", "", NULL},
        {"environment", "env | sort",
         "HOME=/root\nLC_ALL=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\nPWD=/opt/"
         "app\nSHLVL=1\nTZ=UTC\n_=/usr/bin/env\n",
         NULL},
        {"hard link to a program", "ln /usr/bin/bash /tmp/b 2>/dev/null; echo $?", "1\n", NULL},
        {"no terminal", "echo x 2>/dev/null > /dev/tty; echo $?; tty", "1\nnot a tty\n", NULL},
        {"disk devices", "ls /dev | tr '\\n' ' '; mknod /tmp/sda b 8 0 2>/dev/null; echo $?",
         "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero 1\n",
         "escaped_command: a device node (mknod)"},
        {"loopback only", "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '", "lo\n", NULL},
        {"no capability to speak of", "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status",
         "CapEff:\t00000000000400fb\nNoNewPrivs:\t1\nSeccomp:\t2\n", NULL},
        {"a daemon", "setsid sleep 1000 > /dev/null 2>&1 < /dev/null & disown; echo left", "left\n",
         NULL},
        {"setuid does not count",
         "cp /usr/bin/id /tmp/s; chown 0 /tmp/s; chmod 4755 /tmp/s; chmod 755 /tmp; perl -e '$> = "
         "65534; exec \"/tmp/s\", \"-u\" if $>; print \"65534\\n\"'",
         "65534\n", NULL},
        {"memory by way of /proc",
         "sleep 9 & perl -e 'open(F, \"+<\", \"/proc/$ARGV[0]/mem\") or print $!+0, \"\\n\"' $!; "
         "kill $!",
         "30\n", NULL},
        {"a host's program",
         "gcc --version 2>/dev/null; echo $?; /usr/lib/postgresql/15/bin/psql 2>/dev/null; echo $?",
         "127\n127\n", NULL},
    };
    (void)state;
    cells_try(cells, sizeof cells / sizeof *cells, false);
}

/* Paths are resolved inside, whatever links the playbook lays for the harness. */
static void test_links_lead_nowhere(void **state)
{
    struct trial t;
    struct buf text;
    struct stat st;
    char secret[] = "/tmp/rehearse-secret-XXXXXX", script[256];
    (void)state;
    int fd = mkstemp(secret);
    assert_int_equal(write(fd, "secret\n", 7), 7);
    close(fd);
    cells_begin(&t);
    buf_init(&text, 1000);
    snprintf(script, sizeof script,
             "ln -s %s /tmp/a; ln -s /../../..%s /tmp/b; ln -s /proc/self/root/tmp /tmp/c; cat %s "
             "/tmp/a\n",
             secret, secret, secret);
    cells_run(&t, script);
    assert_null(strstr(t.out.at, "secret"));
    assert_int_equal(supervisor_load(t.supervisor, "", "/tmp/a", &text), -ENOENT);
    assert_int_equal(supervisor_load(t.supervisor, "", "/tmp/b", &text), -ENOENT);
    assert_int_equal(supervisor_load(t.supervisor, "", secret, &text), -ENOENT);
    assert_true(supervisor_load(t.supervisor, "", "/tmp/c/a", &text) < 0);
    assert_int_equal(supervisor_load(t.supervisor, "", "../../../../../../../etc/shadow", &text),
                     -ENOENT);
    assert_int_equal(supervisor_write(t.supervisor, "", "/tmp/a", "inside", 6, 0644),
                     0); /* through the link, to ours */
    assert_int_equal(supervisor_load(t.supervisor, "", secret, &text), 0);
    assert_string_equal(text.at, "inside");
    assert_int_equal(stat(secret, &st), 0);
    assert_int_equal(st.st_size, 7);
    buf_release(&text);
    trial_release(&t);
    unlink(secret);
}

static void test_inherited_descriptor(void **state)
{
    struct trial t;
    (void)state;
    int fd = open("/etc/passwd", O_RDONLY); /* not close-on-exec, as a careless program would */
    int high = dup2(fd, 77);
    cells_begin(&t);
    cells_run(&t, "cat <&77 2>/dev/null; echo $?; ls /proc/self/fd | wc -l\n");
    assert_string_equal(t.out.at, "1\n4\n");
    trial_release(&t);
    close(fd);
    close(high);
}

/* The 32-bit entry of the kernel has other numbers: 20 is getpid there. */
static void test_32_bit_call(void **state)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
        unsigned char code[32];
    } program = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                               EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_entry = 0x400000 + 120,
                   .e_phoff = 64,
                   .e_ehsize = 64,
                   .e_phentsize = 56,
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = 0x400000,
                    .p_filesz = 152,
                    .p_memsz = 152,
                    .p_align = 4096},
        /* mov eax, 20; int 0x80; mov edi, eax; neg edi; mov eax, 231; syscall */
        .code = {0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x89, 0xc7, 0xf7, 0xdf, 0xb8, 231, 0, 0, 0, 0x0f,
                 0x05},
    };
    struct sandbox_file file = {
        "", "/tmp/old", {(const char *)&program, sizeof program}, 0755, false, NULL, 0};
    struct trial t;
    (void)state;
    cells_begin(&t);
    t.spec.files = &file;
    t.spec.n_files = 1;
    cells_run(&t, "/tmp/old; echo $?\n");
    assert_string_equal(t.out.at, "38\n"); /* ENOSYS */
    assert_string_equal(t.observed.at, "escaped_command: a 32-bit system call\n");
    trial_release(&t);
}

/* ---- limits ---- */

static const char *run_limited(struct trial *t, const char *text)
{
    cells_run(t, text);
    return t->observed.at;
}

static void test_limits(void **state)
{
    struct trial t;
    (void)state;
    cells_begin(&t);
    t.spec.limits.tasks = 20;
    assert_string_equal(run_limited(&t, "bomb() { bomb | bomb & }\nbomb; sleep 5\n"),
                        "limit: tasks\n");
    assert_int_equal(t.result.end, END_LIMIT);
    trial_release(&t);

    cells_begin(&t);
    t.spec.limits.output_bytes = 1 << 20;
    assert_string_equal(run_limited(&t, "yes\n"), "limit: output\n");
    assert_int_equal(t.result.end, END_LIMIT);
    trial_release(&t);

    cells_begin(&t);
    t.spec.limits.disk_bytes = 4 << 20;
    assert_string_equal(run_limited(&t, "head -c 10000000 /dev/zero > /tmp/big; echo $?\n"),
                        "limit: disk\n");
    assert_int_equal(t.result.end, END_PROCEDURE);
    assert_string_equal(t.out.at, "1\n");
    trial_release(&t);

    cells_begin(&t);
    t.spec.limits.memory_bytes = 64 << 20;
    assert_non_null(strstr(
        run_limited(&t, "head -c 200000000 /dev/zero | tr '\\0' x | sort -S 1G > /dev/null\n"),
        "limit: memory\n"));
    trial_release(&t);

    cells_begin(&t);
    t.spec.limits.open_files = 512;
    assert_non_null(
        strstr(run_limited(&t, "for i in {1..600}; do exec {fd}</dev/null || break; done\n"),
               "limit: open_files\n"));
    trial_release(&t);

    cells_begin(&t);
    t.spec.limits.virtual_ns = INT64_C(60) * 1000000000;
    cells_run(&t, "sleep 30; echo a; sleep 40; echo b\n");
    assert_int_equal(t.result.end, END_HORIZON);
    assert_string_equal(t.out.at, "a\n");
    assert_int_equal(t.now_ns, INT64_C(60) * 1000000000);
    trial_release(&t);

    cells_begin(&t);
    t.spec.limits.cpu_ns = INT64_C(100) * 1000000;
    assert_string_equal(run_limited(&t, "perl -e '1 while 1'\n"), "limit: cpu\n");
    assert_int_equal(t.result.end, END_LIMIT);
    trial_release(&t);
}

/* A loop of programs that never waits comes to the end of virtual time all the same. */
static void test_busy_loop_ends(void **state)
{
    struct trial t;
    (void)state;
    cells_begin(&t);
    t.spec.limits.virtual_ns = INT64_C(300000000);
    cells_run(&t, "while true; do (exit 1); /bin/true; done\n");
    assert_int_equal(t.result.end, END_HORIZON);
    trial_release(&t);
    cells_begin(&t);
    t.interrupt_at_ns = INT64_C(900000000);
    cells_run(&t, "while true; do /bin/true; done; echo no\necho next\n");
    assert_string_equal(t.out.at, "next\n");
    trial_release(&t);
}

/* Nor does it matter which calls it makes, as long as they never wait. */
static void test_busy_calls_end(void **state)
{
    static const char *const loops[] = {
        "until read x < /tmp/never; do :; done 2>/dev/null\n",
        "while :; do echo x; done > /dev/null\n",
        "perl -e 'kill 0, $$ while 1'\n",
        "perl -e 'select(undef, undef, undef, 1e-6) while 1'\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        struct trial t;
        cells_begin(&t);
        t.spec.limits.virtual_ns = INT64_C(30000000);
        cells_run(&t, loops[i]);
        assert_int_equal(t.result.end, END_HORIZON);
        trial_release(&t);
    }
}

/* ---- nothing left behind ---- */

static int count_children(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    int n = 0, pid;
    while (file && fscanf(file, "%d", &pid) == 1)
        n++;
    if (file)
        fclose(file);
    return n;
}

static void test_close_leaves_nothing(void **state)
{
    struct trial t;
    (void)state;
    cells_begin(&t);
    cells_run(&t, "sleep 1000 & setsid sleep 2000 & (trap '' TERM HUP INT; sleep 3000) & true\n");
    trial_release(&t);
    assert_int_equal(count_children(), 0);
}

/* Processes whose command line holds the word. */
static int count_processes(const char *word)
{
    DIR *folder = opendir("/proc");
    int n = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[300], text[512];
        snprintf(path, sizeof path, "/proc/%.20s/cmdline", entry->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        for (ssize_t i = 0; i < len; i++)
            if (!text[i])
                text[i] = ' ';
        text[len > 0 ? len : 0] = '\0';
        n += strstr(text, word) != NULL;
    }
    closedir(folder);
    return n;
}

static int count_mounts(void)
{
    FILE *file = fopen("/proc/self/mounts", "r");
    int n = 0;
    for (int c; file && (c = fgetc(file)) != EOF;)
        n += c == '\n';
    if (file)
        fclose(file);
    return n;
}

/* kill -9 at different moments: while the sandbox is made, while programs start, while all wait. */
static void test_killed_harness_leaves_nothing(void **state)
{
    char word[64], text[256];
    const char *often = getenv("REHEARSE_KILLS");
    int times = often ? atoi(often) : 60; /* in each tier, as root and as an ordinary user */
    int mounts = count_mounts();
    uint64_t instant = 1;
    (void)state;
    snprintf(word, sizeof word, "987%d", (int)getpid());
    snprintf(text, sizeof text,
             "sleep %s & setsid sleep %s & for i in {1..200}; do /bin/true; done; read x\n", word,
             word);
    for (int i = 0; i < times; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct trial t;
            cells_begin(&t);
            t.interrupt_at_ns = INT64_MAX; /* a hang that never ends */
            (void)trial_run(&t, text);
            _exit(0);
        }
        instant = instant * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        usleep((useconds_t)((instant >> 33) % 40000));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    for (int patience = 0; patience < 200 && count_processes(word) > 0; patience++)
        usleep(10000); /* the kernel takes a moment to end a pid namespace */
    assert_int_equal(count_processes(word), 0);
    assert_int_equal(count_mounts(), mounts);
}

/* Some runners start their jobs so. */
static void test_harness_that_ignores_children(void **state)
{
    struct trial t;
    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    cells_begin(&t);
    cells_run(&t, "(sleep 1; echo a) & wait; echo b\n");
    assert_string_equal(t.out.at, "a\nb\n");
    trial_release(&t);
}

/* Without a way to seal there is no run. */
static void test_refuses(void **state)
{
    struct trial t;
    struct error why;
    (void)state;
    assert_int_equal(sandbox_probe(&why), TIER_NAMESPACES);
    assert_int_equal(count_children(), 0);
    cells_begin(&t);
    t.spec.tier = TIER_LANDLOCK + 1;
    assert_int_equal(trial_run(&t, "true\n"), ERROR_SEAL);
    assert_null(t.supervisor);
    trial_release(&t);
}

static int all(void)
{
    const struct CMUnitTest namespaces[] = {
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_host_sockets),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_shell_escapes),
        cmocka_unit_test(test_links_lead_nowhere),
        cmocka_unit_test(test_inherited_descriptor),
        cmocka_unit_test(test_32_bit_call),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_busy_loop_ends),
        cmocka_unit_test(test_busy_calls_end),
        cmocka_unit_test(test_close_leaves_nothing),
        cmocka_unit_test(test_killed_harness_leaves_nothing),
        cmocka_unit_test(test_harness_that_ignores_children),
        cmocka_unit_test(test_refuses),
    };
    const struct CMUnitTest landlock[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_links_lead_nowhere),
        cmocka_unit_test(test_inherited_descriptor),
        cmocka_unit_test(test_32_bit_call),
        cmocka_unit_test(test_close_leaves_nothing),
        cmocka_unit_test(test_killed_harness_leaves_nothing),
    };
    return trial_group(TIER_NAMESPACES, namespaces) + trial_group(TIER_LANDLOCK, landlock);
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
