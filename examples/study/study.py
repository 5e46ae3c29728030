#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole study: records what is not recorded yet, then writes tables and pictures.

Without a GPU the traces that are there are judged: --traces.
"""

import argparse
import pathlib
import subprocess
import sys
import time

import facts
import sections

HERE = pathlib.Path(__file__).resolve().parent


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", help="sections to make; all by default")
    parser.add_argument(
        "--traces", type=pathlib.Path, default=facts.ROOT / "build/study", help="of the study"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, default=facts.ROOT / "build/study", help="TABLES.md, *.png"
    )
    parser.add_argument("--no-record", action="store_true", help="judge the traces that are there")
    parser.add_argument("--no-pictures", action="store_true", help="needs no matplotlib")
    return parser.parse_args()


def markdown(section):
    lines = [f"## {section.title}", "", section.text, ""]
    lines += ["```", *section.commands, "```", ""]
    lines += ["| " + " | ".join(map(str, section.header)) + " |", "|" + "---|" * len(section.header)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in section.rows]
    return "\n".join(lines)


def main():
    args = parse_arguments()
    facts.TRACES = args.traces
    if not args.no_record:
        record = [sys.executable, HERE / "record.py", "--traces", args.traces, "--ttitrace", facts.TTITRACE]
        if subprocess.run(record).returncode:
            print("some runs failed; the study goes on with the others", file=sys.stderr)
    args.out.mkdir(parents=True, exist_ok=True)
    parts = []
    for make in sections.ALL:
        if args.only and make.__name__ not in args.only:
            continue
        begin = time.monotonic()
        section = make()
        if not section.rows:
            print(f"{make.__name__}: none of its traces is there", file=sys.stderr)
            continue
        text = markdown(section)
        if not args.no_pictures:
            import pictures

            if picture := pictures.draw(section, args.out):
                text += f"\n\n![{section.title}]({picture})"
        parts.append(text)
        print(f"{make.__name__}: {time.monotonic() - begin:.1f} s", file=sys.stderr)
    tables = "# Tables of the study\n\nMade by `examples/study/study.py`.\n\n"
    (args.out / "TABLES.md").write_text(tables + "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
