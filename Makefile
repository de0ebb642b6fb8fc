# SPDX-License-Identifier: GPL-2.0
# The module itself is described in Kbuild, the reader in user/Makefile. Each
# line that begins with "#:" is a line of `make help`.

#: all                       the module for the running kernel, and the reader
#: module [KDIR=DIRECTORY]   ./tcphs.ko for the kernel built in DIRECTORY
#: user                      user/tcphs, the reader
#: demo                      real connections in a VM, and their timelines
#: check                     all tests, in a VM; TESTS="a.sh b.sh" REPEAT=N RETRY=N JOBS=N
#: check-kernels             the same on each kernel, in its own Debian;
#:                           KERNELS="5.10 6.1 6.12 7.2 6.1-rt 6.12-rt"
#: check-debug               and on kernels with KASAN, lockdep, kmemleak; KCSAN
#: check-fleet               two hosts feed a ClickHouse of two shards, in VMs with
#:                           7 GB of memory; CONNECTIONS=50000
#: soak                      MINUTES=30 of mixed load with readers, in a VM
#: life                      the module LOADS=1000 times in and out; TIDES=100 namespaces
#: bench                     the cost, beside that of others; on several CPUs; what
#:                           is lost at the full rate; PARTS="cost where smp full scale";
#:                           scale wants 10 GB of memory
#: bench-check               no dearer than recorded, as a share of ftrace's cost
#: bench-scale               the reader at 10,000 to 1,000,000 connections
#: check-all                 most of these, the most telling first; MINUTES=75
#: lint                      checkpatch, sparse, W=1, -Werror, shellcheck
#: install                   PREFIX=/usr/local DESTDIR=
#: uninstall                 what install has put there, for the same PREFIX=
#: dkms-install              the module by DKMS: for all kernels, now and later
#: dkms-remove               and away again
#: dkms-source               only its source, for packages; DESTDIR=
#: deb                       Debian packages, in build/deb
#: check-package             these, through a kernel upgrade, in a VM
#: fuzz                      fuzz the reader; FUZZ_SECONDS=3600
#: clean                     remove what was built
#: distclean                 and what was downloaded, and the VM
#: help                      this text
#:
#: V=1 shows the commands. demo, check and lint install what they need by apt
#: and keep the VM in build/; SUITE= FLAVOUR= KERNEL= choose another kernel for
#: it: see scripts/kernel.sh. scripts/vm.sh runs any command in it.

RELEASE := $(shell uname -r)
KDIR ?= /lib/modules/$(RELEASE)/build
PREFIX ?= /usr/local
ZSH ?= share/zsh/site-functions
DESTDIR ?=

V ?= 0
ifeq ($(V),0)
MAKEFLAGS += --no-print-directory
Q := @
endif

# Type information for BPF needs the kernel's vmlinux and pahole; nothing here
# needs it.
BTF := $(if $(wildcard $(KDIR)/vmlinux),$(shell command -v pahole))
BTF := $(if $(BTF),,CONFIG_DEBUG_INFO_BTF_MODULES=)

advice = install linux-headers-$(RELEASE), or name another: make module KDIR=<kernel build directory>

all: user
	$(Q)if [ -e "$(KDIR)/Makefile" ]; then \
		$(MAKE) module; \
	else \
		echo "The module is not built: no kernel build directory at $(KDIR);"; \
		echo "$(advice)"; \
	fi

module:
	$(Q)[ -e "$(KDIR)/Makefile" ] || { \
		echo "No kernel build directory at $(KDIR); $(advice)" >&2; \
		exit 1; \
	}
	$(Q)case "$(CURDIR)" in *[[:space:]:]*) \
		echo "The kernel's build takes no path with a space or a colon: move $(CURDIR)" >&2; \
		exit 1; \
	esac
	$(Q)$(MAKE) -C "$(KDIR)" M="$(CURDIR)" V=$(V) $(BTF) modules

user:
	$(Q)$(MAKE) -C user V=$(V)

