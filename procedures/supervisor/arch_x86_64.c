#include "procedures/supervisor/arch.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "procedures/sandbox/filter.h"

_Static_assert(FILTER_HYPERCALL == 1000, "the shim's code below says 1000");

/* The whole shim: ask what to do, do it, tell the result, ask again. */
__asm__(".pushsection .rodata\n"
        ".globl rehearse_shim_code, rehearse_shim_code_end\n"
        "rehearse_shim_code:\n"
        "    xorl %edi, %edi\n"
        "1:  movl $1000, %eax\n"
        "    syscall\n"
        "    movq %rax, %rdi\n"
        "    jmp 1b\n"
        "rehearse_shim_code_end:\n"
        ".popsection\n");
extern const unsigned char rehearse_shim_code[], rehearse_shim_code_end[];

struct shim_file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    unsigned char code[64];
};

const unsigned char *arch_shim(size_t *size)
{
    static struct shim_file file;
    size_t code_size = (size_t)(rehearse_shim_code_end - rehearse_shim_code);
    uint64_t entry = SHIM_CODE + offsetof(struct shim_file, code);
    file = (struct shim_file){.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                                                     ELFDATA2LSB, EV_CURRENT},
                                         .e_type = ET_EXEC,
                                         .e_machine = EM_X86_64,
                                         .e_version = EV_CURRENT,
                                         .e_entry = entry,
                                         .e_phoff = offsetof(struct shim_file, segments),
                                         .e_ehsize = sizeof(Elf64_Ehdr),
                                         .e_phentsize = sizeof(Elf64_Phdr),
                                         .e_phnum = 3},
                              .segments = {{.p_type = PT_LOAD,
                                            .p_flags = PF_R | PF_X,
                                            .p_vaddr = SHIM_CODE,
                                            .p_paddr = SHIM_CODE,
                                            .p_filesz = sizeof file,
                                            .p_memsz = sizeof file,
                                            .p_align = 4096},
                                           {.p_type = PT_LOAD,
                                            .p_flags = PF_R | PF_W,
                                            .p_vaddr = SHIM_BUFFER,
                                            .p_paddr = SHIM_BUFFER,
                                            .p_memsz = SHIM_BUFFER_SIZE,
                                            .p_align = 4096},
                                           {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W}}};
    memcpy(file.code, rehearse_shim_code, code_size);
    *size = sizeof file;
    return (const unsigned char *)&file;
}

bool arch_get(pid_t pid, struct registers *registers)
{
    return ptrace(PTRACE_GETREGS, pid, 0, &registers->raw) == 0;
}

bool arch_set(pid_t pid, const struct registers *registers)
{
    return ptrace(PTRACE_SETREGS, pid, 0, &registers->raw) == 0;
}

long arch_number(const struct registers *r)
{
    return (long)r->raw.orig_rax;
}

void arch_set_number(struct registers *r, long number)
{
    r->raw.orig_rax = (unsigned long long)number;
}

uint64_t arch_argument(const struct registers *r, int index)
{
    const unsigned long long values[] = {r->raw.rdi, r->raw.rsi, r->raw.rdx,
                                         r->raw.r10, r->raw.r8,  r->raw.r9};
    return values[index];
}

void arch_set_argument(struct registers *r, int index, uint64_t value)
{
    unsigned long long *places[] = {&r->raw.rdi, &r->raw.rsi, &r->raw.rdx,
                                    &r->raw.r10, &r->raw.r8,  &r->raw.r9};
    *places[index] = value;
}

void arch_skip(struct registers *r, long result)
{
    r->raw.orig_rax = (unsigned long long)-1;
    r->raw.rax = (unsigned long long)result;
}

long arch_result(const struct registers *r)
{
    return (long)r->raw.rax;
}

void arch_set_result(struct registers *r, long result)
{
    r->raw.rax = (unsigned long long)result;
    r->raw.orig_rax = (unsigned long long)-1; /* the kernel must not restart it by itself */
}

