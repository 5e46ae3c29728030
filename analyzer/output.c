/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <string.h>

FILE *output_open(const char *path, struct diag *diag)
{
	FILE *out = path ? fopen(path, "we") : stdout;

	if (!out)
		diag_set(diag, -errno, "%s: %s", path, strerror(errno));
	return out;
}

int output_close(FILE *out, const char *path, struct diag *diag)
{
	int failed;

	if (out == stdout)
		return 0;
	failed = ferror(out);
	if (fclose(out) || failed)
		return diag_set(diag, -EIO, "%s: cannot write it", path);
	return 0;
}
