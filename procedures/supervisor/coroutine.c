#include "procedures/supervisor/coroutine.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sim/base/xalloc.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBRES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBRES 1
#endif
#endif
#ifdef FIBRES
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define GUARD_SIZE 4096
#define STACK_SIZE (1024 * 1024) /* touched pages only cost anything */

struct coroutine {
    ucontext_t here, caller;
    void (*body)(void *);
    void *ctx;
    char *stack; /* the guard page lies below */
    bool ended;
    const void *caller_stack; /* for the address sanitizer */
    size_t caller_size;
    void *fake_here, *fake_caller;
    struct coroutine *next;
};

/* The sanitizer must be told of each change of stacks. */
static void leaving(void **save, const void *bottom, size_t size)
{
#ifdef FIBRES
    __sanitizer_start_switch_fiber(save, bottom, size);
#else
    (void)save, (void)bottom, (void)size;
#endif
}

static void arrived(void *saved, const void **bottom, size_t *size)
{
#ifdef FIBRES
    __sanitizer_finish_switch_fiber(saved, bottom, size);
#else
    (void)saved, (void)bottom, (void)size;
#endif
}

static void start(unsigned high, unsigned low)
{
    struct coroutine *c = (struct coroutine *)(uintptr_t)((uint64_t)high << 32 | low);
    arrived(NULL, &c->caller_stack, &c->caller_size);
    c->body(c->ctx);
    c->ended = true;
    leaving(NULL, c->caller_stack, c->caller_size); /* NULL: this stack is done with */
    (void)swapcontext(&c->here, &c->caller);
}

static struct coroutine *allocate(void)
{
    struct coroutine *c = xcalloc(1, sizeof *c);
    char *memory = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD_SIZE, PROT_NONE)) {
        perror("rehearse: no memory for a stack");
        exit(70);
    }
    c->stack = memory + GUARD_SIZE;
    return c;
}

/* Apart, because getcontext could return twice. */
static void prepare(struct coroutine *c)
{
    (void)getcontext(&c->here);
    c->here.uc_stack.ss_sp = c->stack;
    c->here.uc_stack.ss_size = STACK_SIZE;
    c->here.uc_link = NULL;
    uint64_t self = (uint64_t)(uintptr_t)c;
    makecontext(&c->here, (void (*)(void))start, 2, (unsigned)(self >> 32), (unsigned)self);
}

struct coroutine *coroutine_new(struct coroutine **pool, void (*body)(void *), void *ctx)
{
    struct coroutine *c = *pool ? *pool : allocate();
    *pool = c->next;
#ifdef FIBRES
    __asan_unpoison_memory_region(c->stack,
                                  STACK_SIZE); /* its last user may have been dropped midway */
#endif
    c->body = body;
    c->ctx = ctx;
    c->ended = false;
    c->next = NULL;
    c->fake_here = c->fake_caller = NULL;
    prepare(c);
    return c;
}

bool coroutine_resume(struct coroutine *c)
{
    leaving(&c->fake_caller, c->stack, STACK_SIZE);
    (void)swapcontext(&c->caller, &c->here);
    arrived(c->fake_caller, NULL, NULL);
    return !c->ended;
}

void coroutine_yield(struct coroutine *c)
{
    leaving(&c->fake_here, c->caller_stack, c->caller_size);
    (void)swapcontext(&c->here, &c->caller);
    arrived(c->fake_here, &c->caller_stack, &c->caller_size);
}

void coroutine_drop(struct coroutine **pool, struct coroutine *c)
{
    if (!c)
        return;
    c->next = *pool;
    *pool = c;
}

void coroutine_release_pool(struct coroutine **pool)
{
    while (*pool) {
        struct coroutine *c = *pool;
        *pool = c->next;
        (void)munmap(c->stack - GUARD_SIZE, GUARD_SIZE + STACK_SIZE);
        free(c);
    }
}
