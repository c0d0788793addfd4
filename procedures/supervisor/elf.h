/* elf: where the variables of a program lie. */
#ifndef REHEARSE_PROCEDURES_ELF_H
#define REHEARSE_PROCEDURES_ELF_H

#include <stdint.h>

#include "sim/base/error.h"

struct elf_symbol {
    const char *name;
    uint64_t at; /* address before relocation; 0: not found */
};

/* Looks the symbols up in the dynamic symbol table of a 64-bit ELF file. `*entry` is its entry
 * point. 0, or ERROR_SEAL if the file cannot be read; symbols not found keep at == 0. */
int elf_symbols(const char *path, struct elf_symbol *symbols, int n, uint64_t *entry,
                struct error *);

#endif
