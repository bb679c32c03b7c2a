/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of the image: linked at 0, run wherever it is loaded; permissions change at page boundaries. */
OUTPUT_FORMAT("elf64-littleaarch64")
OUTPUT_ARCH(aarch64)
ENTRY(_head)

SECTIONS
{
    . = 0;
    .text : {
        KEEP(*(.head.text))
        . = ALIGN(2048);
        KEEP(*(.vectors))
        *(.text .text.*)
        . = ALIGN(4096);
    }
    __text_end = .;

    /* Pointers in here are relocated before the map makes it read-only. */
    .rodata : {
        *(.rodata .rodata.* .data.rel.ro .data.rel.ro.* .got .got.plt)
        . = ALIGN(8);
    }
    table_irqchips : { KEEP(*(table_irqchips)) }
    table_timers : { KEEP(*(table_timers)) }
    table_initcalls : { KEEP(*(table_initcalls)) }
    table_balancers : { KEEP(*(table_balancers)) }
    table_sched_policies : { KEEP(*(table_sched_policies)) }
    table_buses : { KEEP(*(table_buses)) }
    table_classes : { KEEP(*(table_classes)) }
    table_drivers : { KEEP(*(table_drivers)) }
    table_emulators : { KEEP(*(table_emulators)) }
    table_smccc_services : { KEEP(*(table_smccc_services)) }
    table_commands : { KEEP(*(table_commands)) }
    table_selftests : { KEEP(*(table_selftests)) }
    . = ALIGN(4096);
    __rodata_end = .;

    .data : { *(.data .data.*) }
    . = ALIGN(4096);
    __data_end = .;

    /* Written from the first link, so that nothing that they describe may follow them in the file. */
    .symtab_blob : { KEEP(*(.symtab_blob)) }
    .reloc_blob : { KEEP(*(.reloc_blob)) }
    . = ALIGN(4096);
    __file_end = .;

    percpu (NOLOAD) : { KEEP(*(percpu)) }
    .bss (NOLOAD) : {
        /* A stack occupies the lower half of a slot of twice its size; the page below it stays unmapped. */
        . = . + 4096;
        . = ALIGN(2 * CONFIG_STACK_SIZE);
        __boot_stack = .;
        . = . + CONFIG_STACK_SIZE;
        __boot_stack_top = .;
        *(.bss.page_tables)
        *(.bss .bss.* COMMON)
        . = ALIGN(4096);
    }
    _end = .;
    _image_size = ABSOLUTE(_end - _head);

    /* For tools/relocs.py: not part of the image, which has them as .reloc_blob. */
    .rela.dyn : { *(.rela .rela.*) }

    /DISCARD/ : {
        *(.interp .dynamic .dynsym .dynstr .hash .gnu.hash .gnu.version* .note* .comment .eh_frame*)
    }
}
