# SPDX-License-Identifier: GPL-2.0-or-later
# tbstream: `make help` lists what can be made.

# Knobs
VERSION  = 0.1.0
PREFIX   = /usr/local
SBINDIR  = $(PREFIX)/sbin
MANDIR   = $(PREFIX)/share/man
DRACUTDIR = /usr/lib/dracut/modules.d
UDEVDIR  = /usr/lib/udev/rules.d
MODLOADDIR = /usr/lib/modules-load.d
DKMSDIR  = /usr/src
PLUGINDIR = $(shell pkg-config --variable=plugindir nbdkit 2>/dev/null)
KDIR     = /lib/modules/$(shell uname -r)/build
DESTDIR  =
CC       = gcc
CLANG    = clang
CFLAGS   = -O2 -g
WARN     = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
# yes: `tbstream ls` and `cp` read NTFS too, by libntfs-3g, and the program has 300 kB more than it may.
# What is tested beside it always does.
NTFS     = $(if $(filter release,$(FLAVOR)),,yes)
TESTS    =
FUZZ_SECONDS = 60
SEED     =
ROUNDS   = 200
RIG_ROUNDS = 10
JOBS     = $(shell nproc)
# Tests wait as much as they work.
TEST_JOBS = $(shell expr $(JOBS) + 1)
# Recovery tests side by side: most have two machines, one of which waits for the other. What
# measures time waits until it is alone.
VM_JOBS  = 2
V        =

# Builds: release is what is installed; the others are for `make check`.
FLAVOR   = release
O        = build/$(FLAVOR)
# The static program has to stay small: what nobody calls and the tables for unwinding are left out,
# and only codec/, whose loops every byte goes through, is large where that is quicker.
FLAVOR_CFLAGS_release  = $(if $(filter-out $(O)/tools/codec/%,$(filter $(O)/tools/%,$@)),-Os) \
			 -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
FLAVOR_LDFLAGS_release = -static -Wl,--gc-sections -Wl,-z,noseparate-code
FLAVOR_CFLAGS_plain    = -O1
FLAVOR_CFLAGS_asan     = -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
			 -fno-omit-frame-pointer
FLAVOR_LDFLAGS_asan    = -fsanitize=address,undefined
FLAVOR_CFLAGS_tsan     = -O1 -fsanitize=thread
FLAVOR_LDFLAGS_tsan    = -fsanitize=thread
FLAVOR_CFLAGS_fuzz     = -O1 -fsanitize=address,undefined,fuzzer-no-link \
			 -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAVOR_LDFLAGS_fuzz    = -fsanitize=address,undefined,fuzzer
FLAVOR_CFLAGS_clang    =
FLAVOR_CFLAGS_plugin   = -fPIC -fvisibility=hidden
FLAVOR_LDFLAGS_plugin  = -shared -Wl,--as-needed

ALL_CFLAGS  = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTBSTREAM_VERSION='"$(VERSION)"' \
	      -DFILES_NTFS=$(if $(NTFS),1,0) $(WARN) $(CFLAGS) $(FLAVOR_CFLAGS_$(FLAVOR)) -MMD -MP -pthread
ALL_LDFLAGS = $(LDFLAGS) $(FLAVOR_LDFLAGS_$(FLAVOR)) -pthread
PLUGIN_LIBS = -lblkid -luuid -lzstd -lxxhash -ljansson
LIBS        = -lext2fs -lcom_err $(if $(NTFS),-lntfs-3g) $(PLUGIN_LIBS)

# nbdkit loads its plugin's main file, which needs the header of nbdkit-plugin-dev. It stands on these rooms alone.
PLUGIN      = build/nbdkit-tbimage-plugin.so
PLUGIN_MAIN = tools/nbdkit/tbimage
PLUGIN_SRC  = $(filter-out $(PLUGIN_MAIN).c,$(wildcard tools/codec/*.c tools/io/*.c tools/nbdkit/*.c))
TOOLS_SRC   = $(filter-out tools/main.c $(PLUGIN_MAIN).c $(if $(NTFS),,tools/files/ntfs%),\
	      $(wildcard tools/*.c tools/*/*.c))
