# SPDX-License-Identifier: Apache-2.0
"""What the GPU tests share: where things are, running programs, recording, reporting, results."""

import ctypes
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build/release")).resolve()
OUT = pathlib.Path(os.environ.get("OUT", ROOT / "build/gpu")).resolve()
PROGRAMS = ROOT / "tests/gpu/programs"
TTITRACE = BUILD / "ttitrace"
NOP_LIBRARY = BUILD / "libttitrace-nop.so"
EXIT_SKIPPED = 77
MAX_KEPT_BYTES = 15 << 20  # of files from a run


_deadline = None


def limit_time(seconds):
    """From now on nothing runs longer than this in total: what is late is killed and fails."""
    global _deadline
    _deadline = time.monotonic() + seconds


def time_left(wanted_s):
    """At most wanted_s, and no more than limit_time() has left."""
    return wanted_s if _deadline is None else min(wanted_s, max(0.0, _deadline - time.monotonic()))


class Finished:
    """What a program left behind: exit code, output, and what it cost."""

    def __init__(self, code, stdout, stderr, wall_s, usage):
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        self.wall_s = wall_s
        self.cpu_s = usage.ru_utime + usage.ru_stime if usage else 0.0
        self.rss_mib = usage.ru_maxrss / 1024 if usage else 0.0

    def tail(self, nr_lines=15):
        return "\n".join(self.stderr.splitlines()[-nr_lines:])


def gpu_is_usable():
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def skip_without_gpu():
    if not gpu_is_usable():
        print("skipped: no usable NVIDIA GPU")
        sys.exit(EXIT_SKIPPED)


def python(script, *args):
    return [sys.executable, str(script), *map(str, args)]


def kill_group(process):
    """The program and whatever it started, but nothing of ours: it leads its own session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_with_usage(process, timeout_s):
    """Reaps the process; its resource usage, those of its reaped children included."""
    timer = threading.Timer(time_left(timeout_s), kill_group, (process,))
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def run(command, timeout_s, env=None):
    """Runs to the end, or to the timeout: then its code is -9.  Leaves no process behind."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        begin = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        usage = wait_with_usage(process, timeout_s)
        wall_s = time.monotonic() - begin
        kill_group(process)
        return Finished(process.returncode, read_all(stdout), read_all(stderr), wall_s, usage)


def read_all(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def recorded(command, trace_dir, *options):
    """The command line that runs command under ttitrace, one trace per process in trace_dir."""
    return [TTITRACE, "record", *options, "-o", trace_dir / "%p.ttt", "--", *command]


def report(trace_dir, timeout_s=120):
    """(what `ttitrace report --json` says or None, how it ended)"""
    finished = run([TTITRACE, "report", "--json", trace_dir], timeout_s)
    try:
        return json.loads(finished.stdout), finished
    except ValueError:
        return None, finished


def trace_bytes(trace_dir):
    return sum(path.stat().st_size for path in pathlib.Path(trace_dir).glob("*.ttt"))


def build_cuda(source, output, *flags):
    """Compiles a CUDA source for the GPU of this machine; exits with nvcc's words if that fails."""
    home = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    nvcc = home / "bin/nvcc" if (home / "bin/nvcc").exists() else "nvcc"
    finished = run([nvcc, "-O2", "-arch=native", "-o", output, source, *flags], timeout_s=120)
    if finished.code != 0:
        sys.exit(f"{source}: nvcc failed\n{finished.tail()}")
    return output


def keep_files(name, folder, paths):
    """An archive OUT/name of these files of folder, smallest first, as far as they fit."""
    OUT.mkdir(parents=True, exist_ok=True)
    room = MAX_KEPT_BYTES
    with tarfile.open(OUT / name, "w") as archive:
        for path in sorted(paths, key=lambda path: path.stat().st_size):
            room -= path.stat().st_size
            if room < 0:
                break
            archive.add(path, path.relative_to(folder))


def write_results(name, lines, data):
    """The same result for people (OUT/name.txt) and for programs (OUT/name.json)."""
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (OUT / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")


def table(header, rows):
    """Lines of a text table: the first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return [
        "  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]).rstrip()
        for row in cells
    ]


def spread(values):
    """Median, minimum and maximum: what every measured figure is given with."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}
