# SPDX-License-Identifier: Apache-2.0
# ttitrace: libttitrace.so (preload/) and the ttitrace command (analyzer/).
# MODE=release|debug|asan|tsan   V=1 shows commands   O=dir puts output elsewhere
# CUDA_HOME=dir has the CUDA headers   CUDNN_HOME=dir those of cuDNN if they are elsewhere
# PREFIX=dir DESTDIR=dir are for install
SHELL := /bin/bash
MODE ?= release
O ?= build/$(MODE)
CUDA_HOME ?= /usr/local/cuda
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/.*TTI_VERSION "\(.*\)".*/\1/p' include/ttitrace/ttitrace.h)

MODE_release = -O2 -g
MODE_debug = -O0 -g3 -Werror -DTTI_DEBUG
MODE_asan = -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DTTI_DEBUG
MODE_tsan = -O1 -g3 -fsanitize=thread -DTTI_DEBUG
CFLAGS ?= $(MODE_$(MODE))
# What the launch path calls lies in other files: seen together, a fifth of its instructions goes.
LTO_FLAGS := $(if $(filter release,$(MODE)),$(shell t=$$(mktemp -d) && echo 'int f(void) { return 0; }' >$$t/a.c && \
	$(CC) -flto=auto -ffat-lto-objects -O2 -fPIC -shared -Werror $$t/a.c -o $$t/a 2>/dev/null && \
	echo -flto=auto -ffat-lto-objects; rm -rf $$t))
WARN = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wvla -Wwrite-strings
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Iinclude $(WARN) $(CFLAGS) $(EXTRA_CFLAGS) -MMD -MP
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

obj = $(patsubst %.c,$(O)/%.o,$(wildcard $1))
# cuDNN's headers may be missing where CUDA's are there: then its calls are not hooked.
HAVE_CUDNN := $(firstword $(wildcard $(addsuffix /cudnn.h,$(CUDA_HOME)/include $(CUDNN_HOME)/include \
	/usr/include /usr/include/$(shell uname -m)-linux-gnu)))
HOOKS := $(addprefix $(O)/preload/,hook.o hook_cuda.o hook_cublas.o hook_cublaslt.o \
	$(if $(HAVE_CUDNN),,none/)hook_cudnn.o elf_symbol.o library.o resolve.o resolve_entry.o span.o span_entry.o)
