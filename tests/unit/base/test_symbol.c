// SPDX-License-Identifier: Apache-2.0
// What tools/symtab.py writes is what hv/symbol.h reads: every name, every address, and those outside.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/system.h>
#include <hv/symbol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTIONS 1000
#define HEAD 0x40000000UL

/* Filled from the generator's text. */
struct symtab_marker symtab_markers[FUNCTIONS];
uint32_t symtab_count, symtab_group;
uint8_t symtab_pairs[128][2];
uint8_t symtab_stream[FUNCTIONS * 64];

static struct {
    uint32_t offset;
    char name[80];
} functions[FUNCTIONS];

static void make_functions(void)
{
    static const char *const words[] = {"vcpu", "guest", "timer", "irq", "lock", "x", "_", "9"};
    uint32_t offset = 64;

    srand(7);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        functions[i].offset = offset;
        offset += 4 + (uint32_t)(rand() % 9 == 0 ? rand() % 0x30000 : rand() % 400) / 4 * 4;
        for (int n = rand() % 9; n >= 0; n--) {
            strcat(functions[i].name, words[(size_t)rand() % 8]);
            strcat(functions[i].name, "_");
        }
        sprintf(functions[i].name + strlen(functions[i].name), "%u", i);
    }
}

static void write_nm(const char *path)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file, "%016lx t _head\n", HEAD);
    for (unsigned i = 0; i < FUNCTIONS; i++)
        fprintf(file, "%016lx T %s\n%016lx t $x\n", HEAD + functions[i].offset, functions[i].name,
                HEAD + functions[i].offset);
    fclose(file);
}

/* Numbers of a .byte or .4byte line to where the label before it says. */
static void read_line(char *line, char *label, uint8_t *base, size_t *used)
{
    size_t width = strstr(line, ".4byte") != NULL ? 4 : 1;
    char *colon = strchr(line, ':');

    if (colon != NULL && line[0] != '\t') {
        *colon = '\0';
        strcpy(label, line);
        *used = 0;
    } else if (base != NULL && strstr(line, "byte") != NULL) {
        for (char *at = strtok(strstr(line, "byte") + 5, ", \n"); at != NULL;
             at = strtok(NULL, ", \n")) {
            uint32_t value = (uint32_t)strtoul(at, NULL, 0);

            memcpy(base + *used, &value, width);
            *used += width;
        }
    }
}

static uint8_t *place_of(const char *label)
{
    if (strcmp(label, "symtab_markers") == 0)
        return (uint8_t *)symtab_markers;
    if (strcmp(label, "symtab_count") == 0)
        return (uint8_t *)&symtab_count;
    if (strcmp(label, "symtab_group") == 0)
        return (uint8_t *)&symtab_group;
    if (strcmp(label, "symtab_pairs") == 0)
        return (uint8_t *)symtab_pairs;
    return strcmp(label, "symtab_stream") == 0 ? (uint8_t *)symtab_stream : NULL;
}

static int generate(void **state)
{
    char in[] = "/tmp/symtab-XXXXXX", command[128], line[4096], label[64] = "";
    size_t used = 0;
    FILE *out;

    (void)state;
    close(mkstemp(in));
    make_functions();
    write_nm(in);
    snprintf(command, sizeof(command), "/usr/bin/python3 tools/symtab.py generate /dev/stdout <%s",
             in);
    out = popen(command, "r");
    assert_non_null(out);
    while (fgets(line, sizeof(line), out) != NULL)
        read_line(line, label, place_of(label), &used);
    unlink(in);
    return pclose(out);
}

/* _head itself is function 0. */
static void test_every_function_is_found(void **state)
{
    uintptr_t base = arch_system_image_base();
    struct symbol symbol;

    (void)state;
    assert_int_equal(symbol_count(), FUNCTIONS + 1);
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        char expected[SYMBOL_NAME_MAX];
        bool room = i + 1 == FUNCTIONS || functions[i + 1].offset > functions[i].offset + 4;

        snprintf(expected, sizeof(expected), "%s", functions[i].name);
        assert_true(symbol_find(base + functions[i].offset, &symbol));
        assert_string_equal(symbol.name, expected);
        assert_int_equal(symbol.offset, 0);
        assert_int_equal(symbol.index, i + 1);
        assert_true(!room || symbol_index(base + functions[i].offset + 4) == i + 1);
        assert_int_equal(symbol_index(base + functions[i].offset - 4) == i + 1, 0);
        assert_true(symbol_at(i + 1, &symbol));
        assert_string_equal(symbol.name, expected);
    }
    assert_false(symbol_at(FUNCTIONS + 1, &symbol));
}

static void test_addresses_outside_have_no_name(void **state)
{
    uintptr_t base = arch_system_image_base();
    struct symbol symbol;

    (void)state;
    assert_false(symbol_find(base - 1, &symbol));
    assert_false(symbol_find(base + functions[FUNCTIONS - 1].offset + 0x10000, &symbol));
    assert_int_equal(symbol_index(0), SYMBOL_NONE);
    assert_int_equal(symbol_index(~0UL), SYMBOL_NONE);
    symtab_count = 0;
    assert_false(symbol_find(base + functions[0].offset, &symbol));
    symtab_count = FUNCTIONS + 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_function_is_found),
        cmocka_unit_test(test_addresses_outside_have_no_name),
    };

    return cmocka_run_group_tests(tests, generate, NULL);
}
