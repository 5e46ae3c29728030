/* SPDX-License-Identifier: Apache-2.0 */
/* export_formats.h - the writers of exports.def. */
#ifndef ANALYZER_EXPORT_FORMATS_H
#define ANALYZER_EXPORT_FORMATS_H

#include "export.h"
#include "output.h"

#define EXPORT(name, source, is_binary, makes_file, what) int export_##name(const struct export *e);
#include "exports.def"
#undef EXPORT

#endif