FABRIC_SRC  = $(filter-out tests/fabric/main.c,$(wildcard tests/fabric/*.c))
UNIT_SRC    = $(wildcard tests/unit/*/*.c)
FUZZ_SRC    = $(wildcard tests/fuzz/*/*_fuzz.c)

TOOLS_LIB   = $(O)/libtools.a
PLUGIN_LIB  = $(O)/libplugin.a
FABRIC_LIB  = $(O)/libfabric.a
UNITS       = $(UNIT_SRC:%.c=$(O)/%)
FUZZERS     = $(FUZZ_SRC:%.c=$(O)/%)

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

.PHONY: all help programs plugin fabric units fuzzers install uninstall rescue screens demo check check-unit \
	check-faults check-mutants check-vm check-vm-driver check-vm-matrix check-vm-rescue check-vm-debug \
	check-style \
	check-compile bench fuzz deps clean sysroot module modules check-module check-dkms install-module \
	install-plugin
.DELETE_ON_ERROR:
.SECONDARY:

all: programs

help:
	@sed -n 's/^## //p' Makefile

## make                 the static program: build/tbstream, build/tbsend, build/tbrecv
programs: build/tbstream build/tbsend build/tbrecv
## make fabric          the emulated USB4 cable for the tests: build/fabric
fabric: build/fabric build/agent build/exercise

## make plugin          nbdkit's plugin for images: build/nbdkit-tbimage-plugin.so
plugin:
	$(Q)[ -n "$(PLUGINDIR)" ] || { echo "nbdkit's header is missing: install the packages" \
		"nbdkit-plugin-dev and pkg-config (elsewhere nbdkit-devel)." >&2; exit 1; }
	$(Q)$(MAKE) FLAVOR=plugin $(PLUGIN)

build/tbstream: $(O)/tools/main.o $(TOOLS_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@.debug $^ $(ALL_LDFLAGS) $(LIBS)
	$(Q)strip -o $@ $@.debug

build/tbsend build/tbrecv: build/tbstream
	$(Q)ln -sf tbstream $@

$(PLUGIN): $(O)/$(PLUGIN_MAIN).o $(PLUGIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(PLUGIN_LIBS)

build/fabric: $(O)/tests/fabric/main.o $(FABRIC_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS)

build/agent: $(patsubst %.c,$(O)/%.o,$(wildcard tests/rig/agent/*.c))
build/exercise: $(patsubst %.c,$(O)/%.o,$(wildcard tests/rig/exercise/*.c))
build/agent build/exercise:
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS)

# A change of flags or compiler rebuilds everything that they touch.
FLAGS_NOW = $(CC) $(ALL_CFLAGS) | $(ALL_LDFLAGS)
$(O)/.flags: FORCE
	@mkdir -p $(O)
	@printf '%s\n' "$$FLAGS_NOW" | cmp -s - $@ || printf '%s\n' "$$FLAGS_NOW" > $@
export FLAGS_NOW
# .SECONDARY lets make pass over what does not exist, unless it is phony.
.PHONY: FORCE
FORCE:

$(O)/tools/%.o $(O)/tests/unit/%.o $(O)/tests/fuzz/%.o: INCLUDE = -Itools
$(O)/tests/fabric/%.o $(O)/tests/unit/fabric/%.o $(O)/tests/fuzz/fabric/%.o: INCLUDE = -Itests/fabric

$(O)/%.o: %.c $(O)/.flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(INCLUDE) -c -o $@ $<

$(TOOLS_LIB): $(TOOLS_SRC:%.c=$(O)/%.o)
$(PLUGIN_LIB): $(PLUGIN_SRC:%.c=$(O)/%.o)
$(FABRIC_LIB): $(FABRIC_SRC:%.c=$(O)/%.o)
$(O)/lib%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# Unit tests and fuzzers: one program a file.
units: $(UNITS)
UNITS_FABRIC = $(filter $(O)/tests/unit/fabric/%,$(UNITS))
$(UNITS_FABRIC): %: %.o $(FABRIC_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) -lcmocka
$(filter-out $(UNITS_FABRIC),$(UNITS)): %: %.o $(TOOLS_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) -lcmocka $(LIBS)

# With libFuzzer (FLAVOR=fuzz) a target fuzzes, with any other build it replays its corpus.
REPLAY = $(if $(filter fuzz,$(FLAVOR)),,$(O)/tests/fuzz/replay.o)
fuzzers: $(FUZZERS)
$(O)/tests/fuzz/fabric/%_fuzz: $(O)/tests/fuzz/fabric/%_fuzz.o $(FABRIC_LIB) $(REPLAY)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS)
$(O)/tests/fuzz/%_fuzz: $(O)/tests/fuzz/%_fuzz.o $(TOOLS_LIB) $(REPLAY)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(LIBS)

# For the test of a power cut, which has to fail with it.
$(O)/nosync/tbrecv: $(O)/tools/main.o $(O)/tests/power/nosync.o $(TOOLS_LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) -Wl,--wrap=fdatasync $(LIBS)

# The programs of another flavour, for the soak of faults: make check-faults FLAVOR=asan
$(O)/programs/tbstream: $(O)/tools/main.o $(TOOLS_LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(LIBS)
$(O)/programs/tbsend $(O)/programs/tbrecv: $(O)/programs/tbstream
	$(Q)ln -sf tbstream $@

# Checks
UNIT_T   = $(UNIT_SRC:%.c=build/t/asan/%.t) $(UNIT_SRC:%.c=build/t/valgrind/%.t)
REPLAY_T = $(FUZZ_SRC:%.c=build/t/asan/%.t)
STYLE_T  = tests/style/layers tests/style/sources
MODULE_T = $(wildcard tests/module/*.t)
SHELL_T  = $(wildcard tests/unit/*/*_test.sh tests/rescue/*.t tests/mutants/*.t tests/bench/*.t)
VM_FOUND = $(sort $(if $(TESTS),$(foreach t,$(TESTS),$(wildcard tests/$(t)*/run.t)), \
	   $(wildcard tests/[0-9][0-9]-*/run.t)))
