# Builds, tests and installs mirl; `make help` lists the targets. SwiftPM does the work, this gives it names.

PREFIX ?= /usr/local
$(if $(filter /%,$(PREFIX)),,$(error PREFIX is $(PREFIX), but must begin with a slash))
override PREFIX := $(PREFIX:%/=%)
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
CC ?= cc
CFLAGS ?= -O2 -Wall -Wextra

# One configuration for everything, tests included (which is why they do without testable imports), so that nothing
# is compiled twice. No RUNPATH: what is installed finds its libraries where the system keeps them.
SWIFT_FLAGS := -c release --disable-local-rpath
PRODUCTS := .build/release
TOOLS := mirl-filter mirl-weights
PAGES := $(wildcard man/*.[1-9])
# A page of several names is found under each: other.3=page.3
PAGE_LINKS = $(shell awk '/^\.Sh/ { named = $$2 == "NAME"; page = FILENAME; sub(".*/", "", page); \
	suffix = substr(page, length(page) - 1) } \
	named && /^\.Nm/ && $$2 suffix != page { print $$2 suffix "=" page }' $(PAGES))
VERSION := $(shell awk '/define MIRL_VERSION_/ { v = v s $$3; s = "." } END { print v }' include/mirl.h)
MAJOR := $(firstword $(subst ., ,$(VERSION)))

HEADERS := include/mirl.h include/mirl.hpp
# The small ones are also built into the library.
WEIGHT_FILES := $(wildcard weights/*.mirl)
CMAKEDIR = $(LIBDIR)/cmake/mirl
CMAKE_FILES := mirlConfig.cmake mirlConfigVersion.cmake
# Paths below the prefix are written in its terms, so that pkg-config can move it.
FILL_IN = sed 's|@VERSION@|$(VERSION)|; s|@MAJOR@|$(MAJOR)|; s|@PREFIX@|$(PREFIX)|; \
	s|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|; s|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|; \
	s|@INCLUDES_FROM_HERE@|$(shell realpath -m --relative-to=$(CMAKEDIR) $(INCLUDEDIR))|'

# libvips opens the plugins in a folder of its own and in no other, so that is where a system's plugin goes. This is
# asked when it is needed, as `deps` may have installed libvips by then.
PLUGIN := build/vips-mirl.so
PLUGIN_SOURCES := $(wildcard plugins/vips/*.c) Sources/MirlImageIO/vips-srgb.c
PLUGIN_HEADERS := $(wildcard include/*.h plugins/vips/*.h Sources/MirlImageIO/*.h Sources/MirlImageIO/include/*.h)
VIPS_SERIES = $(shell pkg-config --modversion vips 2> /dev/null | cut -d . -f 1,2)
VIPS_LIBDIR = $(shell pkg-config --variable=libdir vips)
VIPS_MODULES ?= $(if $(filter /usr /usr/local,$(PREFIX)),$(VIPS_LIBDIR),$(LIBDIR))/vips-modules-$(VIPS_SERIES)

# The tests of the plugin run what is installed, as a user does.
PYTHON ?= /usr/bin/python3
STAGE := $(CURDIR)/build/stage
$(foreach path,CURDIR DESTDIR PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR BASHDIR ZSHDIR FISHDIR,\
	$(if $(word 2,$($(path))),$(error $(path) is $($(path)): make cannot work with paths that have spaces)))
STAGED = DESTDIR=$(STAGE) PREFIX=/usr LIBDIR=$(VIPS_LIBDIR)

export PATH := $(PATH):/opt/swift/usr/bin

.PHONY: all plugin help deps demo check check-vips check-python bench install uninstall deb check-deb clean

all: deps ## build mirl-filter, mirl-weights, libmirl.so and, for libvips, its plugin
	swift build $(SWIFT_FLAGS)
	@$(MAKE) --no-print-directory plugin

plugin:
	@if [ -n "$(VIPS_SERIES)" ]; then $(MAKE) --no-print-directory $(PLUGIN); fi

# Renamed when it is whole, as tests that install may run at the same time.
$(PLUGIN): $(PLUGIN_SOURCES) $(PLUGIN_HEADERS) $(PRODUCTS)/libmirl.so
	@mkdir -p build
	$(CC) $(CPPFLAGS) $(CFLAGS) -std=gnu17 -fPIC -fvisibility=hidden -shared -Iinclude -ISources/MirlImageIO/include \
		$$(pkg-config --cflags vips) -o $@.$$$$ $(PLUGIN_SOURCES) \
		$(LDFLAGS) -Wl,--as-needed,-z,defs,-z,nodelete -L$(PRODUCTS) -lmirl $$(pkg-config --libs vips) \
		&& mv $@.$$$$ $@

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables: PREFIX (now $(PREFIX)), DESTDIR, BINDIR, LIBDIR, INCLUDEDIR, DATADIR, MANDIR, BASHDIR, ZSHDIR," \
		"FISHDIR, VIPS_MODULES, CC, CPPFLAGS, CFLAGS, LDFLAGS"

deps: ## install the Debian packages that are missing
	@tools/packages

demo: all ## restore a rainy picture that is drawn here: build/demo/*.png
	@mkdir -p build/demo
	@$(CC) $(CFLAGS) -o build/demo/render examples/demo/render.c -lm
	@$(CC) $(CFLAGS) -o build/demo/psnr examples/demo/psnr.c -lm
	@build/demo/render build/demo
	@cd build/demo && vips copy clean.ppm clean.png && vips copy rainy.ppm rainy.png
	cat build/demo/rainy.png | $(PRODUCTS)/mirl-filter --task derain > build/demo/restored.png
	@vips copy build/demo/restored.png "build/demo/restored.ppm[strip]"
	@cd build/demo && ./psnr clean.ppm rainy.ppm restored.ppm
	@echo "Look at build/demo/rainy.png and build/demo/restored.png (clean.png is what it should be)."

check: deps ## run the tests
	@tools/packages fish zsh
	mandoc -T lint -W warning $(PAGES)
	tools/abi check
	swift test $(SWIFT_FLAGS) --disable-testable-imports
	@$(MAKE) --no-print-directory check-vips

check-vips: deps build/pyvips ## run the tests of the plugin for libvips
	rm -rf build/stage
	$(MAKE) --no-print-directory install $(STAGED) > /dev/null
	PATH="$(STAGE)/usr/bin:$$PATH" VIPSHOME=$(STAGE)$(dir $(VIPS_LIBDIR)) LD_LIBRARY_PATH=$(STAGE)$(VIPS_LIBDIR) \
		PYTHONPATH=build/pyvips $(PYTHON) -m unittest discover -s plugins/vips/tests

# Debian has no package of it. Without pkgconfig for Python it does without compiling, as most users' does.
build/pyvips: plugins/vips/tests/requirements.txt | deps
	$(PYTHON) -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --no-build-isolation \
		--require-hashes --upgrade --target $@ -r $<
	@touch $@

TORCH := torch==2.13.0+cpu

check-python: all build/python/installed ## run the tests of the programs in training/ and bench/, with PyTorch
	MIRL_BIN=$(CURDIR)/$(PRODUCTS) build/python/bin/python -m pytest -q -rs training/tests

# PyTorch without CUDA has an index of its own, which some networks have in their mirror of PyPI instead. That one is
# asked for PyTorch alone, and PyPI for all else.
build/python/installed: training/requirements.txt | deps
	@tools/packages git python3-venv
	$(PYTHON) -m venv --clear build/python
	build/python/bin/pip install -q --disable-pip-version-check --no-deps --retries 1 \
		--index-url https://download.pytorch.org/whl/cpu $(TORCH) 2> /dev/null || true
	build/python/bin/pip install -q --disable-pip-version-check $(TORCH) -r $<
	@touch $@

bench: all ## measure time and memory beside other engines, into docs/speed.md; WEIGHTS=FILE.mirl, BENCH="--quick"
	bench/run $(WEIGHTS:%=--weights %) $(BENCH)

install: all ## install under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(CMAKEDIR) $(DESTDIR)$(INCLUDEDIR)
	install -s $(TOOLS:%=$(PRODUCTS)/%) $(DESTDIR)$(BINDIR)
	install -s -m 644 $(PRODUCTS)/libmirl.so $(DESTDIR)$(LIBDIR)/libmirl.so.$(VERSION).new
	mv -f $(DESTDIR)$(LIBDIR)/libmirl.so.$(VERSION).new $(DESTDIR)$(LIBDIR)/libmirl.so.$(VERSION)
	ln -sf libmirl.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libmirl.so.$(MAJOR)
	ln -sf libmirl.so.$(MAJOR) $(DESTDIR)$(LIBDIR)/libmirl.so
	install -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/mirl $(WEIGHT_FILES)
	$(FILL_IN) include/mirl.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/mirl.pc
	for file in $(CMAKE_FILES); do $(FILL_IN) include/$$file.in > $(DESTDIR)$(CMAKEDIR)/$$file || exit 1; done
	for page in $(PAGES); do install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${page##*.} $$page || exit 1; done
	for link in $(PAGE_LINKS); do ln -sf $${link#*=} $(DESTDIR)$(MANDIR)/man$${link##*.}/$${link%=*} || exit 1; done
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	for tool in $(TOOLS); do \
		$(PRODUCTS)/$$tool --generate-completion-script bash > $(DESTDIR)$(BASHDIR)/$$tool && \
		$(PRODUCTS)/$$tool --generate-completion-script zsh > $(DESTDIR)$(ZSHDIR)/_$$tool && \
		$(PRODUCTS)/$$tool --generate-completion-script fish > $(DESTDIR)$(FISHDIR)/$$tool.fish || exit 1; done
	@$(MAKE) --no-print-directory plugin
	[ -z "$(VIPS_SERIES)" ] || { install -D -s -m 644 $(PLUGIN) $(DESTDIR)$(VIPS_MODULES)/.$(notdir $(PLUGIN)).new && \
		mv -f $(DESTDIR)$(VIPS_MODULES)/.$(notdir $(PLUGIN)).new $(DESTDIR)$(VIPS_MODULES)/$(notdir $(PLUGIN)); }
	@[ -n "$(DESTDIR)" ] || { ldconfig 2> /dev/null && ldconfig -p | grep -q '=> $(LIBDIR)/libmirl\.so\.$(MAJOR)$$'; } || \
		echo "For programs to find libmirl.so.$(MAJOR), run ldconfig as root or set LD_LIBRARY_PATH=$(LIBDIR)"

uninstall: ## remove what install put there
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) $(HEADERS:include/%=$(DESTDIR)$(INCLUDEDIR)/%)
	rm -f $(DESTDIR)$(LIBDIR)/libmirl.so $(DESTDIR)$(LIBDIR)/libmirl.so.$(MAJOR) $(DESTDIR)$(LIBDIR)/libmirl.so.$(VERSION)
	rm -f $(DESTDIR)$(LIBDIR)/pkgconfig/mirl.pc $(CMAKE_FILES:%=$(DESTDIR)$(CMAKEDIR)/%)
	[ ! -d $(DESTDIR)$(CMAKEDIR) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(CMAKEDIR)
	rm -f $(WEIGHT_FILES:weights/%=$(DESTDIR)$(DATADIR)/mirl/%)
	[ ! -d $(DESTDIR)$(DATADIR)/mirl ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(DATADIR)/mirl
	rm -f $(TOOLS:%=$(DESTDIR)$(BASHDIR)/%) $(TOOLS:%=$(DESTDIR)$(ZSHDIR)/_%) $(TOOLS:%=$(DESTDIR)$(FISHDIR)/%.fish)
	for page in $(notdir $(PAGES)) $(foreach link,$(PAGE_LINKS),$(firstword $(subst =, ,$(link)))); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done
	@[ -n "$(VIPS_SERIES)" ] || [ "$(origin VIPS_MODULES)" != file ] || \
		echo "If libvips had a plugin, name its folder: make uninstall VIPS_MODULES=...; without libvips-dev it is not known"
	rm -f $(DESTDIR)$(VIPS_MODULES)/$(notdir $(PLUGIN))
	[ ! -d $(DESTDIR)$(VIPS_MODULES) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(VIPS_MODULES)

deb: all ## build Debian packages into build/deb
	@tools/packages debhelper lintian
	@[ "$$(dpkg-parsechangelog -S Version)" = $(VERSION) ] || \
		{ echo "debian/changelog is not of version $(VERSION)" >&2; exit 1; }
	rm -rf build/deb && mkdir -p build/deb
	debian/rules binary PACKAGES=$(CURDIR)/build/deb
	debian/rules clean
	lintian --fail-on error build/deb/*.deb

check-deb: deb ## install, use and remove the packages in a fresh Debian; as root
	@tools/packages debootstrap
	tools/check-deb build/deb

clean: ## remove everything that was built
	rm -rf .build build
