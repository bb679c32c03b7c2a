// SPDX-License-Identifier: Apache-2.0
// The first program of the measured boots: says what the counter was at its first instruction, and powers off.
#define SYS_REBOOT 142
#define SYS_WRITE 64
#define REBOOT_MAGIC1 0xfee1dead
#define REBOOT_MAGIC2 672274793
#define REBOOT_POWER_OFF 0x4321fedc
#define STDOUT 1

    .globl _start
_start:
    mrs x19, cntvct_el0
    adrp x20, end_of_digits
    add x20, x20, :lo12:end_of_digits
    mov x21, #10

next_digit:
    udiv x22, x19, x21
    msub x23, x22, x21, x19
    add w23, w23, #'0'
    strb w23, [x20, #-1]!
    mov x19, x22
    cbnz x19, next_digit

    mov x0, #STDOUT
    adrp x1, line
    add x1, x1, :lo12:line
    mov x2, #(end_of_line - line)
    mov x8, #SYS_WRITE
    svc #0

    ldr w0, =REBOOT_MAGIC1
    ldr w1, =REBOOT_MAGIC2
    ldr w2, =REBOOT_POWER_OFF
    mov x3, #0
    mov x8, #SYS_REBOOT
    svc #0
    b .

    .data
line:
    .ascii "BOOTED 00000000000000000000"
end_of_digits:
    .ascii "\n"
end_of_line:
