// SPDX-License-Identifier: Apache-2.0
// PL011 UART (DDI 0183 r1p5) over a virtual serial port: what is sent is gone at once, what comes waits in the port until the FIFO has room.

#include <hv/emulator.h>
#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/spinlock.h>
#include <hv/vserial.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/macros.h>

#define PL011_FIFO_SIZE 16
#define PL011_NAME_MAX 80

enum pl011_reg {
    PL011_DR = 0x000,
    PL011_RSR = 0x004,
    PL011_FR = 0x018,
    PL011_ILPR = 0x020,
    PL011_IBRD = 0x024,
    PL011_FBRD = 0x028,
    PL011_LCR_H = 0x02c,
    PL011_CR = 0x030,
    PL011_IFLS = 0x034,
    PL011_IMSC = 0x038,
    PL011_RIS = 0x03c,
    PL011_MIS = 0x040,
    PL011_ICR = 0x044,
    PL011_DMACR = 0x048,
};

#define DR_BE (1U << 10)
#define DR_OE (1U << 11)
#define DR_ERRORS_SHIFT 8
#define RSR_OE (1U << 3)

#define FR_CTS (1U << 0)
#define FR_DSR (1U << 1)
#define FR_DCD (1U << 2)
#define FR_RXFE (1U << 4)
#define FR_RXFF (1U << 6)
#define FR_TXFE (1U << 7)
#define FR_RI (1U << 8)
#define FR_MODEM (FR_CTS | FR_DSR | FR_DCD | FR_RI)

#define LCR_H_BRK (1U << 0)
#define LCR_H_FEN (1U << 4)

#define CR_UARTEN (1U << 0)
#define CR_LBE (1U << 7)
#define CR_TXE (1U << 8)
#define CR_RXE (1U << 9)
#define CR_DTR (1U << 10)
#define CR_RTS (1U << 11)
#define CR_OUT1 (1U << 12)
#define CR_OUT2 (1U << 13)
#define CR_RESET (CR_TXE | CR_RXE)
#define CR_MASK 0xff87U

#define IFLS_RESET 0x12
#define IFLS_RX(ifls) (((ifls) >> 3) & 7)

#define INT_RI (1U << 0)
#define INT_CTS (1U << 1)
#define INT_DCD (1U << 2)
#define INT_DSR (1U << 3)
#define INT_RX (1U << 4)
#define INT_TX (1U << 5)
#define INT_RT (1U << 6)
#define INT_BE (1U << 9)
#define INT_OE (1U << 10)
#define INT_MASK 0x7ffU

struct pl011_state {
    uint32_t fr;
    uint32_t rsr;
    uint32_t ilpr;
    uint32_t ibrd;
    uint32_t fbrd;
    uint32_t lcr_h;
    uint32_t cr;
    uint32_t ifls;
    uint32_t imsc;
    uint32_t ris;
    uint32_t dmacr;
    uint32_t rx_head;
    uint32_t rx_count;
    uint32_t overrun;             /**< a character was lost; the next one received tells */
    uint16_t rx[PL011_FIFO_SIZE]; /**< as DR reads them */
};

struct pl011 {
    struct spinlock
        lock; /**< emu_device::lock; taken before the interrupt controller's locks, not held while the port is called */
    struct vserial *port;
    bool line;
    bool starved; /**< the port was refused: it is to be told when there is room */
};

static uint32_t fifo_size(const struct pl011_state *s)
{
    return (s->lcr_h & LCR_H_FEN) != 0 ? PL011_FIFO_SIZE : 1;
}

/* Characters in the FIFO from which on it asks for service; reserved values of IFLS are the highest level. */
static uint32_t rx_level(const struct pl011_state *s)
{
    static const uint8_t levels[] = {2, 4, 8, 12, 14, 14, 14, 14};

    return (s->lcr_h & LCR_H_FEN) != 0 ? levels[IFLS_RX(s->ifls)] : 1;
}

/* The modem's lines lead nowhere, but from the outputs to the inputs in loopback. */
static uint32_t modem_flags(const struct pl011_state *s)
{
    uint32_t fr = 0;

    if ((s->cr & CR_LBE) == 0)
        return 0;
    fr |= (s->cr & CR_RTS) != 0 ? FR_CTS : 0;
    fr |= (s->cr & CR_DTR) != 0 ? FR_DSR : 0;
    fr |= (s->cr & CR_OUT1) != 0 ? FR_DCD : 0;
    fr |= (s->cr & CR_OUT2) != 0 ? FR_RI : 0;
    return fr;
}

