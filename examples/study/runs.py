# SPDX-License-Identifier: Apache-2.0
"""What the study records: for each name the suite's workload and options.

Few steps stand for many, as steps repeat; FULL_STEPS says how many a whole generation has.
"""

FULL_STEPS = {  # as the models are used; super-resolution is apart
    "llama2": 256,
    "imagen": 100,
    "stable_diffusion": 50,
    "prod_image": 50,
    "muse": 24,
    "parti": 1024,
    "make_a_video": 50,
    "phenaki": 24,
    "sd3": 28,
    "flux": 28,
    "wan": 50,
    "deepfloyd_if": 100,
    "amused": 12,
}
RECORDED_STEPS = {
    "llama2": 256,
    "imagen": 6,
    "stable_diffusion": 4,
    "prod_image": 4,
    "muse": 6,
    "parti": 1024,
    "make_a_video": 4,
    "phenaki": 4,
    "sd3": 4,
    "flux": 4,
    "wan": 2,
    "deepfloyd_if": 6,
    "amused": 4,
}
# Of each workload's parts: name, which phases of a trace, how many a whole generation has for each step
# of the first loop; 0: as many as were recorded.
STAGES = {
    "llama2": (("prefill", "prefill", 0, None), ("decode", "decode step", 1, None)),
    "parti": (
        ("text", "text encoding", 0, None),
        ("decode", "decode step", 1, None),
        ("decoder", "VAE decode", 0, None),
    ),
    "imagen": (
        ("text", "text encoding", 0, None),
        ("denoising", "denoising step", 1, None),
        ("super-resolution", "super-resolution step", 1 / 2, None),
    ),
    "deepfloyd_if": (
        ("text", "text encoding", 0, None),
        ("denoising", "denoising step", 1, (0, 5)),
        ("super-resolution", "denoising step", 1 / 2, (6, 8)),
    ),
    "muse": (
        ("text", "text encoding", 0, None),
        ("denoising", "denoising step", 1, None),
        ("super-resolution", "super-resolution step", 1 / 3, None),
        ("decoder", "VAE decode", 0, None),
    ),
}
USUAL_STAGES = (
    ("text", "text encoding", 0, None),
    ("denoising", "denoising step", 1, None),
    ("decoder", "VAE decode", 0, None),
)
IMAGE_SIDES = (256, 512, 768, 1024)
FRAMES = (4, 8, 16, 32, 64, 128, 256)
SMALL_VIDEO_SIDE = 128
SWEEP_STEPS = 3
BACKENDS = ("flash", "efficient", "cudnn", "math")
COMPARED = ("stable_diffusion", "flux")


def run(workload, attention, *options, steps=None):
    steps = steps or RECORDED_STEPS[workload]
    return [workload, "--attention", attention, "--steps", steps, *options]


def all_runs():
    """{name: words for generate.py}, what matters most first."""
    runs = {}
    for attention in ("flash", "baseline"):
        for workload in RECORDED_STEPS:
            runs[f"{workload}.{attention}"] = run(workload, attention)
    for attention in ("flash", "baseline"):
        for side in IMAGE_SIDES:
            runs[f"stable_diffusion_{side}.{attention}"] = run(
                "stable_diffusion", attention, "--size", side, steps=SWEEP_STEPS
            )
        for frames in FRAMES:
            runs[f"make_a_video_f{frames}.{attention}"] = run(
                "make_a_video", attention, "--frames", frames, steps=SWEEP_STEPS
            )
    for frames in FRAMES:
        runs[f"make_a_video_small_f{frames}.flash"] = run(
            "make_a_video", "flash", "--size", SMALL_VIDEO_SIDE, "--frames", frames, steps=SWEEP_STEPS
        )
    for workload in COMPARED:
        for attention in BACKENDS[1:]:
            runs[f"{workload}.{attention}"] = run(workload, attention)
    runs["stable_diffusion_channels_last.flash"] = run("stable_diffusion", "flash", "--channels-last")
    # Small enough to be kept: all of a generation's growth in four layers.
    runs["parti_4_layers.flash"] = run("parti", "flash", "--layers", 4)
    return runs
