// SPDX-License-Identifier: Apache-2.0
// The class of real-time clocks.
#include <hv/class.h>

const struct class rtc_class = {
    .name = "rtc",
    .help = "clocks that go on without power",
};
CLASS(rtc_class);
