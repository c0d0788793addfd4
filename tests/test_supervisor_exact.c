/* Exactness: threads, timers, waits of every kind keep their virtual timing; and racy scripts are
 * the same every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procedures/sandbox/programs.h"
#include "tests/trial.h"

static const char *const interpreters[] = {"python3", "perl", NULL};

static void run(struct trial *t, const char *text)
{
    trial_init(t);
    t->spec.programs = interpreters;
    assert_int_equal(trial_run(t, text), 0);
    buf_putc(&t->out, '\0');
    buf_putc(&t->err, '\0');
}

#define PYTHON_HEAD                                                                                \
    "cat > /tmp/t.py <<'X'\n"                                                                      \
    "import asyncio, os, queue, select, signal, subprocess, threading, time\n"                     \
    "t0 = time.monotonic()\n"                                                                      \
    "def at(*what): print(*what, round(time.monotonic() - t0, 1))\n"
#define PYTHON_TAIL "X\npython3 /tmp/t.py\n"

static const struct {
    const char *name, *text, *out;
    bool python;
} cases[] = {
    {"threads sleep side by side",
     PYTHON_HEAD "r = []\ndef f(n):\n  time.sleep(n); r.append(n)\n"
                 "ts = [threading.Thread(target=f, args=(n,)) for n in (3, 1, 2)]\n"
                 "[t.start() for t in ts]; [t.join() for t in ts]; at(r)\n" PYTHON_TAIL,
     "[1, 2, 3] 3.0\n", true},
    {"futex with time-out",
     PYTHON_HEAD "l = threading.Lock(); l.acquire(); at(l.acquire(timeout=4))\n"
                 "e = threading.Event(); threading.Timer(6, e.set).start(); at(e.wait(60))\n"
                 "try: queue.Queue().get(timeout=2)\n"
                 "except queue.Empty: at('empty')\n" PYTHON_TAIL,
     "False 4.0\nTrue 10.0\nempty 12.0\n", true},
    {"select, poll, epoll",
     PYTHON_HEAD "a, b = os.pipe()\nat(select.select([a], [], [], 5))\n"
                 "p = select.poll(); p.register(a, select.POLLIN); at(p.poll(1500))\n"
                 "e = select.epoll(); e.register(a, select.EPOLLIN); at(e.poll(2.5))\n"
                 "threading.Timer(3, lambda: os.write(b, b'x')).start()\n"
                 "at(select.select([a], [], [], 50)[0] == [a])\n" PYTHON_TAIL,
     "([], [], []) 5.0\n[] 6.5\n[] 9.0\nTrue 12.0\n", true},
    {"a child's time-out ends to the second",
     PYTHON_HEAD "p = subprocess.run(['sh', '-c', 'sleep 3; echo hi; sleep 1'], "
                 "capture_output=True, timeout=10); at(p.stdout)\n"
                 "try: subprocess.run('sleep 50', shell=True, capture_output=True, timeout=7)\n"
                 "except subprocess.TimeoutExpired: at('late')\n" PYTHON_TAIL,
     "b'hi\\n' 4.0\nlate 11.0\n", true},
    {"interval timer and signal waits",
     PYTHON_HEAD
     "signal.signal(signal.SIGALRM, lambda *a: at('alarm'))\n"
     "signal.setitimer(signal.ITIMER_REAL, 2, 3); signal.pause(); signal.pause()\n"
     "signal.setitimer(signal.ITIMER_REAL, 0); at(signal.sigtimedwait([signal.SIGUSR1], 8))\n"
     "signal.alarm(4); time.sleep(10); at('slept')\n" PYTHON_TAIL,
     "alarm 2.0\nalarm 5.0\nNone 13.0\nalarm 17.0\nslept 23.0\n", true},
    {"asyncio",
     PYTHON_HEAD
     "async def w(n): await asyncio.sleep(n); return n\n"
     "async def m(): at(await asyncio.gather(w(3), w(1), w(2)))\nasyncio.run(m())\n" PYTHON_TAIL,
     "[3, 1, 2] 3.0\n", true},
    {"pseudo-terminals",
     PYTHON_HEAD "import pty\nm, s = pty.openpty(); at(os.ttyname(s), os.isatty(s)); os.close(m); "
                 "os.close(s)\npid, fd = pty.fork()\n"
                 "if pid == 0: os.execvp('sh', ['sh', '-c', 'tty; sleep 3; read -p \"Password: \" "
                 "x; echo got $x; kill -INT 0'])\n"
                 "out = b''\nwhile True:\n  try: b = os.read(fd, 1000)\n  except OSError: break\n"
                 "  if b'Password' in b: time.sleep(2); os.write(fd, b'secret\\n')\n  out += b\n"
                 "at(out, os.waitpid(pid, 0)[1])\n" PYTHON_TAIL
                 "script -qc 'tty; sleep 2; date +%T' /tmp/s; grep -c Script /tmp/s\n",
     "/dev/pts/0 True 0.0\nb'/dev/pts/0\\r\\nPassword: secret\\r\\ngot secret\\r\\n' 2 "
     "5.0\n/dev/pts/0\r\n14:30:07\r\n2\n",
     true},
    {"waits with an absolute end",
     PYTHON_HEAD "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nclass T(ctypes.Structure): "
                 "_fields_ = [('s', ctypes.c_long), ('n', ctypes.c_long)]\n"
                 "now = time.clock_gettime(0); c.clock_nanosleep(0, 1, ctypes.byref(T(int(now) + "
                 "9, 0)), None); at('slept')\n"
                 "q = ctypes.create_string_buffer(16); q.raw = b'\\0' * 16; i = c.semget(0, 1, "
                 "0o1600); print(i >= 0)\n"
                 "print(c.semtimedop(i, b'\\0\\0\\xff\\xff\\0\\0', 1, ctypes.byref(T(4, 0))), "
                 "ctypes.get_errno() == 11); at('timed')\n" PYTHON_TAIL,
     "slept 9.0\nTrue\n-1 True\ntimed 13.0\n", true},
    {"timerfd",
     "perl -e '$fd = syscall(283, 1, 0); $x = pack(\"qqqq\", 2, 0, 3, 0); syscall(286, $fd, 0, $x, "
     "0);\n"
     "open(F, \"<&=\", $fd); for (1..3) { sysread(F, $b, 8); print unpack(\"Q\", $b), \" \", time "
     "- $^T, \"\\n\" }\n"
     "sleep 4; sysread(F, $b, 8); print unpack(\"Q\", $b), \" \", time - $^T, \"\\n\"'\n",
     "1 3\n1 5\n1 7\n2 11\n", false},
    {"posix timer",
     "perl -e '$SIG{ALRM} = sub { print \"alarm \", time - $^T, \"\\n\" }; $id = pack(\"i\", 0);\n"
     "syscall(222, 1, 0, $id); $i = unpack(\"i\", $id); $x = pack(\"qqqq\", 5, 0, 2, 0);\n"
     "syscall(223, $i, 0, $x, 0); sleep 60; sleep 60'\n",
     "alarm 2\nalarm 7\n", false},
    {"inotify",
     "(sleep 3; echo x >> /tmp/w) & perl -e 'open(T, \">\", \"/tmp/w\"); $p = \"/tmp/w\"; $fd = "
     "syscall(294, 0);\n"
     "syscall(254, $fd, $p, 2); open(F, \"<&=\", $fd); sysread(F, $b, 100); print length $b, \" "
     "\", time - $^T, \"\\n\"'\n",
     "16 3\n", false},
    {"loopback sockets",
     "perl -MIO::Socket -e '$s = IO::Socket::INET->new(LocalAddr => \"127.0.0.1:8080\", Listen => "
     "1, ReuseAddr => 1);\n"
     "if (!fork) { sleep 2; $c = IO::Socket::INET->new(\"127.0.0.1:8080\"); sleep 3; print $c "
     "\"hello\\n\"; exit }\n"
     "$a = $s->accept; print time - $^T, \"\\n\"; print scalar(<$a>), time - $^T, \"\\n\"'\n",
     "2\nhello\n5\n", false},
    {"lock of a region",
     "perl -e 'use Fcntl; open(F, \"+>\", \"/tmp/k\"); $l = pack(\"s s l! l! i\", F_WRLCK, 0, 0, "
     "0, 0);\n"
     "if (!fork) { fcntl(F, F_SETLKW, $l); sleep 5; exit } sleep 1; fcntl(F, F_SETLKW, $l) or die; "
     "print time - $^T, \"\\n\"'\n",
     "5\n", false},
    {"uptime", "sleep 60; read up idle < /proc/uptime; echo $up; uptime -s; ps -o etimes= -p $$\n",
     "1060.00\n2026-01-15 14:13:20\n     60\n", false},
    {"git",
     "git init -q r 2>/dev/null; cd r; git config user.email a@b; git config user.name n; echo 1 > "
     "f; git add f\n"
     "git commit -qm one; git tag v1; sleep 60; echo 2 > f; git commit -qam two; git clone -q . "
     "../r2; cd ../r2; git fetch -q --tags\n"
     "git log --format='%ad %s' --date=format:%T; git checkout -q v1; cat f; git rev-parse HEAD\n",
     "14:31:00 two\n14:30:00 one\n1\n1cf5f4013b694b690a886882fb2779ac162624ef\n", false},
    {"times of folders",
     "now() { stat -c %y \"$@\" | cut -c18-19 | tr '\\n' ' '; }\nmkdir -p d/e; sleep 10; touch "
     "d/x; now d d/e; sleep 10\n"
     "ln -s x d/e/l; now d d/e d/e/l; sleep 10; mv d/x d/e/y; now d d/e d/e/y; cd d/e; sleep 10; "
     "rm ../e/y; now . ..; sleep 10\n"
     "mkdir ../f ../f/g; now .. ../f; ln -s nowhere n; sleep 5; echo x > n; now n nowhere .; "
     "echo\n",
     "10 00 10 20 20 30 30 10 40 30 50 50 50 55 55 \n", false},
    {"a stopped sleeper sleeps on",
     "sleep 10 & p=$!; sleep 1; kill -STOP $p; sleep 3; kill -CONT $p; wait $p; date +%S\n", "10\n",
     false},
    {"the same seed, the same chance",
     "head -c 8 /dev/urandom | od -An -tx1; echo $RANDOM $(mktemp -u) $(shuf -n3 -i 1-1000 | tr "
     "'\\n' ' '); echo $$ $BASHPID\n",
     NULL, false},
};

static void test_cases(void **state)
{
    char path[128];
    bool python = program_find("python3", path, sizeof path),
         perl = program_find("perl", path, sizeof path);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial t;
        if ((cases[i].python && !python) || !perl)
            continue;
        if (trial_tier == TIER_LANDLOCK &&
            (strstr(cases[i].text, "INET") || strstr(cases[i].text, "pty") ||
             strstr(cases[i].text, "semget")))
            continue; /* there is no network, terminal or semaphore of its own */
        run(&t, cases[i].text);
        if (cases[i].out && strcmp(t.out.at, cases[i].out) != 0)
            print_error("case '%s', stderr: %s\n", cases[i].name, t.err.at);
        if (cases[i].out)
            assert_string_equal(t.out.at, cases[i].out);
        trial_release(&t);
    }
}

