/* SPDX-License-Identifier: Apache-2.0 */
#include "damage.h"

#include <inttypes.h>
#include <stdio.h>

bool damage_is_any(const struct reader_damage *d)
{
	return d->nr_regions || d->cut_bytes;
}

void damage_tell(const char *path, const struct reader_damage *d)
{
	if (!damage_is_any(d))
		return;
	fprintf(stderr, "ttitrace: %s is damaged:", path);
	if (d->nr_regions)
		fprintf(stderr,
			" %" PRIu64 " bytes in %" PRIu64 " place%s, the first at byte %" PRIu64,
			d->damaged_bytes, d->nr_regions, d->nr_regions == 1 ? "" : "s",
			d->first_offset);
	if (d->cut_bytes)
		fprintf(stderr, "%s its last %" PRIu64 " bytes are an unfinished frame",
			d->nr_regions ? ";" : "", d->cut_bytes);
	fputs("; the rest is used\n", stderr);
}
