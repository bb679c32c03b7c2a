# SPDX-License-Identifier: Apache-2.0
# Pages that are written from the program itself. A unit test fails while they lag behind.
#help   make docs            write the command reference in docs/mterm.md from the command table

docs-tool := $(O)/host/tools/mterm-docs

$(docs-tool): $(docs-tool).c.o $(O)/host/bulkhead.o
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CC) $(host-ldflags) -o $@ $^ $(host-libs)

.PHONY: docs
docs: $(docs-tool)
	$(call say,DOCS,docs/mterm.md)
	$(Q)$(docs-tool) docs/mterm.md

-include $(wildcard $(docs-tool).c.d)