/* ---- every run is the same ---- */

static const char racy[] =
    "for i in 1 2 3 4 5 6; do (for j in 1 2 3; do echo \"job $i.$j $BASHPID $RANDOM\"; sleep 0.$i; "
    "done) & done; wait\n"
    "for i in 1 2 3 4; do (echo \"race $i a\"; echo \"race $i b\"; /bin/echo \"race $i c\") & "
    "done; wait\n"
    "(while read x; do echo got $x; [ -f /tmp/flag ] && echo flag; done) < <(echo a; touch "
    "/tmp/flag; echo b; rm /tmp/flag; echo c)\n"
    "for i in 1 2 3; do echo $i; /bin/echo e$i >&2; done 2>&1 | cat -n\n"
    "seq 1 20000 | sort -R | head -3; (echo x; echo y >&2) | cat -n\n"
    "seq 100000 | tee >(wc -l) >(md5sum) | tail -1; sleep 1\n"
    "yes | head -c 300000 | tee /tmp/t | wc -c; ls -l --time-sort --full-time /tmp | tail -n +2\n"
    "mktemp; head -c 4 /dev/urandom | od -An -tx1; ps -ef; cat /proc/uptime; date +%T.%N; stat "
    "/tmp/t\n"
    "logs | (sleep 3; head -3) & logs | grep -m2 4 & up < /etc/hosts & wait\n"
    "time sleep 1\n";

