// SPDX-License-Identifier: Apache-2.0
// Group I: what reaches the operator.
#include "evil.h"

static void i02_terminal(void)
{
    while (true)
        print("\033[6n\033[c\033]0;reset\a\x9b"
              "0c guest list; shutdown\n");
}
TEST_CASE_BY_NAME("I02.terminal", 1, i02_terminal);

/* What would make the hypervisor log a line each time, for ever. */
static void i05_log(void)
{
    static const uint32_t codes[] = {0xb9000001, 0xd4000022, CODE_MRS(3, 0, 11, 0, 0), 0xd4000023};

    for (unsigned i = 0;; i++)
        trap_try_code(&codes[i % 4], 1, HOLE, 0, NULL, NULL);
}
TEST_CASE_BY_NAME("I05.log", 1, i05_log);
