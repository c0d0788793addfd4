/* What a playbook can learn of the machine it is rehearsed on: nothing that differs between two
 * machines or two moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "procedures/sandbox/programs.h"
#include "tests/cells.h"

/* A program that writes the processor's counter (rdtsc), 8 bytes. */
static const struct {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    unsigned char code[48];
} counter = {
    .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
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
                .p_filesz = 168,
                .p_memsz = 168,
                .p_align = 4096},
    /* rdtsc; shl rdx, 32; or rax, rdx; push rax; write(1, rsp, 8); exit(0) */
    .code = {0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0, 0x50, 0xb8, 1,    0,
             0,    0,    0xbf, 1,    0,    0,    0,    0x48, 0x89, 0xe6, 0xba, 8,    0,
             0,    0,    0x0f, 0x05, 0xb8, 60,   0,    0,    0,    0x31, 0xff, 0x0f, 0x05},
};

static const struct {
    const char *name, *text, *out;
} cases[] = {
    {"time by single bytes", "sleep 60; sh -c 'read up idle < /proc/uptime; echo ${up%.*}'\n",
     "1060\n"},
    {"time by position",
     "sleep 60; perl -e 'open(F, \"<\", \"/proc/uptime\"); $b = \"x\" x 4; syscall(17, fileno(F), "
     "$b, 4, 0); print \"$b\\n\"'\n",
     "1060\n"},
    {"time by vector",
     "sleep 60; perl -e 'open(F, \"<\", \"/proc/uptime\"); $b = \"x\" x 4; $v = pack(\"P Q\", $b, "
     "4); syscall(19, fileno(F), $v, 1);\n"
     "print \"$b\\n\"'\n",
     "1060\n"},
    {"time from file to file",
     "sleep 60; perl -e 'open(F, \"<\", \"/proc/uptime\"); open(T, \">\", \"/tmp/t\"); print "
     "syscall(40, fileno(T), fileno(F), 0, 9), $!+0, \"\\n\"'\n",
     "-122\n"},
    {"the processor's counter",
     "a=$(/tmp/counter | od -An -td8); sleep 5; b=$(/tmp/counter | od -An -td8); echo $(((b - a) / "
     "1000000000))\n",
     "5\n"},
    {"times of change",
     "sleep 90; touch x; perl -e '@s = stat \"x\"; print $s[10] - $s[9], \" \", $s[10] - "
     "1768487400, \"\\n\"'\n"
     "find . -cmin -1 | sort; sleep 600; find . -cmin -5; find . -name x -cmin +9\n",
     "0 90\n.\n./x\n./x\n"},
    {"times of what the kernel makes",
     "stat -c %y / /proc /proc/self /dev/null /dev/fd /bin | cut -c1-16 | sort -u; stat -Lc '%y "
     "%i' /dev/stdin | cut -c1-16\n",
     "2026-01-15 14:30\n2026-01-15 14:30\n"},
    {"pipes", "readlink /proc/self/fd/1 /proc/self/fd/2; readlink /proc/self/fd/1 | cat\n",
     "pipe:[1000]\npipe:[1001]\npipe:[1002]\n"},
    {"the kernel",
     "cat /proc/sys/kernel/osrelease; uname -r; cat /proc/sys/kernel/hostname; cat "
     "/proc/self/cgroup /proc/self/oom_score_adj\n"
     "for f in interrupts kallsyms slabinfo net/tcp sys/kernel/random/no sys/fs/dentry-state "
     "self/sched; do cat /proc/$f 2>/dev/null && echo $f; done\n",
     "6.1.0-rehearse-amd64\n6.1.0-rehearse-amd64\nops\n0::/\n0\n"},
    {"limits of a process",
     "ulimit -c -n -u -i | awk '{print $NF}' | tr '\\n' ' '; ulimit -c unlimited; ulimit -c; "
     "nproc; cat /proc/self/statm\n",
     "0 1024 4096 4096 0\n1\n1024 1024 512 64 0 256 0\n"},
    {"a core dump",
     "cd /tmp; ulimit -c unlimited; bash -c 'kill -SEGV $$' 2>/dev/null; echo $?; ls\n",
     "139\ncounter\n"},
    {"file systems", "stat -f -c '%T %b' / /usr/lib/x86_64-linux-gnu /dev/shm | sort -u\n",
     "tmpfs 131072\n"},
};

static void begin(struct trial *t)
{
    static struct sandbox_file file = {
        "", "/tmp/counter", {(const char *)&counter, sizeof counter}, 0755, false, NULL, 0};
    static struct sandbox_file files[4];
    cells_begin(t);
    for (int i = 0; i < t->spec.n_files; i++)
        files[i] = t->spec.files[i];
    files[t->spec.n_files++] = file;
    t->spec.files = files;
}