static const char threaded[] = PYTHON_HEAD
    "out, lock = [], threading.Lock()\n"
    "def work(n):\n  for i in range(4):\n    time.sleep(0.01 * (n % 3))\n    with lock: "
    "out.append((n, i, threading.get_ident() % 97))\n"
    "ts = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n[t.start() for t in ts]; "
    "[t.join() for t in ts]\n"
    "print(out)\nps = [subprocess.Popen(['sh', '-c', f'echo {n} $$ $PPID; kill -STOP $$; echo on "
    "{n}']) for n in range(4)]\n"
    "time.sleep(0.5); [p.send_signal(signal.SIGCONT) for p in ps]; [p.wait() for p in ps]\n"
    "print(os.urandom(4), hash('x'), id(out) % 4096, time.time(), os.times(), "
    "list(os.scandir('/opt/app')))\n" PYTHON_TAIL;

static const char networked[] =
    "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => \"127.0.0.1:0\", Listen "
    "=> 9); $p = $s->sockport;\n"
    "for $n (1 .. 4) { if (!fork) { $c = IO::Socket::INET->new(\"127.0.0.1:$p\"); for (1 .. 3) { "
    "print $c \"$n.$_\\n\"; $c->flush;\n"
    "  select(undef, undef, undef, 0.01 * ($n % 2)) } exit } }\n"
    "for (1 .. 4) { $a = $s->accept; print $a->peerport, \" \", $_ while <$a> } wait for 1 .. 4; "
    "print time, \"\\n\"'\n"
    "perl -MIO::Socket -e 'socketpair(A, B, 1, 1, 0); if (!fork) { close A; print B \"x\" x "
    "300000; exit } close B; $n += $r while $r = sysread(A, $b, 9999);\n"
    "print \"$n\\n\"'\n";

