#include "procedures/supervisor/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/str.h"

static const void *part(struct str file, uint64_t at, uint64_t size)
{
    return at <= file.len && size <= file.len - at ? file.at + at : NULL;
}

static void match(struct str file, const Elf64_Shdr *table, const Elf64_Shdr *strings,
                  struct elf_symbol *symbols, int n)
{
    const Elf64_Sym *entries = part(file, table->sh_offset, table->sh_size);
    const char *names = part(file, strings->sh_offset, strings->sh_size);
    if (!entries || !names || strings->sh_size == 0 || names[strings->sh_size - 1] != '\0')
        return;
    for (size_t i = 0; i < table->sh_size / sizeof *entries; i++) {
        if (entries[i].st_name >= strings->sh_size || entries[i].st_shndx == SHN_UNDEF)
            continue;
        for (int k = 0; k < n; k++)
            if (strcmp(names + entries[i].st_name, symbols[k].name) == 0)
                symbols[k].at = entries[i].st_value;
    }
}

static struct str map_file(const char *path)
{
    struct str file = {NULL, 0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED)
            file = (struct str){at, (size_t)st.st_size};
    }
    close(fd);
    return file;
}

int elf_symbols(const char *path, struct elf_symbol *symbols, int n, uint64_t *entry,
                struct error *error)
{
    struct str file = map_file(path);
    const Elf64_Ehdr *header = part(file, 0, sizeof *header);
    const Elf64_Shdr *sections = NULL;
    if (header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
        header->e_ident[EI_CLASS] == ELFCLASS64)
        sections = part(file, header->e_shoff, (uint64_t)header->e_shnum * sizeof *sections);
    if (sections) {
        *entry = header->e_entry;
        for (int i = 0; i < header->e_shnum; i++)
            if (sections[i].sh_type == SHT_DYNSYM && sections[i].sh_link < header->e_shnum)
                match(file, &sections[i], &sections[sections[i].sh_link], symbols, n);
    }
    if (file.at)
        (void)munmap((void *)(uintptr_t)file.at, file.len);
    return sections ? 0 : error_set(error, ERROR_SEAL, "cannot read the symbols of '%s'", path);
}
