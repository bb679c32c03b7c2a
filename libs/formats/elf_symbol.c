// SPDX-License-Identifier: Apache-2.0
// Looks up an address in the symbol table of an untrusted ELF64 program (System V ABI, chapters
// "Sections" and "Symbol table").
#include <stdbool.h>

#include <lib/elf.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/string.h>

// ELF header
#define EH_SHOFF 40
#define EH_SHENTSIZE 58
#define EH_SHNUM 60

// Section header
#define SH_SIZE 64
#define SH_TYPE 4
#define SH_OFFSET 24
#define SH_BYTES 32
#define SH_LINK 40
#define SH_ENTSIZE 56

#define SHT_SYMTAB 2
#define SHT_STRTAB 3

// Symbol
#define ST_SIZE 24
#define ST_NAME 0
#define ST_INFO 4
#define ST_SHNDX 6
#define ST_VALUE 8
#define ST_BYTES 16

#define STT_FUNC 2 // below it: no type, object; above it nothing that is a place
#define SHN_UNDEF 0
#define SHN_LORESERVE 0xff00

struct part {
    const uint8_t *data;
    uint64_t size;
};

struct symbols {
    struct part table, names;
    uint64_t low; // the lowest address of the segment that is searched
    uint64_t address;
};

static bool take_part(const uint8_t *blob, size_t size, const uint8_t *section, struct part *part)
{
    uint64_t offset = le64_load(section + SH_OFFSET);

    part->size = le64_load(section + SH_BYTES);
    if (offset > size || part->size > size - offset) {
        return false;
    }
    part->data = blob + offset;
    return true;
}

// A symbol table with its names, which are in another section.
static bool take_symbols(const uint8_t *blob, size_t size, const struct part *sections,
                         const uint8_t *section, struct symbols *symbols)
{
    uint64_t link = le32_load(section + SH_LINK) * (uint64_t)SH_SIZE;

    return le32_load(section + SH_TYPE) == SHT_SYMTAB &&
           le64_load(section + SH_ENTSIZE) == ST_SIZE && link < sections->size &&
           le32_load(sections->data + link + SH_TYPE) == SHT_STRTAB &&
           take_part(blob, size, section, &symbols->table) &&
           take_part(blob, size, sections->data + link, &symbols->names);
}

// The first symbol table that has names.
static int find_symbols(const uint8_t *blob, size_t size, struct symbols *symbols)
{
    uint64_t offset = le64_load(blob + EH_SHOFF);
    unsigned count = le16_load(blob + EH_SHNUM);
    struct part sections = {.size = (uint64_t)count * SH_SIZE};

    if (le16_load(blob + EH_SHENTSIZE) != SH_SIZE || offset > size ||
        sections.size > size - offset) {
        return -ENOENT;
    }
    sections.data = blob + offset;
    for (unsigned i = 0; i < count; i++) {
        if (take_symbols(blob, size, &sections, sections.data + i * SH_SIZE, symbols)) {
            return 0;
        }
    }
    return -ENOENT;
}

static bool find_segment(const void *blob, size_t size, struct symbols *symbols)
{
    struct elf_segment segment;

    for (unsigned i = 0; elf_segment(blob, size, i, &segment) == 0; i++) {
        if (symbols->address - segment.virtual < segment.mem_size) {
            symbols->low = segment.virtual;
            return true;
        }
    }
    return false;
}

// Mapping symbols ("$x", "$d") say what kind of bytes follow, not what they are.
static bool take_name(const struct part *names, const uint8_t *entry, struct elf_symbol *symbol)
{
    uint32_t at = le32_load(entry + ST_NAME);
    const uint8_t *end;

    if (at >= names->size || names->data[at] == '$' || names->data[at] == '\0') {
        return false;
    }
    end = memchr(names->data + at, 0, names->size - at);
    symbol->name = (const char *)names->data + at;
    symbol->length = end == NULL ? 0 : (size_t)(end - names->data - at);
    return symbol->length > 0;
}

// A symbol without a size goes on up to the next one.
static bool contains(const struct symbols *symbols, const uint8_t *entry, uint64_t *offset)
{
    uint64_t value = le64_load(entry + ST_VALUE);
    uint64_t bytes = le64_load(entry + ST_BYTES);
    uint16_t section = le16_load(entry + ST_SHNDX);

    *offset = symbols->address - value;
    return (entry[ST_INFO] & 15) <= STT_FUNC && section != SHN_UNDEF && section < SHN_LORESERVE &&
           value >= symbols->low && value <= symbols->address && (bytes == 0 || *offset < bytes);
}

int elf_symbol(const void *blob, size_t size, uint64_t address, struct elf_symbol *symbol)
{
    struct symbols symbols = {.address = address};
    struct elf_segment first;
    int err = elf_segment(blob, size, 0, &first);

    if (err == 0) {
        err = find_symbols(blob, size, &symbols);
    }
    if (err != 0 || !find_segment(blob, size, &symbols)) {
        return err != 0 ? err : -ENOENT;
    }
    symbol->offset = UINT64_MAX;
    for (uint64_t at = 0; symbols.table.size - at >= ST_SIZE; at += ST_SIZE) {
        const uint8_t *entry = symbols.table.data + at;
        struct elf_symbol found;

        if (contains(&symbols, entry, &found.offset) && found.offset < symbol->offset &&
            take_name(&symbols.names, entry, &found)) {
            *symbol = found;
        }
    }
    return symbol->offset != UINT64_MAX ? 0 : -ENOENT;
}
