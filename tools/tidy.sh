#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh CUDA_HOME: what compilers do not see.  One line per finding; status 1 if there is any.
# Tools that are not installed are named and passed over.
set -euo pipefail
cd "$(dirname "$0")/.."
cuda=${1:-/usr/local/cuda}
out=build/tidy
build=build/release
mkdir -p $out
: >$out/findings

# findings WHAT: each line of standard input is one.
findings() { sed "s|^|$1: |" | tee -a $out/findings; }
have() { command -v "$1" >/dev/null || { echo "tidy: no $1 here, passed over" >&2; return 1; }; }
tracked() { git ls-files -- "$@"; }

check_layers() {
	# A quoted include names a file of its own folder or of include/.
	for layer in preload analyzer; do
		tracked "$layer/*.[ch]" "$layer/*.inc" | xargs grep -nE '^#include "' |
			while IFS=: read -r file line text; do
				name=${text#*\"} name=${name%%\"*}
				[ -e "include/$name" ] || [ -e "$layer/$name" ] ||
					[ -e "$(dirname "$file")/$name" ] || [[ $name == *_def ]] ||
					echo "$file:$line: includes $name"
			done
		tracked "$layer/*.[ch]" "$layer/*.inc" "$layer/*.def" |
			xargs grep -nE '#include "([./]*(preload|analyzer|tests)/)' || true
	done
	tracked 'include/*.h' | xargs grep -nE '^#include' |
		grep -vE '"ttitrace/[a-z_]+\.(h|def)"' |
		grep -vE '<(std(bool|def|int|lib)|assert|errno|limits|string)\.h>' |
		grep -vE 'frame\.h:[0-9]+:#include <zstd\.h>' || true
}

# In a foreign process: nothing that allocates, prints through stdio or ends it.
forbidden='(malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|strn?dup'
forbidden+='|v?(as|f|s|sn|d)?printf|f?puts|putchar|fopen|fdopen|fclose|fwrite|fread'
forbidden+='|getline|fgets|perror|syslog|exit|quick_exit|abort|assert_fail|system|popen|stdout|stderr)'
check_calls() {
	for object in "$build"/preload/*.o "$build"/preload/*/*.o; do
		[ -e "$object" ] || continue
		nm -u "$object" | awk '{ print $2 }' | grep -E "^_*${forbidden}(_chk)?$" |
			sed "s|^|$object: calls |" || true
	done
}

# Rows of the hook tables, and what stands in files of its own: resolve_entry.S, EXPORTED functions.
wanted_symbols() {
	for table in preload/hook_*.def; do
		# The hooks alone record nothing: they leave CUPTI to the application.
		[ "$1$table" != libttitrace-nop.sopreload/hook_cupti.def ] || continue
		# cuda.h's own macros must not rename a row: no header is included.
		cpp -P -x c -D'HOOK(r,s,...)=@s' -D'HOOK_PTSZ(r,s,...)=@s @s##_ptsz' \
			-D'HOOK_PTDS(r,s,...)=@s @s##_ptds' "$table" | grep -oE '@ ?[A-Za-z0-9_]+' | tr -d '@ '
	done
	grep -hoE '^ENTRY [a-z]+' preload/resolve_entry.S | awk '{ print $2 }'
	if [ "$1" = libttitrace.so ]; then
		grep -hE '^EXPORTED' preload/*.c | sed -E 's/\(.*//; s/.*[ *]//'
		echo _Exit # an alias, exit.c
		echo InitializeInjectionNvtx2 # nvtx.c
		grep -oE '\bttitrace_[a-z]+' include/ttitrace/ttitrace.h
	fi
}
check_symbols() {
	for library in libttitrace.so libttitrace-nop.so; do
		[ -e "$build/$library" ] || continue
		wanted_symbols $library | sort -u >$out/wanted
		nm -D --defined-only "$build/$library" | awk '{ print $3 }' | sort -u >$out/exported
		comm -13 $out/wanted $out/exported | sed "s/^/$library exports /"
		comm -23 $out/wanted $out/exported | sed "s/^/$library lacks /"
		objdump -T "$build/$library" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | while read -r version; do
			[ "$(printf '%s\nGLIBC_2.34\n' "$version" | sort -V | tail -1)" = GLIBC_2.34 ] ||
				echo "$library needs $version"
		done
	done
}

check_texts() {
	tracked '*.c' '*.h' '*.def' '*.inc' '*.S' '*.cu' '*.py' '*.sh' '*.1' '*.7' '*.dict' Makefile .ci/run \
		.clang-tidy | while read -r file; do
		head -4 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file: no SPDX line"
	done
	tracked '*.ttt' | grep -vE '^(tests|examples/study/traces)/' | sed 's/$/: a trace that somebody forgot/' || true
	# Text only, and not what was recorded elsewhere.
	git grep -InE '(^|[^A-Za-z0-9_.~-])/(work|root|home)/' -- . ':!tests/golden' ':!tests/fuzz/corpus' \
		':!tools/tidy.sh' | sed 's/$/  (a path of one machine)/' || true
}

check_scripts() { tracked '*.sh' .ci/run | xargs shellcheck -S style -f gcc || true; }

check_spelling() {
	# ot, inout ...: words of the code that look like mistakes.
	tracked ':!tests/golden' ':!tests/fuzz/corpus' ':!LICENSE' |
		xargs codespell -q 3 -L "${TIDY_WORDS:-crasher,ot,inout,nd,ans,fo,mis,te,tha}" || true
}

# The compile finds most; a file with findings is shown once.
check_clang() {
	local flags=(-std=gnu11 -D_GNU_SOURCE -Iinclude -I. -isystem "$build/analyzer" -isystem "$cuda/include"
		-isystem "$cuda/extras/CUPTI/include")
	local files='analyzer/*.c'
	[ -e "$cuda/include/cuda.h" ] && files='analyzer/*.c preload/*.c'
	# shellcheck disable=SC2086 # patterns are meant
	tracked $files | xargs -P "$(nproc)" -I{} clang-tidy --quiet {} -- "${flags[@]}" 2>/dev/null |
		grep -E '(error|warning):' | sort -u | sed "s|^$PWD/||" || true
}

make -s all CUDA_HOME="$cuda"
check_layers | findings layers
check_calls | findings calls
check_symbols | findings symbols
check_texts | findings texts
have shellcheck && check_scripts | findings shellcheck
have codespell && check_spelling | findings spelling
have clang-tidy && check_clang | findings clang-tidy
n=$(wc -l <$out/findings)
echo "tidy: $n findings"
[ "$n" -eq 0 ]