/* The flags follow from the rest; kept ready, because guests poll them. */
static void fr_update(struct pl011_state *s)
{
    uint32_t fr = FR_TXFE | modem_flags(s);

    if (s->rx_count == 0)
        fr |= FR_RXFE;
    if (s->rx_count >= fifo_size(s))
        fr |= FR_RXFF;
    __atomic_store_n(&s->fr, fr, __ATOMIC_RELAXED);
}

static void update(struct emu_device *dev)
{
    struct pl011_state *s = dev->state;
    struct pl011 *uart = dev->priv;
    bool line = (s->ris & s->imsc) != 0;

    fr_update(s);
    if (line != uart->line) {
        uart->line = line;
        emu_device_irq(dev, 0, line);
    }
}

static bool can_receive(const struct pl011_state *s)
{
    return (s->cr & (CR_UARTEN | CR_RXE)) == (CR_UARTEN | CR_RXE);
}

static void rx_push(struct pl011_state *s, uint16_t character)
{
    if (s->rx_count >= fifo_size(s)) {
        s->rsr |= RSR_OE;
        s->overrun = DR_OE;
        s->ris |= INT_OE;
        return;
    }
    s->rx[(s->rx_head + s->rx_count) % PL011_FIFO_SIZE] = character | (uint16_t)s->overrun;
    s->overrun = 0;
    s->rx_count++;
    if ((character & DR_BE) != 0)
        s->ris |= INT_BE;
    if (s->rx_count >= rx_level(s))
        s->ris |= INT_RX;
    /* Nothing more is on its way, so that the receive timeout has passed at once. */
    if ((s->lcr_h & LCR_H_FEN) != 0)
        s->ris |= INT_RT;
}

static uint32_t rx_pop(struct pl011_state *s)
{
    uint32_t character;

    if (s->rx_count == 0)
        return 0;
    character = s->rx[s->rx_head];
    s->rx_head = (s->rx_head + 1) % PL011_FIFO_SIZE;
    s->rx_count--;
    /* The overrun is told by RSR since it happened, until it is cleared there. */
    s->rsr = (s->rsr & RSR_OE) | (character & ~DR_OE) >> DR_ERRORS_SHIFT;
    if (s->rx_count < rx_level(s))
        s->ris &= ~INT_RX;
    if (s->rx_count == 0)
        s->ris &= ~INT_RT;
    return character;
}

static void rx_flush(struct pl011_state *s)
{
    s->rx_head = 0;
    s->rx_count = 0;
    s->ris &= ~(INT_RX | INT_RT);
}

/* From the port, in a thread. */
static size_t pl011_input(void *arg, const uint8_t *data, size_t size)
{
    struct emu_device *dev = arg;
    struct pl011_state *s = dev->state;
    struct pl011 *uart = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&uart->lock);
    size_t taken = 0;

    if (can_receive(s) && (s->cr & CR_LBE) == 0) {
        while (taken < size && s->rx_count < fifo_size(s))
            rx_push(s, data[taken++]);
    }
    uart->starved = taken < size;
    update(dev);
    spin_unlock_irqrestore(&uart->lock, flags);
    return taken;
}

/* Is the port to be told? Not for each character: a whole FIFO's worth then comes at once. */
static bool wants_input(struct pl011 *uart, const struct pl011_state *s)
{
    bool wants =
        uart->starved && can_receive(s) && (s->cr & CR_LBE) == 0 && s->rx_count <= fifo_size(s) / 2;

    if (wants)
        uart->starved = false;
    return wants;
}

/* Sent at once: the FIFO is empty again before the guest can look. True: to the port. */
static bool transmit(struct pl011_state *s, uint8_t byte)
{
    s->ris |= INT_TX;
    if ((s->cr & CR_LBE) == 0)
        return true;
    if (can_receive(s) && (s->cr & CR_TXE) != 0)
        rx_push(s, byte);
    return false;
}

static void lcr_h_write(struct emu_device *dev, uint64_t wide)
{
    struct pl011_state *s = dev->state;
    uint32_t value = wide & 0xff, changed = s->lcr_h ^ value;

    s->lcr_h = value;
    if ((changed & LCR_H_FEN) != 0)
        rx_flush(s);
    if ((changed & value & LCR_H_BRK) != 0 && (s->cr & CR_LBE) != 0 && can_receive(s))
        rx_push(s, DR_BE);
}

