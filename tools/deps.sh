#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh [PACKAGE...]: installs the packages that building and testing need, and those named, as
# root or by sudo; else says how.
set -eu
packages="gcc g++ make pkg-config libzstd-dev libjansson-dev libpcre2-dev libiberty-dev libelf-dev libdw-dev zlib1g-dev
libyajl-dev libsqlite3-dev libavro-dev libsnappy-dev liblzma-dev libprotobuf-c-dev protobuf-c-compiler python3-avro
libcmocka-dev libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0 zstd node-d3 python3 python3-pytest python3-pytest-xdist
python3-venv dpkg-dev zsh less"

if ! command -v dpkg-query >/dev/null; then
	echo "not a Debian or Ubuntu: needed is what these packages hold: $packages $*" >&2
	exit 0
fi
missing=
for package in $packages "$@"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	sudo="sudo -n"
	if ! $sudo true 2>/dev/null; then
		echo "missing packages; to install them: sudo apt-get install$missing" >&2
		exit 1
	fi
fi
echo "installing$missing" >&2
# shellcheck disable=SC2086 # words are meant
{
	$sudo apt-get update -qq || true
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing
} >/dev/null
