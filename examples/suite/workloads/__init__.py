# SPDX-License-Identifier: Apache-2.0
"""One file for each workload: its defaults, its models, its generation."""

import importlib

NAMES = (
    # of the paper
    "llama2",
    "imagen",
    "stable_diffusion",
    "prod_image",
    "muse",
    "parti",
    "make_a_video",
    "phenaki",
    # of today
    "sd3",
    "flux",
    "wan",
    # open twins of models that were not published
    "deepfloyd_if",
    "amused",
)


def workload(name):
    """The class; it imports what this workload needs and no more."""
    return importlib.import_module(f"workloads.{name}").Generation