/* Every change of a modem line is an interrupt. */
static void cr_write(struct emu_device *dev, uint64_t value UNUSED)
{
    struct pl011_state *s = dev->state;
    uint32_t changed = (s->fr ^ modem_flags(s)) & FR_MODEM;

    s->ris |= ((changed & FR_RI) != 0 ? INT_RI : 0) | ((changed & FR_CTS) != 0 ? INT_CTS : 0) |
              ((changed & FR_DCD) != 0 ? INT_DCD : 0) | ((changed & FR_DSR) != 0 ? INT_DSR : 0);
}

/*
 * What arrived between the last read and the clearing of its interrupts would wait for ever when the FIFO is full. The receive
 * timeout runs anew over what is still there, and passes at once.
 */
static void icr_write(struct emu_device *dev, uint64_t value)
{
    struct pl011_state *s = dev->state;

    s->ris &= ~(uint32_t)value;
    if ((value & (INT_RX | INT_RT)) != 0 && s->rx_count > 0)
        s->ris |= INT_RT;
}

static void rsr_write(struct emu_device *dev, uint64_t value UNUSED)
{
    struct pl011_state *s = dev->state;

    s->rsr = 0;
}

static uint64_t dr_read(struct emu_device *dev)
{
    return rx_pop(dev->state);
}

static uint64_t mis_read(struct emu_device *dev)
{
    const struct pl011_state *s = dev->state;

    return s->ris & s->imsc;
}

static uint64_t lcr_h_read(struct emu_device *dev)
{
    const struct pl011_state *s = dev->state;

    return s->lcr_h;
}

#define REG(at, member) .offset = (at), .size = 4, EMU_PLACE(struct pl011_state, member)

/* DR is written by pl011_access() itself. RSR: whatever is written clears it. */
static const struct emu_register pl011_registers[] = {
    {.offset = PL011_DR, .size = 4, .flags = EMU_REGISTER_RO, .read = dr_read},
    {REG(PL011_RSR, rsr), .write = rsr_write},
    {REG(PL011_FR, fr), .flags = EMU_REGISTER_RO},
    {REG(PL011_ILPR, ilpr), .mask = 0xff},
    {REG(PL011_IBRD, ibrd), .mask = 0xffff},
    {REG(PL011_FBRD, fbrd), .mask = 0x3f},
    {.offset = PL011_LCR_H, .size = 4, .read = lcr_h_read, .write = lcr_h_write},
    {REG(PL011_CR, cr), .mask = CR_MASK, .reset = CR_RESET, .write = cr_write},
    {REG(PL011_IFLS, ifls), .mask = 0x3f, .reset = IFLS_RESET},
    {REG(PL011_IMSC, imsc), .mask = INT_MASK},
    {REG(PL011_RIS, ris), .flags = EMU_REGISTER_RO},
    {.offset = PL011_MIS, .size = 4, .flags = EMU_REGISTER_RO, .read = mis_read},
    {.offset = PL011_ICR, .size = 4, .flags = EMU_REGISTER_WO, .write = icr_write},
    {REG(PL011_DMACR, dmacr), .mask = 7},
    /* A PL011 of revision r1p4, whose FIFOs have 16 places. */
    EMU_PRIMECELL_ID(0x11, 0x10, 0x24, 0x00, 0x0d, 0xf0, 0x05, 0xb1),
};

static NOINLINE int access_slowly(struct emu_device *dev, struct emu_access *access)
{
    struct pl011_state *s = dev->state;
    struct pl011 *uart = dev->priv;
    uint8_t byte = (uint8_t)access->value;
    irqflags_t flags = spin_lock_irqsave(&uart->lock);
    bool output = false, input;
    int err = 0;

    if (access->is_write && access->offset == PL011_DR)
        output = transmit(s, byte);
    else
        err = emu_register_access_locked(dev, access);
    update(dev);
    input = wants_input(uart, s);
    spin_unlock_irqrestore(&uart->lock, flags);
    if (output)
        vserial_output(uart->port, &byte, 1);
    if (input)
        vserial_input_ready(uart->port);
    return err;
}

/* Registers whose reads change nothing: 1 + the word of the state, by word of the frame. */
#define PLAIN(at, member) [(at) / 4] = 1 + offsetof(struct pl011_state, member) / 4

