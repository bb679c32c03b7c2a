# SPDX-License-Identifier: Apache-2.0
# libfdt for the image: Debian's arm64 package, or LIBFDT_SRC=dir compiled with the image's own flags.
# Its headers find tools/libfdt/libfdt_env.h, which stands in for a C library.

ifneq ($(LIBFDT_SRC),)
ifeq ($(wildcard $(LIBFDT_SRC)/fdt_check.c),)
$(error LIBFDT_SRC=$(LIBFDT_SRC): no fdt_check.c there; give the libfdt folder of dtc 1.5.0 or newer)
endif
libfdt-dir := $(O)/gen/libfdt
libfdt-src := $(notdir $(wildcard $(LIBFDT_SRC)/fdt*.c))
libfdt-archive := $(libfdt-src:%.c=$(O)/arm64/libfdt/%.o)
libfdt-ready := $(libfdt-dir)/libfdt_env.h
libfdt-cflags := -isystem $(libfdt-dir)

$(libfdt-ready): tools/libfdt/libfdt_env.h $(wildcard $(LIBFDT_SRC)/*.[ch])
	@mkdir -p $(@D)
	$(Q)cp $(LIBFDT_SRC)/*.[ch] $(@D)/
	$(Q)cp $< $@

$(libfdt-src:%=$(libfdt-dir)/%): $(libfdt-ready) ;

$(O)/arm64/libfdt/%.o: $(libfdt-dir)/%.c $(O)/gen/arm64.flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(arm64-cflags) -w -c -o $@ $<
else
libfdt-dir := $(CACHE)/libfdt
libfdt-archive := $(libfdt-dir)/usr/lib/aarch64-linux-gnu/libfdt.a
libfdt-ready := $(libfdt-archive)
libfdt-cflags := -isystem tools/libfdt -isystem $(libfdt-dir)/usr/include

$(libfdt-archive):
	$(call say,FETCH,libfdt-dev:arm64)
	$(Q)tools/fetch-deb $(CACHE) libfdt-dev $(libfdt-dir)
endif
