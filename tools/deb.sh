#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# deb.sh STAGE VERSION OUT: packs an installation with PREFIX=/usr below STAGE as a Debian package in
# OUT.  What it depends on is read from the binaries; DEBFULLNAME and DEBEMAIL say whose it is.  Prints the package's path.
set -euo pipefail
stage=${1:?usage: deb.sh STAGE VERSION OUT} version=${2:?} out=${3:?}
root=$(cd "$(dirname "$0")/.." && pwd)
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-The ttitrace developers} <${DEBEMAIL:-nobody@ttitrace.invalid}>"
when="@${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}"

doc="$stage/usr/share/doc/ttitrace"
install -d "$doc" "$stage/DEBIAN" "$stage/usr/share/zsh/vendor-completions"
install -m 644 "$root/tools/package.copyright" "$doc/copyright"
install -m 644 "$root/README.md" "$doc/"
printf 'ttitrace (%s) unstable; urgency=low\n\n  * Version %s.\n\n -- %s  %s\n' \
	"$version" "$version" "$maintainer" "$(LC_ALL=C date -u -R -d "$when")" | gzip -9n >"$doc/changelog.gz"
gzip -9n "$stage"/usr/share/man/man*/*
# Where Debian's zsh looks for what packages bring.
mv "$stage"/usr/share/zsh/site-functions/* "$stage/usr/share/zsh/vendor-completions/"
rmdir "$stage/usr/share/zsh/site-functions"
chmod 644 "$stage/usr/lib/ttitrace/libttitrace.so"

# dpkg-shlibdeps wants to stand in a source package.
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
mkdir "$source/debian"
printf 'Source: ttitrace\n\nPackage: ttitrace\nArchitecture: any\n' >"$source/debian/control"
binaries=$(realpath "$stage/usr/bin/ttitrace" "$stage/usr/lib/ttitrace/libttitrace.so")
# shellcheck disable=SC2086 # words are meant
depends=$(cd "$source" && dpkg-shlibdeps -O $binaries 2>/dev/null | sed -n 's/^shlibs:Depends=//p')

cat >"$stage/DEBIAN/control" <<END
Package: ttitrace
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Section: devel
Priority: optional
Depends: $depends
Recommends: libunwind8
Installed-Size: $(du -k -s --exclude=DEBIAN "$stage" | cut -f1)
Description: where the GPU time of a generator of images, video or text went
 Records every CUDA launch of a program that nobody changed, with the GPU's
 own times, and says what each kernel was for: by operator, module, phase,
 attention shape. Recording needs an NVIDIA GPU and its driver; reading
 traces needs neither.
END
(cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
find "$stage" -type d -exec chmod 755 {} +
package="$out/ttitrace_${version}_$architecture.deb"
SOURCE_DATE_EPOCH=${when#@} dpkg-deb --root-owner-group --build "$stage" "$package" >/dev/null
echo "$package"