# 30 waits until it is alone: soon where those beside it are short. The long ones come behind them.
VM_FIRST = $(filter tests/30-%,$(VM_FOUND)) $(filter tests/0% tests/1% tests/4% tests/5%,$(VM_FOUND))
VM_T     = $(VM_FIRST) $(filter-out $(VM_FIRST),$(VM_FOUND))
# What failed is said once more at the end: what follows a failure can be long.
prove    = $(Q)rm -f build/failures; FAILURES=build/failures $(2) prove --timer --exec '' $(1) || \
	{ cat build/failures 2>/dev/null; exit 1; }

## make check           all of the checks below but the four long ones
check: deps
	$(Q)$(MAKE) -j$(JOBS) check-compile
	$(Q)$(MAKE) -j$(JOBS) check-programs rescue
	$(call prove,-j$(TEST_JOBS) $(MODULE_T) $(STYLE_T) $(UNIT_T) $(REPLAY_T) $(SHELL_T))
	$(call prove,-j$(VM_JOBS) $(VM_T))
## make check-unit      unit tests and fuzz corpora, under ASan and UBSan and under valgrind
check-unit: check-programs
	$(call prove,-j$(TEST_JOBS) $(UNIT_T) $(REPLAY_T) $(SHELL_T))
## make check-faults    backups and restores with random faults, natively and on machines
##                      [SEED=… ROUNDS=200 RIG_ROUNDS=10 (0: natively), or ROUND=…; FLAVOR=asan, MARKDOWN=FILE]
PROGRAMS = $(if $(filter release,$(FLAVOR)),build,$(O)/programs)
check-faults: $(PROGRAMS)/tbsend $(PROGRAMS)/tbrecv programs fabric
	$(Q)tests/faults/soak.py --programs $(PROGRAMS) --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) \
		$(if $(ROUND),--round $(ROUND)) $(if $(QUICK),--quick) $(if $(MARKDOWN),--markdown $(MARKDOWN))
	$(if $(ROUND)$(QUICK)$(filter 0,$(RIG_ROUNDS)),,$(call prove,tests/62-faults/run.t,SEED=$(SEED) ROUNDS=$(RIG_ROUNDS)))
