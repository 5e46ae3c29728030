#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wheel.py STAGE VERSION OUT: packs an installation with PREFIX=/usr below STAGE as a wheel in OUT.

There is no Python in it: the command goes to the environment's bin, the library to its lib/ttitrace,
where `ttitrace record` looks.  The platform is what the binaries ask for, read from themselves.
Prints the wheel's path.
"""

import base64
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# What every machine with glibc has, by the rules for manylinux.
EVERYWHERE = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libgcc_s.so.1", "ld-linux-x86-64.so.2",
              "ld-linux-aarch64.so.1"}
# Below the stage, and where a wheel has it.
PLACES = (("usr/bin", "scripts"), ("usr/lib/ttitrace", "data/lib/ttitrace"), ("usr/include", "data/include"),
          ("usr/share", "data/share"))


def objdump(flag, path):
    return subprocess.run(["objdump", flag, path], capture_output=True, text=True, check=True).stdout


def platform_of(binaries):
    """The oldest manylinux that runs them."""
    newest = (2, 17)
    for path in binaries:
        foreign = set(re.findall(r"NEEDED +(\S+)", objdump("-p", path))) - EVERYWHERE
        if foreign:
            sys.exit(f"wheel.py: {path} needs {', '.join(sorted(foreign))}, which not every machine has")
        found = re.findall(r"\(GLIBC_(\d+)\.(\d+)", objdump("-T", path))
        newest = max([newest, *((int(major), int(minor)) for major, minor in found)])
    return f"manylinux_{newest[0]}_{newest[1]}_{os.uname().machine}"


def metadata(version):
    return f"""Metadata-Version: 2.1
Name: ttitrace
Version: {version}
Summary: Where the GPU time of an image, video or language generator went
License: Apache-2.0
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Environment :: Console
Classifier: Environment :: GPU :: NVIDIA CUDA
Classifier: Operating System :: POSIX :: Linux
Description-Content-Type: text/markdown

{(ROOT / "README.md").read_text(encoding="utf-8")}"""


def contents(stage, version, platform):
    """(name in the archive, bytes, mode) of each file but the list of them."""
    info = f"ttitrace-{version}.dist-info"
    for source, target in PLACES:
        for path in sorted((stage / source).rglob("*")):
            if path.is_file():
                name = f"ttitrace-{version}.data/{target}/{path.relative_to(stage / source)}"
                yield name, path.read_bytes(), path.stat().st_mode
    wheel = f"Wheel-Version: 1.0\nGenerator: ttitrace\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n"
    yield f"{info}/METADATA", metadata(version).encode(), 0o100644
    yield f"{info}/WHEEL", wheel.encode(), 0o100644
    yield f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes(), 0o100644
    yield f"{info}/licenses/COPYRIGHT", (ROOT / "tools/package.copyright").read_bytes(), 0o100644


def add(archive, name, data, mode):
    # The same sources make the same archive; zip knows no time before 1980.
    when = max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800)
    entry = zipfile.ZipInfo(name, time.gmtime(when)[:6])
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def main():
    stage, version, out = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    platform = platform_of([stage / "usr/bin/ttitrace", stage / "usr/lib/ttitrace/libttitrace.so"])
    path = out / f"ttitrace-{version}-py3-none-{platform}.whl"
    record = f"ttitrace-{version}.dist-info/RECORD"
    lines = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, data, mode in contents(stage, version, platform):
            add(archive, name, data, mode)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(data)}\n")
        add(archive, record, "".join([*lines, f"{record},,\n"]).encode(), 0o100644)
    print(path)


main()
