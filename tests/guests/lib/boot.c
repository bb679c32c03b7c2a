// SPDX-License-Identifier: Apache-2.0
// A minimal reader of the flattened device tree, and of the boot arguments in it.
#include <payload/boot.h>
#include <payload/string.h>

#define FDT_MAGIC 0xd00dfeedu
#define FDT_DEPTH_MAX 16

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END = 9 };

struct boot_info boot_info = {.gic_version = 2, .psci_method = "hvc"};

static uint32_t be32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint64_t cells(const uint8_t *data, unsigned count)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < count; i++)
        value = value << 32 | be32(data + 4 * i);
    return value;
}

static void copy_string(char *to, size_t room, const uint8_t *from, uint32_t size)
{
    size_t n = size < room ? size : room - 1;

    memcpy(to, from, n);
    to[n] = 0;
}

static bool has_string(const uint8_t *data, uint32_t size, const char *s)
{
    size_t n = strlen(s) + 1;

    for (uint32_t at = 0; at + n <= size; at++) {
        if (!memcmp(data + at, s, n) && (!at || !data[at - 1]))
            return true;
    }
    return false;
}

static void take_property(const char *node, const char *name, const uint8_t *data, uint32_t size)
{
    if (!strcmp(node, "chosen") && !strcmp(name, "bootargs"))
        copy_string(boot_info.args, sizeof(boot_info.args), data, size);
    if (!strcmp(node, "psci") && !strcmp(name, "method"))
        copy_string(boot_info.psci_method, sizeof(boot_info.psci_method), data, size);
    if (!strcmp(name, "compatible") && has_string(data, size, "arm,gic-v3"))
        boot_info.gic_version = 3;
    if (!strncmp(node, "memory@", 7) && !strcmp(name, "reg") && size >= 16) {
        boot_info.ram_base = cells(data, 2);
        boot_info.ram_size = cells(data + 8, 2);
    }
    if (!strncmp(node, "cpu@", 4) && !strcmp(name, "reg") && size <= 8 &&
        boot_info.cpu_count < BOOT_CPUS_MAX)
        boot_info.mpidr[boot_info.cpu_count++] = cells(data, size / 4);
}

void boot_parse(const void *fdt)
{
    const uint8_t *base = fdt, *p;
    const char *names[FDT_DEPTH_MAX] = {""};
    unsigned depth = 0;

    if (!fdt || be32(base) != FDT_MAGIC)
        return;
    p = base + be32(base + 8);
    const char *strings = (const char *)base + be32(base + 12);
    while (be32(p) != FDT_END) {
        uint32_t token = be32(p);

        p += 4;
        if (token == FDT_BEGIN_NODE) {
            if (depth + 1 < FDT_DEPTH_MAX)
                names[++depth] = (const char *)p;
            p += (strlen((const char *)p) + 4) & ~3ul;
        } else if (token == FDT_END_NODE) {
            depth--;
        } else if (token == FDT_PROP) {
            uint32_t size = be32(p);

            take_property(names[depth], strings + be32(p + 4), p + 8, size);
            p += 8 + ((size + 3) & ~3u);
        }
    }
}

/* Position behind NAME in the boot arguments, or NULL. */
static const char *find_arg(const char *name)
{
    size_t n = strlen(name);

    for (const char *p = boot_info.args; *p;) {
        if (!strncmp(p, name, n) && (!p[n] || p[n] == ' ' || p[n] == '='))
            return p + n;
        while (*p && *p != ' ')
            p++;
        while (*p == ' ')
            p++;
    }
    return NULL;
}

bool boot_flag(const char *name)
{
    return find_arg(name);
}

uint64_t boot_number(const char *name, uint64_t fallback)
{
    const char *p = find_arg(name);
    unsigned base = 10;
    uint64_t value = 0;

    if (!p || *p != '=')
        return fallback;
    p++;
    if (p[0] == '0' && p[1] == 'x') {
        base = 16;
        p += 2;
    }
    for (; *p && *p != ' '; p++)
        value = value * base + (unsigned)(*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
    return value;
}

bool boot_selects(const char *name, const char *word)
{
    const char *p = find_arg(name);
    size_t n = strlen(word);

    if (!p)
        return true;
    while (*p && *p != ' ') {
        p++;
        if (!strncmp(p, word, n) && (!p[n] || p[n] == ' ' || p[n] == ','))
            return true;
        while (*p && *p != ' ' && *p != ',')
            p++;
    }
    return false;
}

bool boot_is_guest(void)
{
    return boot_flag("host") && boot_selects("host", "bulkhead");
}
