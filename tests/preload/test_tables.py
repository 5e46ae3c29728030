# SPDX-License-Identifier: Apache-2.0
"""The table of entry points, the library and the stand-in driver name the same symbols."""

import re
import subprocess

import traced

TWINS = {"HOOK": (), "HOOK_PTSZ": ("_ptsz",), "HOOK_PTDS": ("_ptds",)}


def exported(path):
    out = subprocess.run(
        ["nm", "-D", "--defined-only", str(path)], capture_output=True, text=True, check=True
    ).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def rows():
    text = (traced.TOP / "preload/hook_cuda.def").read_text()
    for macro, symbol in re.findall(r"^(HOOK\w*)\(\w+,\s*(cu\w+),", text, re.MULTILINE):
        yield symbol
        for twin in TWINS[macro]:
            yield symbol + twin


def test_the_library_exports_the_rows_of_the_table_and_nothing_else_of_the_driver():
    ours = {s for s in exported(traced.LIBRARY) if re.match(r"cu[A-Z]", s)}
    assert ours == set(rows())


def library_rows():
    """Rows of the other tables; one of cuBLAS stands for its 64-bit twin too."""
    for table in ("cublas", "cublaslt", "cudnn", "cupti"):
        text = (traced.TOP / f"preload/hook_{table}.def").read_text()
        for macro, symbol in re.findall(r"^(HOOK|ROW)\(\w+, (cu\w+),", text, re.MULTILINE):
            yield symbol
            if macro == "ROW":
                yield symbol + "_64"


def test_of_the_libraries_the_rows_and_nothing_else():
    ours = {s for s in exported(traced.LIBRARY) if re.match(r"cu[a-z]", s)}
    without_cudnn = {s for s in library_rows() if not s.startswith("cudnn")}
    assert ours in (set(library_rows()), without_cudnn)


ENDINGS = "_exit _Exit execve execv execvp execvpe execl execlp execle fexecve execveat daemon"


def test_the_library_exports_little_else():
    ours = {s for s in exported(traced.LIBRARY) if not s.startswith("cu")}
    injected = {"InitializeInjection", "InitializeInjectionNvtx2"}
    said = {"ttitrace_pause", "ttitrace_resume", "ttitrace_mark"}
    assert ours <= {"dlsym", "dlvsym", *injected, *said, *ENDINGS.split()}


def test_the_hooks_alone_have_the_same_rows():
    nop = traced.BUILD / "libttitrace-nop.so"
    assert {s for s in exported(nop) if re.match(r"cu[A-Z]", s)} == set(rows())


def test_the_stand_in_driver_has_every_row():
    assert set(rows()) <= exported(traced.FAKE / "libcuda.so.1")


def test_the_library_needs_no_new_libc():
    out = subprocess.run(
        ["objdump", "-T", str(traced.LIBRARY)], capture_output=True, text=True, check=True
    ).stdout
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", out)}
    assert max(versions) <= (2, 34)