demo:
	$(Q)scripts/demo.sh

check:
	$(Q)scripts/check.sh

check-kernels:
	$(Q)scripts/check-kernels.sh

check-debug:
	$(Q)scripts/check-debug.sh

check-fleet:
	$(Q)scripts/check-fleet.sh

soak:
	$(Q)scripts/long.sh soak

life:
	$(Q)scripts/long.sh life

bench:
	$(Q)scripts/bench.sh

bench-check:
	$(Q)scripts/bench-check.sh

bench-scale:
	$(Q)scripts/bench/scale.sh

check-all:
	$(Q)scripts/check-all.sh

lint:
	$(Q)scripts/lint.sh

# The module only where it has been built, and for the kernel that it is for.
install: user
	install -D -m 755 user/tcphs "$(DESTDIR)$(PREFIX)/sbin/tcphs"
	$(Q)for page in $(wildcard user/*.[0-9]); do \
		dir="$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}"; \
		echo "install -D -m 644 $$page $$dir/$${page##*/}"; \
		install -D -m 644 "$$page" "$$dir/$${page##*/}" || exit 1; \
	done
	install -D -m 644 user/completion/tcphs.bash \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tcphs"
	install -D -m 644 user/completion/_tcphs \
		"$(DESTDIR)$(PREFIX)/$(ZSH)/_tcphs"
	$(Q)if [ ! -e tcphs.ko ]; then \
		echo "No tcphs.ko: the module is not installed; make module builds it"; \
		exit 0; \
	fi; \
	word=; for word in $$(PATH="$$PATH:/usr/sbin:/sbin" modinfo -F vermagic tcphs.ko); do break; done; \
	if [ -z "$$word" ]; then \
		echo "modinfo cannot tell which kernel tcphs.ko is for: apt install kmod" >&2; \
		exit 1; \
	fi; \
	dir="$(DESTDIR)/lib/modules/$$word/extra"; \
	echo "install -D -m 644 tcphs.ko $$dir/tcphs.ko"; \
	install -D -m 644 tcphs.ko "$$dir/tcphs.ko" || exit 1; \
	if [ -z "$(DESTDIR)" ]; then PATH="$$PATH:/usr/sbin:/sbin" depmod "$$word"; fi

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/sbin/tcphs" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tcphs" \
		"$(DESTDIR)$(PREFIX)/$(ZSH)/_tcphs" \
		$(foreach page,$(notdir $(wildcard user/*.[0-9])), \
		"$(DESTDIR)$(PREFIX)/share/man/man$(lastword $(subst ., ,$(page)))/$(page)")
	$(Q)for file in "$(DESTDIR)"/lib/modules/*/extra/tcphs.ko; do \
		[ -e "$$file" ] || continue; \
		echo "rm -f $$file"; \
		rm -f "$$file" || exit 1; \
		dir="$${file%/extra/tcphs.ko}"; \
		if [ -z "$(DESTDIR)" ]; then PATH="$$PATH:/usr/sbin:/sbin" depmod "$${dir##*/}"; fi; \
	done

dkms-install dkms-remove dkms-source:
	$(Q)DESTDIR="$(DESTDIR)" scripts/dkms.sh $(@:dkms-%=%)

deb:
	$(Q)scripts/deb.sh

check-package:
	$(Q)scripts/package.sh

fuzz:
	$(Q)scripts/fuzz.sh

clean:
	$(Q)$(MAKE) -C user clean
	$(Q)$(MAKE) -C tests/unit clean
	$(Q)find . -path ./build -prune -o -path ./.git -prune -o \( -name '*.o' \
		-o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '.*.d' \) -type f -exec rm -f {} +
	$(Q)rm -rf Module.symvers modules.order build/check build/check.* build/vm

distclean: clean
	$(Q)rm -rf build

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

.PHONY: all module user demo check check-kernels check-debug soak life bench bench-check bench-scale check-all lint install uninstall clean distclean help
.PHONY: dkms-install dkms-remove dkms-source deb check-package check-fleet fuzz
