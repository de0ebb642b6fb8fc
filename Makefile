# tcphs: `make help` says what there is. The module itself is described in Kbuild.

# Where the module is built against: a kernel's build directory.
KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
DESTDIR ?=
MODDIR ?= /lib/modules/$(shell uname -r)/extra

# Quiet unless V=1.
V ?= 0
ifeq ($(V),0)
MAKEFLAGS += --no-print-directory
Q := @
endif

all: user
	$(Q)if [ -e "$(KDIR)/Makefile" ]; then \
		$(MAKE) module; \
	else \
		echo "No kernel headers at $(KDIR): the module is not built."; \
		echo "Install linux-headers-$$(uname -r), or: make module KDIR=<kernel build directory>"; \
	fi

module:
	$(Q)[ -e "$(KDIR)/Makefile" ] || { \
		echo "No kernel build directory at $(KDIR)." >&2; \
		echo "Install linux-headers-$$(uname -r), or: make module KDIR=<kernel build directory>" >&2; \
		exit 1; }
	$(Q)$(MAKE) -C "$(KDIR)" M="$(CURDIR)" V=$(V) $(KFLAGS) modules

user:
	$(Q)$(MAKE) -C user V=$(V)

demo:
	$(Q)scripts/demo.sh

check:
	$(Q)scripts/check.sh

lint:
	$(Q)scripts/lint.sh

install: user
	$(Q)scripts/install.sh

clean:
	$(Q)scripts/clean.sh

help:
	@sed -n 's/^#: //p' Makefile

.PHONY: all module user demo check lint install clean help
