#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""page.py PAGE D3 OUTPUT: a page with its style sheets and scripts -> one file.

Only scripts that are in it may run when it is looked at, and nothing may be fetched: their hashes
stand in its content security policy.
"""

import base64
import hashlib
import pathlib
import re
import sys


def script_hash(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def main(page, d3, output):
    folder = pathlib.Path(page).parent
    hashes = []

    def read(name):
        path = pathlib.Path(d3) if name == "d3.min.js" else folder / name
        return path.read_text(encoding="utf-8")

    def style(match):
        return f"<style>\n{read(match[1])}</style>"

    def script(match):
        text = "\n" + read(match[1])
        if "</script" in text.lower():
            sys.exit(f"{match[1]}: has the end of a script in it")
        hashes.append(script_hash(text))
        return f"<script>{text}</script>"

    text = pathlib.Path(page).read_text(encoding="utf-8")
    text = re.sub(r'<link rel="stylesheet" href="([^"]+)">', style, text)
    text = re.sub(r'<script src="([^"]+)"></script>', script, text)
    text = text.replace("@SCRIPTS@", " ".join(hashes))
    pathlib.Path(output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
