# SPDX-License-Identifier: Apache-2.0
import configs
from parts import Workload


class Generation(Workload):
    WHAT = "LLaMA2-7B: prefill of a prompt, then a token at a time"
    DEFAULTS = dict(tokens=512, steps=256, dtype="fp16")

    def __init__(self, settings):
        super().__init__(settings)
        self.model = self.build.transformers("LlamaForCausalLM", configs.LLAMA2_7B, "", repeats=True)

    def generate(self):
        s = self.settings
        ids = self.build.prompt(self.model.config.vocab_size, s.tokens, folder="")
        return self.model.generate(
            ids,
            attention_mask=ids.new_ones(ids.shape),
            max_new_tokens=s.steps,
            min_new_tokens=s.steps,
            do_sample=True,
            eos_token_id=None,
            pad_token_id=0,
        )