void arch_again(struct registers *r, long number)
{
    r->raw.rax = (unsigned long long)number;
    r->raw.orig_rax = (unsigned long long)-1;
    r->raw.rip -= 2; /* onto the syscall instruction */
}

uint64_t arch_stack(const struct registers *r)
{
    return r->raw.rsp;
}

uint64_t arch_ip(const struct registers *r)
{
    return r->raw.rip;
}

uint64_t arch_scratch(const struct registers *r, size_t size)
{
    return (r->raw.rsp - 128 - size) & ~UINT64_C(15); /* below the red zone */
}

bool arch_answer_counter(struct registers *r, const unsigned char code[3], uint64_t value)
{
    bool plain = code[0] == 0x0f && code[1] == 0x31,
         with_id = code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xf9;
    if (!plain && !with_id)
        return false;
    r->raw.rax = value & UINT32_MAX; /* rdtsc, rdtscp */
    r->raw.rdx = value >> 32;
    if (with_id)
        r->raw.rcx = 0; /* the processor's number */
    r->raw.rip += with_id ? 3 : 2;
    return true;
}

const char *arch_call_name(long number, char text[32])
{
    static const struct {
        long number;
        const char *name;
    } names[] = {
#define NAME(call) {SYS_##call, #call}
        NAME(read),
        NAME(write),
        NAME(readv),
        NAME(writev),
        NAME(open),
        NAME(openat),
        NAME(poll),
        NAME(ppoll),
        NAME(select),
        NAME(pselect6),
        NAME(epoll_wait),
        NAME(epoll_pwait),
        NAME(wait4),
        NAME(waitid),
        NAME(futex),
        NAME(flock),
        NAME(fcntl),
        NAME(nanosleep),
        NAME(clock_nanosleep),
        NAME(pause),
        NAME(rt_sigsuspend),
        NAME(rt_sigtimedwait),
        NAME(connect),
        NAME(accept),
        NAME(accept4),
        NAME(recvfrom),
        NAME(recvmsg),
        NAME(sendto),
        NAME(sendmsg),
        NAME(socket),
        NAME(ptrace),
        NAME(process_vm_readv),
        NAME(process_vm_writev),
        NAME(kexec_load),
        NAME(kexec_file_load),
        NAME(bpf),
        NAME(perf_event_open),
        NAME(userfaultfd),
        NAME(io_uring_setup),
        NAME(io_uring_enter),
        NAME(io_uring_register),
        NAME(keyctl),
        NAME(add_key),
        NAME(request_key),
        NAME(mount),
        NAME(umount2),
        NAME(pivot_root),
        NAME(setns),
        NAME(unshare),
        NAME(clone),
        NAME(clone3),
        NAME(fsopen),
        NAME(fsmount),
        NAME(fsconfig),
        NAME(open_tree),
        NAME(move_mount),
        NAME(mount_setattr),
        NAME(chroot),
        NAME(init_module),
        NAME(finit_module),
        NAME(delete_module),
        NAME(reboot),
        NAME(swapon),
        NAME(swapoff),
        NAME(sethostname),
        NAME(setdomainname),
        NAME(settimeofday),
        NAME(clock_settime),
        NAME(adjtimex),
        NAME(clock_adjtime),
        NAME(acct),
        NAME(quotactl),
        NAME(syslog),
        NAME(iopl),
        NAME(ioperm),
        NAME(seccomp),
        NAME(prctl),
        NAME(personality),
        NAME(ioctl),
        NAME(open_by_handle_at),
        NAME(name_to_handle_at),
        NAME(pidfd_getfd),
        NAME(process_madvise),
        NAME(mknod),
        NAME(mknodat),
        NAME(lookup_dcookie),
        NAME(fanotify_init),
        NAME(kcmp),
        NAME(modify_ldt),
        NAME(vhangup),
        NAME(memfd_secret),
        NAME(landlock_create_ruleset),
        NAME(sendmmsg),
        NAME(recvmmsg)
#undef NAME
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(text, 32, "system call %ld", number);
    return text;
}
