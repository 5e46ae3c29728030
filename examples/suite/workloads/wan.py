# SPDX-License-Identifier: Apache-2.0
import configs
from pipelines import Pipeline


class Generation(Pipeline):
    WHAT = "Wan2.1 1.3B: attention over all of a video at once, guidance in a second pass"
    DEFAULTS = dict(size=(480, 832), steps=50, frames=81, guidance=5.0, tokens=512, dtype="bf16")
    PIPELINE = "WanPipeline"

    def parts(self):
        return dict(
            text_encoder=self.build.transformers("UMT5EncoderModel", configs.UMT5_XXL, "text_encoder"),
            transformer=self.build.diffusers(
                "WanTransformer3DModel", configs.WAN_1_3B, "transformer", repeats=True
            ),
            vae=self.build.diffusers("AutoencoderKLWan", configs.VAE_WAN, "vae"),
            scheduler=self.scheduler(
                "UniPCMultistepScheduler",
                prediction_type="flow_prediction",
                use_flow_sigmas=True,
                flow_shift=3.0,
            ),
            tokenizer=None,
        )

    def text(self):
        return dict(
            prompt_embeds=self.hidden("text_encoder"), negative_prompt_embeds=self.hidden("text_encoder")
        )

    def arguments(self):
        return dict(super().arguments(), num_frames=self.settings.frames)
