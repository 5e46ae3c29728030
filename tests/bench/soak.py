#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""soak.py BUILD [TIMING [LAUNCHES [THREADS [RATE]]]]: many launches (50 million by 2 threads, RATE
(150) thousand a second each) through the stand-in driver; the memory of the program over time, and
what came of it. TIMING cupti: with device records; the stand-in for CUPTI is slow where several
threads launch at once, so one thread and 50 thousand a second are what it can take.

Status 1 if the memory of the last quarter is more than 5 % above that of the second."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def rss_kb(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(x.split()[1]) for x in text.splitlines() if x.startswith("VmRSS")), 0)


def soak(build, timing, launches, threads, rate, output):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TTITRACE_", "FAKE_"))}
    env["LD_LIBRARY_PATH"] = str(build / "tests/fake")
    env["LD_PRELOAD"] = str(build / "libttitrace.so")
    env["TTITRACE_CUPTI"] = str(build / "tests/fake/libcupti.so.13")
    env["TTITRACE_RING_KB"] = "16384"  # a machine that is busy otherwise lets the writer wait
    env["TTITRACE_TIMING"] = timing
    env["TTITRACE_OUTPUT"] = str(output)
    program = [build / "tests/programs/steady", str(launches // threads), str(threads), str(rate)]
    process = subprocess.Popen(program, env=env, stdout=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        time.sleep(0.5)
        samples.append(rss_kb(process.pid))
    assert process.returncode == 0
    return [kb for kb in samples if kb]


def report(build, output):
    command = ["/usr/bin/env", "time", "-f", "%e %M", build / "ttitrace", "report", "--json", output]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak_kb = done.stderr.split()[-2:]
    return json.loads(done.stdout), float(seconds), int(peak_kb)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    timing = sys.argv[2] if len(sys.argv) > 2 else "none"
    launches, threads, rate = map(int, (sys.argv[3:] + [50_000_000, 2, 150][len(sys.argv[3:]) :]))
    with tempfile.TemporaryDirectory() as directory:
        output = pathlib.Path(directory) / "soak.ttt"
        begin = time.monotonic()
        samples = soak(build, timing, launches, threads, rate, output)
        seconds = time.monotonic() - begin
        size = output.stat().st_size
        result, report_s, report_kb = report(build, output)
    quarters = [samples[len(samples) * i // 4 : len(samples) * (i + 1) // 4] for i in range(4)]
    peaks = [max(quarter) for quarter in quarters if quarter]
    coverage = result["coverage"]
    lost = {loss["cause"]: loss["count"] for loss in result["losses"]}
    print(f"{launches:,} launches by {threads} threads in {seconds:.0f} s, timing {timing}")
    print("peak RSS by quarter, MB: " + ", ".join(f"{kb / 1024:.1f}" for kb in peaks))
    print(f"trace {size / 1e6:.1f} MB, {size / max(coverage['launches'], 1):.2f} bytes a launch")
    print(f"report {report_s:.1f} s, peak {report_kb / 1024:.0f} MB")
    print(f"recorded {coverage['launches']:,}, matched {coverage['matched']:,}, lost {lost or 'none'}")
    sys.exit(peaks[3] > 1.05 * peaks[1])


if __name__ == "__main__":
    main()
