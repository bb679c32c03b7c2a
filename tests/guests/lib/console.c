// SPDX-License-Identifier: Apache-2.0
// The payloads' console: PL011 by polling, and a small printf.
#include <payload/arch.h>
#include <payload/console.h>
#include <stdbool.h>

static uint32_t lock;

static void lock_take(void)
{
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        relax();
}

static void lock_drop(void)
{
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void put_char(char c)
{
    if (c == '\n')
        put_char('\r');
    while (mmio_read32(UART_BASE + UART_FR) & UART_FR_TXFF)
        relax();
    mmio_write32(UART_BASE + UART_DR, (uint8_t)c);
}

void console_init(void)
{
    mmio_write32(UART_BASE + UART_IMSC, 0);
    mmio_write32(UART_BASE + UART_LCRH, 0x70); /* 8 bits, FIFO */
    mmio_write32(UART_BASE + UART_CR, 0x301);  /* on, transmit, receive */
}

int console_getc(void)
{
    if (mmio_read32(UART_BASE + UART_FR) & UART_FR_RXFE)
        return -1;
    return mmio_read32(UART_BASE + UART_DR) & 0xff;
}

static void put_string(const char *s, int width)
{
    for (; *s; s++, width--)
        put_char(*s);
    for (; width > 0; width--)
        put_char(' ');
}

static void put_number(uint64_t value, unsigned base, int width, char pad)
{
    char digits[24];
    int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (; width > n; width--)
        put_char(pad);
    while (n)
        put_char(digits[--n]);
}

static void put_signed(int64_t value, int width, char pad)
{
    if (value < 0) {
        put_char('-');
        put_number(-(uint64_t)value, 10, width - 1, pad);
    } else {
        put_number((uint64_t)value, 10, width, pad);
    }
}

/* One conversion, fmt behind the '%'; returns the position behind it. */
static const char *put_conversion(const char *fmt, va_list *ap)
{
    char pad = *fmt == '0' ? '0' : ' ';
    int width = 0;
    bool wide = false;

    while (*fmt >= '0' && *fmt <= '9')
        width = width * 10 + (*fmt++ - '0');
    for (; *fmt == 'l' || *fmt == 'z'; fmt++)
        wide = true;
    switch (*fmt) {
    case 's':
        put_string(va_arg(*ap, const char *), width);
        break;
    case 'c':
        put_char((char)va_arg(*ap, int));
        break;
    case 'd':
        put_signed(wide ? va_arg(*ap, int64_t) : va_arg(*ap, int), width, pad);
        break;
    case 'u':
        put_number(wide ? va_arg(*ap, uint64_t) : va_arg(*ap, uint32_t), 10, width, pad);
        break;
    case 'x':
        put_number(wide ? va_arg(*ap, uint64_t) : va_arg(*ap, uint32_t), 16, width, pad);
        break;
    default:
        put_char(*fmt);
        break;
    }
    return fmt + 1;
}

void print_panic(const char *fmt, va_list ap)
{
    va_list copy;

    va_copy(copy, ap);
    while (*fmt) {
        char c = *fmt++;

        if (c == '%')
            fmt = put_conversion(fmt, &copy);
        else
            put_char(c);
    }
    va_end(copy);
}

void print(const char *fmt, ...)
{
    uint64_t daif = sysreg_read(daif);
    va_list ap;

    irq_disable();
    lock_take();
    va_start(ap, fmt);
    print_panic(fmt, ap);
    va_end(ap);
    lock_drop();
    sysreg_write(daif, daif);
}