static void test_cases(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial t;
        begin(&t);
        cells_run(&t, cases[i].text);
        if (strcmp(t.out.at, cases[i].out) != 0) {
            print_error("%s (%s): out '%s' err '%s'\n", cases[i].name, tier_names[trial_tier],
                        t.out.at, t.err.at);
            wrong++;
        }
        trial_release(&t);
    }
    assert_int_equal(wrong, 0);
}

/* Ports that the kernel would draw. */
static void test_ports(void **state)
{
    struct trial t;
    (void)state;
    begin(&t);
    cells_run(&t, "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "
                  "\"127.0.0.1:0\", Listen => 1); print $s->sockport, \"\\n\";\n"
                  "$c = IO::Socket::INET->new(\"127.0.0.1:\" . $s->sockport); $a = $s->accept; "
                  "print $a->peerport, \"\\n\";\n"
                  "$u = IO::Socket::INET->new(Proto => \"udp\", LocalAddr => \"127.0.0.1:0\"); "
                  "socket(V, 2, 2, 0); send(V, \"x\", 0, $u->sockname);\n"
                  "$u->recv($x, 9); print $u->sockport, \" \", $u->peerport, \"\\n\"'\n");
    assert_string_equal(t.out.at, "32768\n32769\n32770 32771\n");
    trial_release(&t);
}

/* Everything that a curious program would look at. */
static const char curious[] =
    "ls -la --full-time / /dev /etc /tmp /usr/bin /var /proc/self/fd | grep -v python\n"
    "stat / /dev /tmp /etc/hosts /proc /etc/mtab /bin /proc/self/fd/0 /dev/null\n"
    "find / -xdev -path '*/usr/lib' -prune -o -printf '%p %s %T@ %C@ %A@ %i %n\\n'\n"
    "for f in $(find /proc -maxdepth 1 -type f | sort); do echo \"== $f\"; head -c 3000 $f 2>&1; "
    "done\n"
    "find /proc/sys -type f -name '[a-m]*' | sort | xargs head -c 300 2>&1 | grep -v -e '^$' -e "
    "Permission | sort\n"
    "for f in $(ls -p /proc/self | grep -v /); do echo \"== $f\"; head -c 2000 /proc/self/$f 2>&1; "
    "done\n"
    "cat /proc/self/task/*/stat /proc/self/net/* 2>&1; ulimit -a; ulimit -Ha; ps -ef; ls /proc | "
    "grep [0-9]\n"
    "cat /proc/sys/kernel/random/uuid; head -c1 /dev/urandom | od -An -tx1; od -N4 -An -tx1 "
    "/dev/random\n"
    "dd if=/dev/urandom bs=1 count=4 2>/dev/null | od -An -tx1; sh -c 'read x < "
    "/proc/sys/kernel/random/uuid; echo $x'\n"
    "perl -e 'open(R, \"<:raw\", \"/dev/urandom\"); for (1 .. 4) { sysread(R, $b, 1); print ord "
    "$b, \" \" } print rand, \" \", join(\" \", times), \"\\n\"'\n"
    "perl -e 'print join(\" \", stat $_), \"\\n\" for </etc/* /tmp/*>'; mktemp -u; echo $RANDOM $$ "
    "$PPID $BASHPID; sleep 1 & echo $!\n";

static void assert_same(const char *a, const char *b)
{
    size_t at = 0, line = 0;
    while (a[at] && a[at] == b[at]) {
        at++;
        if (a[at - 1] == '\n')
            line = at;
    }
    if (a[at] != b[at])
        print_error("(%s) first '%.300s'\nthen '%.300s'\n", tier_names[trial_tier], a + line,
                    b + line);
    assert_true(a[at] == b[at]);
}

static void test_nothing_changes(void **state)
{
    struct trial first, second;
    char today[32];
    time_t now = time(NULL);
    (void)state;
    begin(&first);
    cells_run(&first, curious);
    usleep(1100000); /* the clocks of the host go on */
    begin(&second);
    cells_run(&second, curious);
    assert_same(first.out.at, second.out.at);
    assert_same(first.err.at, second.err.at);
    strftime(today, sizeof today, "%Y-%m-%d", gmtime(&now));
    assert_null(strstr(first.out.at, today));
    assert_non_null(strstr(first.out.at, "2026-01-15 14:30:00"));
    trial_release(&first);
    trial_release(&second);
}

static int all(void)
{
    const struct CMUnitTest namespaces[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_nothing_changes),
    };
    const struct CMUnitTest landlock[] = {
        cmocka_unit_test(test_cases),
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
