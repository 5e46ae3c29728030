/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of Python -> places in a model, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/python_path.h"

static const struct name *intern(struct names *names, const char *text)
{
	return text ? names_intern(names, text, strlen(text)) : NULL;
}

static void frames_are_judged_by_name_and_file(void **state)
{
	static const struct {
		const char *code, *file, *class_name;
		bool is_call, is_setup, is_folded;
	} rows[] = {
		{ "Module._call_impl", "/x/site-packages/torch/nn/modules/module.py", "UNet", true,
		  false, false },
		{ "_wrapped_call_impl", "/x/site-packages/torch/nn/modules/module.py", "UNet", true,
		  false, false }, /* Python before 3.11 has no qualified names */
		{ "UNet.forward", "/srv/unet.py", "UNet", false, false, false },
		{ "_pjit_call_impl_python", "/x/site-packages/jax/_src/pjit.py", NULL, false, false,
		  true },
		{ "UNet.__init__", "/srv/unet.py", "UNet", false, true, false },
		{ "CUDAGraphNode.__init__", "/x/site-packages/torch/_inductor/cudagraph_trees.py",
		  "CUDAGraphNode", false, false, true },
		{ "from_pretrained", "/srv/hub.py", NULL, false, true, false },
		{ "wrap.<locals>.inner", "/srv/app.py", NULL, false, false, true },
		{ "<module>", "/srv/app.py", NULL, false, false, true },
		{ "<listcomp>", "/srv/app.py", NULL, false, false, true },
		{ "generate", "/srv/app.py", NULL, false, false, false },
		{ "silu", "/x/site-packages/torch/nn/functional.py", NULL, false, false, true },
		/* An environment of that name is not the package. */
		{ "sample", "/opt/torch/site-packages/transformers/generation.py", NULL, false,
		  false, false },
		{ "DeviceContext.__torch_function__", "/srv/device.py", "DeviceContext", false,
		  false, true },
		{ NULL, NULL, NULL, false, false, true },
	};
	struct names *names = names_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct python_frame frame = {
			.code = intern(names, rows[i].code),
			.file = intern(names, rows[i].file),
			.class_name = intern(names, rows[i].class_name),
		};

		if (python_is_call(&frame) != rows[i].is_call ||
		    python_is_setup(&frame) != rows[i].is_setup ||
		    python_is_folded(&frame) != rows[i].is_folded)
			fail_msg("%s", rows[i].code ? rows[i].code : "(no code)");
	}
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_judged_by_name_and_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
