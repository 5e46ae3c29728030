# SPDX-License-Identifier: Apache-2.0
import configs
import torch
from pipelines import Pipeline


class Generation(Pipeline):
    WHAT = "SDXL, which stands in for the paper's Prod Image: that model is not published"
    DEFAULTS = dict(size=(1024, 1024), steps=50, guidance=5.0, tokens=77)
    PIPELINE = "StableDiffusionXLPipeline"

    def parts(self):
        clip_g = self.build.transformers("CLIPTextModelWithProjection", configs.CLIP_G, "text_encoder_2")
        return dict(
            text_encoder=self.build.transformers("CLIPTextModel", configs.CLIP_L, "text_encoder"),
            text_encoder_2=clip_g,
            unet=self.build.diffusers("UNet2DConditionModel", configs.SDXL, "unet", repeats=True),
            vae=self.build.diffusers("AutoencoderKL", configs.VAE_SDXL, "vae"),
            scheduler=self.scheduler(
                "EulerDiscreteScheduler",
                beta_start=0.00085,
                beta_end=0.012,
                beta_schedule="scaled_linear",
                timestep_spacing="leading",
                steps_offset=1,
            ),
            tokenizer=None,
            tokenizer_2=None,
            add_watermarker=False,
        )

    def _encoded(self):
        first, second = self.encoded("text_encoder"), self.encoded("text_encoder_2")
        return torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1), second.text_embeds

    def text(self):
        (words, pooled), (no_words, no_pooled) = self._encoded(), self._encoded()
        return dict(
            prompt_embeds=words,
            pooled_prompt_embeds=pooled,
            negative_prompt_embeds=no_words,
            negative_pooled_prompt_embeds=no_pooled,
        )