static const char on_terminals[] =
    "for i in 1 2 3; do script -qc \"tty; for j in 1 2 3; do echo $i.\\$j; sleep 0.\\$j; done\" "
    "/tmp/s$i & done; wait; cat /tmp/s?\n";

static void compare(const struct trial *a, const struct trial *b)
{
    assert_string_equal(a->out.at, b->out.at);
    assert_string_equal(a->err.at, b->err.at);
    assert_int_equal(a->now_ns, b->now_ns);
}

/* Sanitizers are slow, and find what they find the first time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_UNDEFINED__)
#define RUNS 5
#else
#define RUNS 50
#endif

static void same_each_time(const char *text, const char *holds, int times)
{
    struct trial first;
    run(&first, text);
    if (!strstr(first.out.at, holds))
        print_error("out '%s' err '%s'\n", first.out.at, first.err.at);
    assert_non_null(strstr(first.out.at, holds));
    for (int i = 0; i < times; i++) {
        struct trial again;
        run(&again, text);
        compare(&first, &again);
        trial_release(&again);
    }
    trial_release(&first);
}

static void test_every_run_is_the_same(void **state)
{
    char path[128];
    const char *often = getenv("REHEARSE_RUNS");
    int times = often ? atoi(often) : RUNS;
    pid_t load[2];
    (void)state;
    for (int i = 0; i < 2; i++)
        if ((load[i] = fork()) == 0) {
            (void)prctl(PR_SET_PDEATHSIG,
                        SIGKILL); /* also where a failed assertion ends the test first */
            (void)!nice(often ? 0 : 10);
            for (;;)
                continue;
        }
    same_each_time(racy, "race 4 c", times);
    if (program_find("perl", path, sizeof path))
        same_each_time(networked, "4.3\n", times);
    if (program_find("python3", path, sizeof path))
        same_each_time(threaded, "on 3", times);
    if (program_find("script", path, sizeof path))
        same_each_time(on_terminals, "3.3", times);
    for (int i = 0; i < 2; i++) {
        kill(load[i], SIGKILL);
        waitpid(load[i], NULL, 0);
    }
}

static void test_another_seed_differs(void **state)
{
    struct trial a, b;
    (void)state;
    run(&a, "head -c 16 /dev/urandom | od -An -tx1; mktemp -u\n");
    trial_init(&b);
    b.spec.seed = 2;
    assert_int_equal(trial_run(&b, "head -c 16 /dev/urandom | od -An -tx1; mktemp -u\n"), 0);
    buf_putc(&b.out, '\0');
    assert_string_not_equal(a.out.at, b.out.at);
    trial_release(&a);
    trial_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_run_is_the_same),
        cmocka_unit_test(test_another_seed_differs),
    };
    const struct CMUnitTest timing[] = {cmocka_unit_test(test_cases)};
    return trial_group(TIER_NAMESPACES, tests) + trial_group(TIER_LANDLOCK, timing);
}
