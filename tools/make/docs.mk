# SPDX-License-Identifier: Apache-2.0
# Pages that are written from the program itself. A unit test and a check fail while they lag behind.
#help   make docs            write the reference parts of docs/mterm.md and docs/arch-contract.md from the code

docs-tool := $(O)/host/tools/mterm-docs

$(docs-tool): $(docs-tool).c.o $(O)/host/bulkhead.o
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CC) $(host-ldflags) -o $@ $^ $(host-libs)

.PHONY: docs
docs: $(docs-tool)
	$(call say,DOCS,docs/mterm.md)
	$(Q)$(docs-tool) docs/mterm.md
	$(call say,DOCS,docs/arch-contract.md)
	$(Q)$(PYTHON) tools/contract_docs.py write docs/arch-contract.md

-include $(wildcard $(docs-tool).c.d)
