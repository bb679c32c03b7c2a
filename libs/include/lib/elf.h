// SPDX-License-Identifier: Apache-2.0
// Validation of untrusted ELF64 little-endian AArch64 programs and iteration of what to load.
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <stddef.h>
#include <stdint.h>

#include <lib/macros.h>

#define ELF_SEGMENT_EXEC 1
#define ELF_SEGMENT_WRITE 2
#define ELF_SEGMENT_READ 4

struct elf_info {
    uint64_t entry;          // as in the header: a virtual address
    uint64_t entry_physical; // the same place by the segment's physical address
    uint64_t low;            // physical range [low, high) that all segments cover
    uint64_t high;
    unsigned segments; // number of segments to load, at least 1
};

struct elf_segment {
    const void *data; // file_size bytes in the blob; the rest up to mem_size is zero
    uint64_t file_size;
    uint64_t mem_size;
    uint64_t virtual;
    uint64_t physical;
    uint32_t flags;
};

// Checks the header and every PT_LOAD. 0; -ENOEXEC: not a program for this kind of machine;
// -EBADMSG: damaged (truncated, sizes that wrap, or an entry outside all segments).
int elf_check(const void *blob, size_t size, struct elf_info *info) MUST_CHECK;

// Segment `index` (below info.segments) of a blob that elf_check() accepted. 0, -ENOENT past the
// last one, or what elf_check() would say.
int elf_segment(const void *blob, size_t size, unsigned index,
                struct elf_segment *segment) MUST_CHECK;

struct elf_symbol {
    const char *name; // in the blob, length bytes, not terminated
    size_t length;
    uint64_t offset; // of the address from the symbol's
};

// The function or label (or object, for code that was put there) that a virtual address of the
// program belongs to. 0; -ENOENT: none, or the blob has no symbols; or what elf_check() would say.
// Anything in the blob may be damaged: what makes no sense is passed over.
int elf_symbol(const void *blob, size_t size, uint64_t address,
               struct elf_symbol *symbol) MUST_CHECK;

#endif