NEED_CUDNN := $(addprefix $(O)/preload/,hook_cudnn.o cudnn_graph.o cudnn_problem.o)
PRELOAD := $(sort $(filter-out $(if $(HAVE_CUDNN),,$(NEED_CUDNN)),$(call obj,preload/*.c)) $(HOOKS))
# Hooks with nothing behind them: what standing in front of the driver costs by itself.
PRELOAD_NOP := $(HOOKS) $(addprefix $(O)/preload/,none/hook_cupti.o nop/nothing.o)
ANALYZER := $(filter-out %/main.o,$(call obj,analyzer/*.c)) $(addprefix $(O)/analyzer/,page_text.o perfetto.pb-c.o)
# What draws the page of report --html (node-d3, 5 or newer); without it there is no --html.
D3 := $(firstword $(wildcard /usr/share/nodejs/d3/dist/d3.min.js))
UNIT_PRELOAD := $(filter-out $(if $(HAVE_CUDNN),,%/test_cudnn_attribute),\
	$(basename $(call obj,tests/unit/preload/test_*.c)))
UNIT_ANALYZER := $(basename $(call obj,tests/unit/analyzer/test_*.c))
FORMATTED := $(wildcard preload/*.[ch] analyzer/*.[ch] include/ttitrace/*.h tests/*.[ch] tests/*/*.[ch] \
	tests/unit/*/*.[ch] examples/*.[ch])

# Static, so that one file runs on any machine with a libc and gcc's.  What is not used of the C++
# library goes: it would ask for a newer libc than the rest.
ANALYZER_LIBS = -Wl,--gc-sections -Wl,-Bstatic -lsqlite3 -lprotobuf-c -lavro -lsnappy -llzma \
	-ljansson -lyajl_s -lpcre2-8 -ldw -lelf -lzstd -lz -liberty -lstdc++ -Wl,-Bdynamic -lm -pthread
LINK = echo '  LINK $@'; $(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(LDFLAGS)

HAVE_CUDA := $(wildcard $(CUDA_HOME)/include/cuda.h)
HAVE_CUPTI := $(firstword $(wildcard $(CUDA_HOME)/include/cupti.h $(CUDA_HOME)/extras/CUPTI/include/cupti.h))
CUDA_CFLAGS = $(if $(CUDNN_HOME),-isystem $(CUDNN_HOME)/include) -isystem $(CUDA_HOME)/include -isystem $(CUDA_HOME)/extras/CUPTI/include

## all: libttitrace.so (where there are CUDA headers) and ttitrace
all: analyzer $(if $(HAVE_CUDA),preload,no-cuda)
analyzer: $(O)/ttitrace
preload: $(O)/libttitrace.so $(O)/libttitrace-nop.so
no-cuda:
	echo "no CUDA headers in $(CUDA_HOME)/include: libttitrace.so is not built, ttitrace is (CUDA_HOME=dir says where they are)" >&2

$(PRELOAD) $(PRELOAD_NOP): ALL_CFLAGS += $(LTO_FLAGS) -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	-fasynchronous-unwind-tables $(CUDA_CFLAGS)
$(O)/tests/unit/preload/%.o $(O)/tests/fake/%.o $(O)/tests/programs/%.o $(O)/tests/bench/%.o: ALL_CFLAGS += $(CUDA_CFLAGS)
$(O)/tests/fake/%.o: ALL_CFLAGS += -fPIC -fvisibility=hidden
$(O)/tests/programs/%.o $(O)/tests/bench/%.o: ALL_CFLAGS += -fPIC
$(O)/tests/unit/%.o $(O)/tests/fake/%.o $(O)/tests/programs/%.o $(O)/tests/bench/%.o \
	$(O)/tests/fuzz/%.o: ALL_CFLAGS += -I.
$(O)/%.o: %.c
	mkdir -p $(@D); echo '  CC $@'
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(O)/%.o: %.cc
	mkdir -p $(@D); echo '  CXX $@'
	$(CXX) -std=gnu++17 -Iinclude -I. $(CUDA_CFLAGS) -Wall -Wextra $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<
$(O)/%.o: %.S
	mkdir -p $(@D); echo '  AS $@'
	$(CC) $(CFLAGS) -c -o $@ $<
$(O)/libttitrace.so: $(PRELOAD)
	$(LINK) $(LTO_FLAGS) -shared -Wl,-z,defs,-soname,libttitrace.so -Wl,--exclude-libs,ALL -Wl,-Bstatic -lzstd -Wl,-Bdynamic -ldl -pthread
$(O)/libttitrace-nop.so: $(PRELOAD_NOP)
	$(LINK) $(LTO_FLAGS) -shared -Wl,-z,defs,-soname,libttitrace-nop.so -ldl
# Stand-ins for the driver and CUPTI, programs that use them.  cheap/: a driver whose launches cost
# nothing, for the bench.  versioned/: one with symbol versions, so that dlvsym finds something.
FAKE_CUDA := $(filter-out %/fake_cupti.o,$(call obj,tests/fake/*.c))
FAKES := $(addprefix $(O)/tests/fake/,libcuda.so.1 libcupti.so.13 other/libcupti.so.12 \
	cheap/libcuda.so.1 versioned/libcuda.so.1)
# And for cuBLAS in two versions and cuDNN with its part, with programs that call them in every way.
FAKE_LIBRARIES := $(addprefix $(O)/tests/fake/,$(foreach v,13 12,libcublasLt.so.$v libcublas.so.$v) \
	libcudnn_graph.so.9 libcudnn.so.9)
CALLS := $(addprefix $(O)/tests/programs/calls/,scenarios.o linked.o)
FAKE_CALLS := $(if $(HAVE_CUDNN),$(FAKE_LIBRARIES) $(O)/tests/programs/library_calls_linked $(O)/tests/programs/throws \
	$(addprefix $(O)/tests/programs/plugin/,libcalls.so libcalls12.so))
PROGRAMS := $(filter-out $(if $(HAVE_CUDNN),,%/library_calls),$(basename $(call obj,tests/programs/*.c))) $(addprefix $(O)/tests/programs/,routes_linked profiled_linked)
PLUGINS := $(addprefix $(O)/tests/programs/plugin/,libnext.so libat_load.so libslow_disk.so libcatcher.so libmany.so liboperations.so)
BENCHES := $(basename $(call obj,tests/bench/*.c))
WAY := $(O)/tests/programs/way/way.o
SHARED = $(LINK) -shared -Wl,-z,defs,-Bsymbolic,-soname,$(@F) -ldl -pthread
## fakes: the stand-in driver and CUPTI, and the test programs
fakes: $(FAKES) $(FAKE_CALLS) $(PROGRAMS) $(PLUGINS) $(BENCHES)
## check-preload: libttitrace.so in programs of every kind, against the stand-ins
check-preload: all fakes
	$(MAKE) --no-print-directory PYTEST_ARGS=tests/preload pytest
## check-kill: KILLS times (200) killed at a random moment, and as often on a disk that fills
check-kill: all fakes
	KILLS=$(or $(KILLS),200) JOBS=$(or $(JOBS),1) $(MAKE) --no-print-directory PYTEST_ARGS='-rP tests/preload/test_kill.py' pytest
## bench-launch: what one launch costs: bare, hooks alone, recording, stacks; nanoseconds and instructions
bench-launch: all fakes
	$(PYTHON) tests/bench/launch.py $(O)
	$(PYTHON) tests/bench/paths.py $(O)
	if command -v valgrind >/dev/null; then tests/bench/instructions.sh $(O); fi
$(O)/tests/fake/libcuda.so.1: $(FAKE_CUDA)
	$(SHARED)
$(O)/tests/fake/libcupti.so.13: $(O)/tests/fake/fake_cupti.o
	$(SHARED)
# A second copy, such as the one that Triton brings along.
$(O)/tests/fake/other/fake_cupti.o: tests/fake/fake_cupti.c
	mkdir -p $(@D); echo '  CC $@'
	$(CC) $(ALL_CFLAGS) -DFAKE_CUPTI_12 -c -o $@ $<
$(O)/tests/fake/other/libcupti.so.12: $(O)/tests/fake/other/fake_cupti.o
	$(SHARED)
$(O)/tests/fake/cheap/fake_module.o: tests/fake/fake_module.c
	mkdir -p $(@D); echo '  CC $@'
	$(CC) $(ALL_CFLAGS) -DFAKE_CHEAP -c -o $@ $<
$(O)/tests/fake/cheap/libcuda.so.1: $(filter-out %/fake_module.o,$(FAKE_CUDA)) $(O)/tests/fake/cheap/fake_module.o
	$(SHARED)
$(O)/tests/fake/versioned/libcuda.so.1: $(FAKE_CUDA)
	mkdir -p $(@D)
	$(SHARED) -Wl,--default-symver
$(O)/tests/programs/plugin/lib%.so: $(O)/tests/programs/plugin/%.o $(WAY)
	$(SHARED)
$(O)/tests/programs/plugin/libnext.so: $(O)/tests/programs/plugin/next.o
	$(SHARED)
$(O)/tests/programs/plugin/libslow_disk.so: $(O)/tests/programs/plugin/slow_disk.o
	$(SHARED)
$(O)/tests/programs/plugin/libcatcher.so: $(O)/tests/programs/plugin/catcher.o
	$(SHARED)
# The third library comes before the driver in the search order.
$(O)/tests/programs/routes_linked: $(O)/tests/programs/routes.o $(WAY) $(O)/tests/programs/way/way_linked.o \
		$(O)/tests/programs/plugin/libnext.so $(O)/tests/fake/libcuda.so.1
	$(LINK) -Wl,--no-as-needed $(filter %libnext.so %libcuda.so.1,$^) -Wl,-rpath,'$$ORIGIN/plugin' -ldl
# PyTorch is linked with CUPTI.
$(O)/tests/programs/profiled_linked: $(O)/tests/programs/profiled.o $(WAY) $(O)/tests/fake/libcupti.so.13
	$(LINK) -Wl,--no-as-needed $(filter %libcupti.so.13,$^) -ldl -pthread
FAKE_LIBRARY := $(O)/tests/fake/library
$(O)/tests/fake/libcublasLt.so.%: $(FAKE_LIBRARY)/fake_cublaslt.o $(FAKE_LIBRARY)/fake_library.o
	$(SHARED)
$(FAKE_LIBRARY)/12/fake_cublas.o: tests/fake/library/fake_cublas.c
	mkdir -p $(@D); echo '  CC $@'
	$(CC) $(ALL_CFLAGS) $(CUDA_CFLAGS) -DFAKE_VERSION=12 -c -o $@ $<
$(O)/tests/fake/libcublas.so.12: $(FAKE_LIBRARY)/12/fake_cublas.o
$(O)/tests/fake/libcublas.so.13: $(FAKE_LIBRARY)/fake_cublas.o
$(O)/tests/fake/libcublas.so.%: $(FAKE_LIBRARY)/fake_library.o $(O)/tests/fake/libcublasLt.so.%
	$(SHARED) $(filter %.so.$*,$^)
$(O)/tests/fake/libcudnn_graph.so.9: $(FAKE_LIBRARY)/fake_cudnn.o $(FAKE_LIBRARY)/fake_library.o
	$(SHARED)
$(O)/tests/fake/libcudnn.so.9: $(FAKE_LIBRARY)/fake_cudnn_shim.o
	$(SHARED)
$(O)/tests/programs/plugin/libcalls.so: $(addprefix $(O)/tests/fake/,libcublas.so.13 libcublasLt.so.13 libcudnn.so.9)
$(O)/tests/programs/plugin/libcalls12.so: $(addprefix $(O)/tests/fake/,libcublas.so.12 libcublasLt.so.12 libcudnn.so.9)
$(O)/tests/programs/plugin/libcalls.so $(O)/tests/programs/plugin/libcalls12.so: $(CALLS) $(WAY)
	mkdir -p $(@D)
	$(SHARED) $(filter %/libcublas.so.12 %/libcublas.so.13 %/libcublasLt.so.12 %/libcublasLt.so.13 %/libcudnn.so.9,$^)
$(O)/tests/programs/library_calls_linked: $(O)/tests/programs/library_calls.o $(CALLS) $(WAY) \
		$(addprefix $(O)/tests/fake/,libcublas.so.13 libcublasLt.so.13 libcudnn.so.9)
	$(LINK) $(filter %/libcublas.so.13 %/libcublasLt.so.13 %/libcudnn.so.9,$^) -ldl -pthread
# In C++: what leaves a call without returning.
$(O)/tests/programs/throws: $(O)/tests/programs/throws.o $(WAY)
	echo '  LINK $@'; $(CXX) $(CFLAGS) -o $@ $^ -ldl -pthread
$(O)/tests/programs/library_calls: $(O)/tests/programs/calls/scenarios.o
$(O)/tests/programs/library_calls: LDFLAGS += -Wl,-rpath,'$$ORIGIN/plugin'
$(filter-out %/routes_linked %/profiled_linked,$(PROGRAMS)) $(BENCHES): %: %.o $(WAY)
	$(LINK) -ldl -pthread -lm

# Perfetto's format: as much of the schema as is written, as C.
$(O)/analyzer/perfetto.pb-c.c: analyzer/perfetto.proto
	mkdir -p $(@D); echo '  PROTOC $@'
	protoc-c --c_out=$(@D) -Ianalyzer $(<F)
$(O)/analyzer/perfetto.pb-c.o: $(O)/analyzer/perfetto.pb-c.c
	echo '  CC $@'
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(O)/analyzer/perfetto_packets.o $(O)/analyzer/export_perfetto.o: $(O)/analyzer/perfetto.pb-c.c
$(O)/analyzer/perfetto_packets.o $(O)/analyzer/export_perfetto.o: ALL_CFLAGS += -I$(O)/analyzer

$(O)/ttitrace: $(O)/analyzer/main.o $(ANALYZER)
	$(LINK) $(ANALYZER_LIBS)
$(O)/page.html: $(wildcard analyzer/html/*) tools/page.py $(D3)
	mkdir -p $(@D); echo '  PAGE $@'
	$(if $(D3),$(PYTHON) tools/page.py analyzer/html/page.html $(D3) $@,: > $@; \
		echo "no D3 here (package node-d3): report --html will not work" >&2)
$(O)/analyzer/page_text.o: analyzer/page_text.S $(O)/page.html
	mkdir -p $(@D); echo '  AS $@'
	$(CC) $(CFLAGS) -DPAGE_FILE='"$(O)/page.html"' -c -o $@ $<
# Traces without a GPU: from text, and large ones for measuring.
$(O)/tests/mktrace $(O)/tests/mkbench: %: %.o
	$(LINK) -Wl,-Bstatic -lzstd -Wl,-Bdynamic
$(O)/tests/mkrepeat: $(addprefix $(O)/,tests/mkrepeat.o analyzer/reader.o analyzer/decode.o analyzer/diag.o)
	$(LINK) -Wl,-Bstatic -lzstd -Wl,-Bdynamic
$(O)/tests/mkrepeat.o: ALL_CFLAGS += -I.
# What it embeds.
$(O)/analyzer/presets.o: $(wildcard analyzer/presets/*.json)
# Decoding columns is loops over bytes: worth the vector instructions that -O2 does not try for.
$(O)/analyzer/decode.o: ALL_CFLAGS += $(if $(filter release,$(MODE)),-O3)
# Without what would stand in the test's own way: its dlsym, its exit and exec.
$(UNIT_PRELOAD): %: %.o $(filter-out %/exec.o %/exit.o %/resolve_entry.o,$(PRELOAD))
	$(LINK) -lzstd -lcmocka -ldl -pthread
$(UNIT_ANALYZER): %: %.o $(ANALYZER)
	$(LINK) $(ANALYZER_LIBS) -lcmocka

# Without CUDA headers there is no library to preload, and nothing to try it on.
PROCESSORS := $(shell nproc)
PYTEST_ARGS ?= -n $(PROCESSORS) tests --ignore=tests/browser $(if $(HAVE_CUDA),,--ignore=tests/preload)
## deps: the packages that building and testing need; installed where that is allowed
deps:
	tools/deps.sh
## check: every test that needs no GPU, in seconds
check: deps
	$(MAKE) --no-print-directory MODE=$(MODE) analyzer units $(if $(HAVE_CUDA),preload fakes)
	$(MAKE) --no-print-directory pytest
## check-asan: units and commands under sanitizers; a library to preload cannot be
check-asan: deps
	$(MAKE) --no-print-directory MODE=asan O=build/asan analyzer units
	$(MAKE) --no-print-directory O=build/asan PYTEST_ARGS='-n $(PROCESSORS) tests/unit tests/cli tests/fuzz' pytest
## check-browser: the HTML report in a headless browser (chromium, chromium-driver, python3-selenium)
check-browser: deps
	$(MAKE) --no-print-directory MODE=$(MODE) analyzer $(O)/tests/mktrace
	$(MAKE) --no-print-directory PYTEST_ARGS='-rs tests/browser' pytest
## check-tsan: what threads share
check-tsan: deps
	$(MAKE) --no-print-directory MODE=tsan O=build/tsan units
	$(MAKE) --no-print-directory O=build/tsan PYTEST_ARGS='-n $(PROCESSORS) tests/unit -k preload' pytest
## check-valgrind: the analyzer over the golden traces, byte by byte
check-valgrind: analyzer
	tools/deps.sh valgrind
	tests/valgrind.sh $(O)
## soak: 50 million launches, and 10 million with device records; memory over time
soak: all fakes
	tests/bench/soak.py $(O) none
	tests/bench/soak.py $(O) cupti 10000000 1 50
units: $(O)/tests/mktrace fuzzers $(UNIT_ANALYZER) $(if $(HAVE_CUDA),$(UNIT_PRELOAD))
pytest:
	O=$(O) $(PYTHON) -m pytest -q -p no:cacheprovider $(PYTEST_ARGS)
## check-gpu: what only a GPU can prove (tests/gpu/README.md)
check-gpu: all
	BUILD=$(O) tests/gpu/run.sh check
## demo: record a program, report on it; with a GPU a real one
demo: deps
	$(MAKE) --no-print-directory MODE=$(MODE) all $(if $(HAVE_CUDA),fakes)
	tools/demo.sh $(O)
## bench: nanoseconds, instructions and bytes per launch; launches per second of report
bench: all $(if $(HAVE_CUDA),fakes) $(O)/tests/mkbench $(O)/tests/mkrepeat
	tests/bench/run.sh $(O)
## bench-gpu: what tracing costs real programs, beside other profilers
bench-gpu: all
	BUILD=$(O) tests/gpu/run.sh bench

FUZZERS := $(basename $(call obj,tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
## fuzz: libFuzzer on every reader of input (clang), FUZZ_SECONDS each
fuzz:
	$(MAKE) --no-print-directory MODE=asan O=build/fuzz CC=clang FUZZ=1 \
		EXTRA_CFLAGS=-fsanitize=fuzzer-no-link fuzzers
	tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)
fuzzers: $(FUZZERS)
# Without libFuzzer they run the files they are given: `check` does so with the corpus.
$(FUZZERS): %: %.o $(O)/tests/fuzz/input.o $(if $(FUZZ),,$(O)/tests/fuzz/replay.o) $(ANALYZER)
	$(LINK) $(if $(FUZZ),-fsanitize=fuzzer) $(ANALYZER_LIBS)

## tidy: clang-tidy, layers, spelling, scripts
tidy:
	tools/tidy.sh $(CUDA_HOME)
## format, format-check: clang-format decides
format:
	clang-format -i $(FORMATTED)
format-check:
	clang-format --dry-run -Werror $(FORMATTED)

LIBDIR = $(DESTDIR)$(PREFIX)/lib/ttitrace
## install: the command, the library, man pages, completion, pkg-config, to PREFIX below DESTDIR
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(LIBDIR) $(DESTDIR)$(PREFIX)/lib/pkgconfig \
		$(DESTDIR)$(PREFIX)/include/ttitrace $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1 man/man7 \
		bash-completion/completions zsh/site-functions)
	install -m 755 $(O)/ttitrace $(DESTDIR)$(PREFIX)/bin/
	$(if $(HAVE_CUDA),install -m 755 $(O)/libttitrace.so $(LIBDIR)/)
	install -m 644 include/ttitrace/* $(DESTDIR)$(PREFIX)/include/ttitrace/
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 docs/man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -m 644 tools/completion/ttitrace.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/ttitrace
	install -m 644 tools/completion/_ttitrace $(DESTDIR)$(PREFIX)/share/zsh/site-functions/
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' tools/ttitrace.pc.in \
		> $(DESTDIR)$(PREFIX)/lib/pkgconfig/ttitrace.pc
# What goes into packages: an installation of its own each, without what only debuggers read.
package = $(if $(HAVE_CUDA),,$(error without CUDA headers there is no libttitrace.so, and nothing to pack)) \
	rm -rf $(O)/package/$@; \
	$(MAKE) --no-print-directory install DESTDIR=$(abspath $(O)/package/$@) PREFIX=/usr; \
	strip --strip-unneeded $(O)/package/$@/usr/bin/ttitrace $(O)/package/$@/usr/lib/ttitrace/libttitrace.so; \
	tools/$1 $(O)/package/$@ $(VERSION) $(O)
## wheel: a package for pip, in O, with the command and the library; it runs with any Python
wheel: all
	$(call package,wheel.py)
## deb: a Debian package, in O
deb: all
	$(call package,deb.sh)
clean:
	rm -rf build
## help: this list
help:
	sed -n 's/^## //p' $(MAKEFILE_LIST)
	echo "MODE=release|debug|asan|tsan  V=1 shows commands  O=dir  CUDA_HOME=dir  PREFIX=dir DESTDIR=dir"
.PHONY: all analyzer preload no-cuda fakes deps check check-asan check-browser check-tsan check-gpu demo bench bench-gpu \
	fuzz tidy format format-check install wheel deb clean help units pytest fuzzers check-preload check-kill check-valgrind soak bench-launch
$(V).SILENT:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
