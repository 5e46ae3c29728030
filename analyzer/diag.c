/* SPDX-License-Identifier: Apache-2.0 */
#include "diag.h"

#include <stdarg.h>
#include <stdio.h>

int diag_set(struct diag *d, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(d->message, sizeof(d->message), fmt, args);
	va_end(args);
	return err;
}
