# SPDX-License-Identifier: Apache-2.0
import configs
import torch
from pipelines import Pipeline

T5_TOKENS = 256
# A toy must be as wide as both toy CLIPs side by side.
T5 = configs.Config(configs.T5_XXL, tiny=dict(configs.T5_XXL.tiny, d_model=128))


class Generation(Pipeline):
    WHAT = "Stable Diffusion 3 medium: MM-DiT, text and image in one attention"
    DEFAULTS = dict(size=(1024, 1024), steps=28, guidance=7.0, tokens=77)
    PIPELINE = "StableDiffusion3Pipeline"

    def parts(self):
        clip = "CLIPTextModelWithProjection"
        return dict(
            text_encoder=self.build.transformers(clip, configs.CLIP_L, "text_encoder"),
            text_encoder_2=self.build.transformers(clip, configs.CLIP_G, "text_encoder_2"),
            text_encoder_3=self.build.transformers("T5EncoderModel", T5, "text_encoder_3"),
            transformer=self.build.diffusers(
                "SD3Transformer2DModel", configs.SD3_MEDIUM, "transformer", repeats=True
            ),
            vae=self.build.diffusers("AutoencoderKL", configs.VAE_SD3, "vae"),
            scheduler=self.scheduler("FlowMatchEulerDiscreteScheduler", shift=3.0),
            tokenizer=None,
            tokenizer_2=None,
            tokenizer_3=None,
        )

    def _encoded(self):
        clips = [self.encoded("text_encoder"), self.encoded("text_encoder_2")]
        t5 = self.hidden("text_encoder_3", T5_TOKENS)
        words = torch.cat([clip.hidden_states[-2] for clip in clips], dim=-1)
        words = torch.nn.functional.pad(words, (0, t5.shape[-1] - words.shape[-1]))
        return torch.cat([words, t5], dim=1), torch.cat([clip.text_embeds for clip in clips], dim=-1)

    def text(self):
        (words, pooled), (no_words, no_pooled) = self._encoded(), self._encoded()
        return dict(
            prompt_embeds=words,
            pooled_prompt_embeds=pooled,
            negative_prompt_embeds=no_words,
            negative_pooled_prompt_embeds=no_pooled,
        )