static const uint8_t plain_words[] = {
    PLAIN(PL011_RSR, rsr),   PLAIN(PL011_FR, fr),       PLAIN(PL011_ILPR, ilpr),
    PLAIN(PL011_IBRD, ibrd), PLAIN(PL011_FBRD, fbrd),   PLAIN(PL011_LCR_H, lcr_h),
    PLAIN(PL011_CR, cr),     PLAIN(PL011_IFLS, ifls),   PLAIN(PL011_IMSC, imsc),
    PLAIN(PL011_RIS, ris),   PLAIN(PL011_DMACR, dmacr),
};

/* Guests poll: what is one load takes no lock, and no register need be saved for it. */
static int pl011_access(struct emu_device *dev, struct emu_access *access)
{
    const uint32_t *words = dev->state;
    unsigned word;

    if (access->is_write || access->size != 4 || access->offset >= 4 * sizeof(plain_words))
        return access_slowly(dev, access);
    word = plain_words[access->offset / 4];
    if (word == 0)
        return access_slowly(dev, access);
    access->value = __atomic_load_n(&words[word - 1], __ATOMIC_RELAXED);
    return 0;
}

/* What was typed for the guest's earlier life goes with it. */
static void pl011_reset(struct emu_device *dev)
{
    struct pl011_state *s = dev->state;
    struct pl011 *uart = dev->priv;
    irqflags_t flags;

    if (uart->port != NULL)
        vserial_input_drop(uart->port);
    flags = spin_lock_irqsave(&uart->lock);
    *s = (struct pl011_state){.cr = CR_RESET, .ifls = IFLS_RESET};
    uart->starved = true;
    update(dev);
    spin_unlock_irqrestore(&uart->lock, flags);
}

static int pl011_check(const struct emu_device *dev UNUSED, const void *state)
{
    const struct pl011_state *s = state;
    bool sound = s->rx_head < PL011_FIFO_SIZE && s->rx_count <= fifo_size(s) &&
                 (s->overrun & ~DR_OE) == 0 && (s->ris & ~INT_MASK) == 0;

    for (unsigned i = 0; i < PL011_FIFO_SIZE; i++)
        sound = sound && s->rx[i] <= (DR_OE | (DR_OE - 1));
    return sound ? 0 : -EINVAL;
}

/* Flags and line follow; the port offers again what it has. */
static void pl011_restored(struct emu_device *dev)
{
    struct pl011_state *s = dev->state;
    struct pl011 *uart = dev->priv;

    fr_update(s);
    uart->starved = true;
    uart->line = (s->ris & s->imsc) != 0;
    emu_device_irq(dev, 0, uart->line);
    vserial_input_ready(uart->port);
}

static int port_create(struct emu_device *dev, const char *name)
{
    struct pl011 *uart = dev->priv;
    uint32_t log_size;
    int err = vserial_create(name, pl011_input, dev, &uart->port);

    if (err == 0 && dt_get_u32(dev->node, "bulkhead,log-size", &log_size) == 0) {
        err = vserial_log_create(uart->port, log_size);
        if (err != 0)
            vserial_destroy(uart->port);
    }
    return err;
}

static int pl011_probe(struct emu_device *dev)
{
    const char *device = dev->name;
    char name[PL011_NAME_MAX];
    struct pl011 *uart = heap_zalloc(sizeof(*uart));
    int err;

    if (uart == NULL)
        return -ENOMEM;
    spin_init(&uart->lock);
    dev->priv = uart;
    dev->lock = &uart->lock;
    pl011_reset(dev);
    dt_get_string(dev->node, "bulkhead,name", &device);
    fmt_snprintf(name, sizeof(name), "%s/%s", dev->guest->name, device);
    err = port_create(dev, name);
    if (err != 0) {
        heap_free(uart);
        dev->priv = NULL;
    }
    return err;
}

static void pl011_remove(struct emu_device *dev)
{
    struct pl011 *uart = dev->priv;

    if (uart == NULL)
        return;
    vserial_destroy(uart->port);
    heap_free(uart);
    dev->priv = NULL;
}

static const char *const pl011_match[] = {"arm,pl011", NULL};

static const struct emulator pl011 = {
    .name = "pl011",
    .match = pl011_match,
    .state_size = sizeof(struct pl011_state),
    .version = 1,
    .widths = EMU_WIDTH_8 | EMU_WIDTH_16 | EMU_WIDTH_32,
    .registers = pl011_registers,
    .register_count = ARRAY_SIZE(pl011_registers),
    .probe = pl011_probe,
    .reset = pl011_reset,
    .access = pl011_access,
    .remove = pl011_remove,
    .check = pl011_check,
    .restored = pl011_restored,
};
EMULATOR(pl011);
