/* arch: all that is particular to one processor.
 *
 * The registers of a stopped task, the auxiliary vector, and the shim: the program that stands
 * under every fake command's name. The shim is a puppet. It does nothing but call SHIM_CALL, over
 * and over; the supervisor answers by putting another system call into its registers, which the
 * kernel then executes in the shim's place (with its descriptors, folder and rights); the result
 * comes back as the first argument of the next SHIM_CALL.
 */
#ifndef REHEARSE_PROCEDURES_ARCH_H
#define REHEARSE_PROCEDURES_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

struct registers {
    struct user_regs_struct raw;
};

/* Of a ptrace-stopped task. False: it died meanwhile. */
bool arch_get(pid_t, struct registers *);
bool arch_set(pid_t, const struct registers *);

/* At a system call's entry. */
long arch_number(const struct registers *);
void arch_set_number(struct registers *, long number);
uint64_t arch_argument(const struct registers *, int index); /* 0 to 5 */
void arch_set_argument(struct registers *, int index, uint64_t value);
/* The call is not executed; its caller sees `result`. */
void arch_skip(struct registers *, long result);

/* At its exit. */
long arch_result(const struct registers *);
void arch_set_result(struct registers *, long result);
/* Makes the caller call `number` again with the arguments that the registers hold. */
void arch_again(struct registers *, long number);

uint64_t arch_stack(const struct registers *);
uint64_t arch_ip(const struct registers *);
/* Memory below the stack that the task does not use at the moment of a call. */
uint64_t arch_scratch(const struct registers *, size_t size);
/* If the instruction is one that reads the processor's counter: gives it that value and goes on
 * behind it. */
bool arch_answer_counter(struct registers *, const unsigned char code[3], uint64_t value);
/* Stack at the first instruction of a program: argc, argv, envp and the auxiliary vector lie there.
 */

/* The ELF file. */
extern const unsigned char *arch_shim(size_t *size);
#define SHIM_CODE        UINT64_C(0x10000000) /* where it is loaded; also its entry point */
#define SHIM_BUFFER      UINT64_C(0x20000000) /* its memory for data */
#define SHIM_BUFFER_SIZE (256 * 1024)

/* Name of a system call for people: "openat"; "call 999" if it has none. `text` holds 32 bytes. */
const char *arch_call_name(long number, char text[32]);

#endif
