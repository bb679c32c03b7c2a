# SPDX-License-Identifier: Apache-2.0
# The checks of configuration files as a host program, for tools/dtscheck: the host port without tests.

dtscheck-obj := $(patsubst %,$(O)/host/%.o,$(host-src) tools/dts/dtscheck.c)

$(O)/dtscheck: $(dtscheck-obj) $(host-flags)
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CC) $(host-ldflags) -o $@ $(dtscheck-obj) -lfdt -lpthread

-include $(O)/host/tools/dts/dtscheck.c.d