## make check-vm        recovery tests on virtual machines [TESTS="10 20"]
check-vm: programs fabric rescue
	$(call prove,-j$(VM_JOBS) $(VM_T))
## make check-vm-driver the kernel module beside the in-tree driver's faults, at length: 40 minutes
check-vm-driver: programs fabric
	$(call prove,$(wildcard tests/5[0-4]-*/run.t),DRIVERS="6.12 7.3 in-tree")
	$(call prove,$(wildcard tests/55-*/run.t),DRIVERS="6.12 7.3" CYCLES=200 PULLS=50)
## make check-vm-matrix every driver with every other one: 12 minutes
check-vm-matrix: programs fabric
	$(call prove,$(wildcard tests/56-*/run.t),MATRIX=all)
## make check-vm-rescue the interface by three versions of dracut, with systemd and without: 20 minutes
check-vm-rescue: programs fabric
	$(call prove,$(wildcard tests/22-*/run.t),MATRIX=all)
## make check-vm-debug  the kernel module on kernels that watch themselves: half an hour
check-vm-debug: programs fabric
	$(call prove,$(wildcard tests/debug/*.t))
## make check-module    the kernel module for four kernels: no warning at W=1, of sparse, of checkpatch
check-module:
	$(call prove,tests/module/build.t)
## make check-dkms      what DKMS makes of it
check-dkms:
	$(call prove,tests/module/dkms.t,DKMS=all)
## make check-style     layers, licences, formats, shell
check-style:
	$(call prove,$(STYLE_T))
## make check-mutants   changes a line of the code at a time: do the tests notice? Hours [SEED=1 MUTANTS=150]
check-mutants:
	$(Q)tests/mutants/mutants --seed $(or $(SEED),1) --count $(or $(MUTANTS),150) --jobs $(JOBS)
## make check-compile   gcc and clang, without a warning
check-compile:
	$(Q)$(MAKE) CC=$(CLANG) FLAVOR=clang objects
	$(Q)$(MAKE) objects

.PHONY: objects check-programs
objects: $(TOOLS_LIB) $(FABRIC_LIB) $(O)/tools/main.o $(O)/tests/fabric/main.o \
	$(if $(PLUGINDIR),$(O)/$(PLUGIN_MAIN).o) \
	$(patsubst %.c,$(O)/%.o,$(wildcard tests/rig/agent/*.c tests/rig/exercise/*.c tests/power/*.c) \
	$(UNIT_SRC) $(FUZZ_SRC))

check-programs: programs fabric $(if $(PLUGINDIR),plugin) $(UNIT_T) $(REPLAY_T)
	$(Q)$(MAKE) FLAVOR=asan units fuzzers
	$(Q)$(MAKE) FLAVOR=plain units build/plain/nosync/tbrecv

# prove runs programs without arguments: a line of shell gives each its own.
# A thread's alternative stack is taken for an overflow now and then when it is given back. And what
# takes and gives back chunks all the time should not have their shadow mapped anew each time: these
# tests took up to three times as long.
ASAN_OPTIONS = use_sigaltstack=0:clear_shadow_mmap_threshold=1073741824:quarantine_size_mb=64
build/t/asan/tests/unit/%.t: Makefile
	@mkdir -p $(@D) && printf '#!/bin/sh\nexport ASAN_OPTIONS=%s\nexec tests/unit/run %s\n' $(ASAN_OPTIONS) \
		build/asan/tests/unit/$* > $@ && chmod +x $@
build/t/valgrind/tests/unit/%.t: Makefile
	@mkdir -p $(@D) && printf '#!/bin/sh\nexec tests/unit/run %s %s\n' \
		'valgrind -q --sim-hints=lax-ioctls --leak-check=full --error-exitcode=99' build/plain/tests/unit/$* \
		> $@ && chmod +x $@
build/t/asan/%_fuzz.t: Makefile
	@mkdir -p $(@D) && printf '#!/bin/sh\nexport ASAN_OPTIONS=%s\nexec build/asan/%s %s\n' $(ASAN_OPTIONS) \
		$*_fuzz $(dir $*)corpus/$(notdir $*) > $@ && chmod +x $@

## make fuzz            every fuzzer for FUZZ_SECONDS [60], from its corpus, within bounds of memory
fuzz:
	$(Q)$(MAKE) CC=$(CLANG) FLAVOR=fuzz fuzzers
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_SRC:%.c=%)

## make bench           measures, and writes docs/benchmarks.md: ratios, no verdict [BENCH="disk driver rig" BENCH_ROUNDS=5
##                      PLACE=FOLDER for what is written meanwhile; QUICK=yes: little, once, to try it out]
bench: programs fabric
	$(Q)tests/bench/run $(if $(QUICK),--quick) $(if $(BENCH_ROUNDS),--rounds $(BENCH_ROUNDS)) \
		$(if $(PLACE),--place $(PLACE)) $(BENCH)

## make demo            a backup and a restore over the emulated cable, from nothing
demo: deps
	$(Q)$(MAKE) programs fabric rescue
	$(Q)tests/demo/run

## make screens         the pictures and texts of docs/rescue-screens.md
screens: programs fabric rescue
	$(Q)tests/screens/run

## make rescue          the rescue image: build/rescue/
rescue: build/rescue/rescue.img
build/rescue/rescue.img: build/tbstream $(wildcard dracut-module/* hooks/*)
	$(call say,DRACUT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)tests/rig/rig enter --bind $(CURDIR):/mnt/source:ro --bind $(CURDIR)/$(@D):/mnt/rescue -- \
		/mnt/source/dracut-module/tbstream-mkrescue --program /mnt/source/build/tbstream /mnt/rescue/rescue.img

# The kernel's own build leaves its products beside the sources: it gets a copy, and knows itself what
# there is to do.
MODULE_SRC = $(wildcard kernel/*.[ch] kernel/compat/*.[ch]) kernel/Kbuild
module_copy = install -d $(1)/compat && \
	install -C -m 644 $(filter-out kernel/compat/%,$(MODULE_SRC)) $(1) && \
	install -C -m 644 $(filter kernel/compat/%,$(MODULE_SRC)) $(1)/compat

KERNELS = 6.1 6.12 7.2 7.3

## make module          the kernel module for this machine's kernel, or for KDIR: build/module/local/
module: build/module/local/tbstream.ko
build/module/local/tbstream.ko: $(MODULE_SRC) FORCE
	$(Q)[ -e $(KDIR)/Makefile ] || { echo "No kernel headers in $(KDIR): install the package" \
		"linux-headers-$$(uname -r) (elsewhere kernel-devel), or name their folder in KDIR=." >&2; exit 1; }
	$(call say,KBUILD,$@)
	$(Q)$(call module_copy,$(@D))
	$(Q)$(MAKE) -s -C $(KDIR) M=$(CURDIR)/$(@D) TBSTREAM_VERSION=$(VERSION) modules

## make modules         the same for the kernels that it is tested with: build/module/6.1/ and so on
modules: $(KERNELS:%=module-%)
module-%:
	$(Q)tests/rig/rig module $*

## make sysroot         what the virtual machines are made of, in the cache folder
sysroot:
	$(Q)tests/rig/rig sysroot

## make deps            installs what the commands above need, where it is missing
deps:
	$(Q)tests/deps

## make install         programs, man pages, tbstream-mkrescue and its dracut module, udev rule; nbdkit's
##                      plugin, where nbdkit-plugin-dev and pkg-config are there [DESTDIR= PREFIX= PLUGINDIR=]
install: programs $(if $(PLUGINDIR),install-plugin)
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8
	install -m 755 build/tbstream $(DESTDIR)$(SBINDIR)/tbstream
	ln -sf tbstream $(DESTDIR)$(SBINDIR)/tbsend
	ln -sf tbstream $(DESTDIR)$(SBINDIR)/tbrecv
	install -m 644 tools/tbsend.8 tools/tbrecv.8 tools/tbstream.8 dracut-module/tbstream-mkrescue.8 \
		$(DESTDIR)$(MANDIR)/man8
	sed 's|@VERSION@|$(VERSION)|; s|@LIBDIR@|$(DRACUTDIR)/55tbstream|' dracut-module/tbstream-mkrescue \
		> $(DESTDIR)$(SBINDIR)/tbstream-mkrescue
	chmod 755 $(DESTDIR)$(SBINDIR)/tbstream-mkrescue
	install -d $(DESTDIR)$(DRACUTDIR)/55tbstream $(DESTDIR)$(UDEVDIR)
	install -m 755 dracut-module/*.sh $(filter-out %.service,$(wildcard hooks/tbstream-*)) \
		$(DESTDIR)$(DRACUTDIR)/55tbstream
	install -m 644 hooks/*.rules hooks/*.service hooks/*.target $(DESTDIR)$(DRACUTDIR)/55tbstream
	install -m 644 hooks/60-tbstream.rules $(DESTDIR)$(UDEVDIR)
## make install-plugin  nbdkit's plugin alone, and its man page
install-plugin: plugin
	install -d $(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(MANDIR)/man1
	install -m 644 build/nbdkit-tbimage-plugin.so $(DESTDIR)$(PLUGINDIR)
	install -m 644 tools/nbdkit/nbdkit-tbimage-plugin.1 $(DESTDIR)$(MANDIR)/man1
## make install-module  the kernel module's sources for DKMS, and what loads it at boot [DESTDIR=]
install-module:
	$(call module_copy,$(DESTDIR)$(DKMSDIR)/tbstream-$(VERSION))
	sed 's/@VERSION@/$(VERSION)/g' kernel/dkms.conf > $(DESTDIR)$(DKMSDIR)/tbstream-$(VERSION)/dkms.conf
	install -d $(DESTDIR)$(MODLOADDIR)
	install -m 644 kernel/modules-load.conf $(DESTDIR)$(MODLOADDIR)/tbstream.conf
	@echo "Then, as root: dkms install tbstream/$(VERSION)"
## make uninstall       removes them
uninstall:
	if [ -z "$(DESTDIR)" ] && [ -e /var/lib/dkms/tbstream/$(VERSION) ]; then \
		dkms remove tbstream/$(VERSION) --all; fi
	rm -rf $(DESTDIR)$(DKMSDIR)/tbstream-$(VERSION)
	rm -f $(DESTDIR)$(MODLOADDIR)/tbstream.conf
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,tbstream tbsend tbrecv tbstream-mkrescue)
	rm -f $(addprefix $(DESTDIR)$(MANDIR)/man8/,tbstream.8 tbsend.8 tbrecv.8 tbstream-mkrescue.8)
	rm -f $(DESTDIR)$(MANDIR)/man1/nbdkit-tbimage-plugin.1
	$(if $(PLUGINDIR),rm -f $(DESTDIR)$(PLUGINDIR)/nbdkit-tbimage-plugin.so)
	rm -f $(DESTDIR)$(UDEVDIR)/60-tbstream.rules
	rm -rf $(DESTDIR)$(DRACUTDIR)/55tbstream

## make clean           removes build/
clean:
	rm -rf build

-include $(shell find $(O) -name '*.d' 2>/dev/null)
