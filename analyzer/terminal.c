/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "folded.h"
#include "pager.h"

enum { COLUMNS_DEFAULT = 100, COLUMNS_MIN = 60, COLUMNS_MAX = 400 };

static size_t detect_columns(void)
{
	const char *text = getenv("COLUMNS");
	size_t columns = text ? strtoul(text, NULL, 10) : 0;
	struct winsize size;

	if (!columns && ioctl(pager_output(), TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	if (!columns)
		return COLUMNS_DEFAULT;
	return columns < COLUMNS_MIN ? COLUMNS_MIN : columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
}

void terminal_detect(struct terminal *t, bool ascii)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	t->columns = detect_columns();
	t->unicode = !ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	t->is_terminal = isatty(pager_output());
	t->colour =
		t->is_terminal && !(no_colour && *no_colour) && !(term && !strcmp(term, "dumb"));
}

FILE *terminal_open(const struct terminal *t)
{
	FILE *folded = folded_open(t, stdout);

	return folded ? folded : stdout;
}

void terminal_close(FILE *out)
{
	if (out != stdout)
		fclose(out);
}

void terminal_bar(const struct terminal *t, double share, size_t cells, FILE *out)
{
	static const char *const eighths[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	const double filled = share < 0 ? 0 : share > 1 ? (double)cells : share * (double)cells;
	const size_t whole = (size_t)(t->unicode ? filled : filled + 0.5);
	const size_t eighth = (size_t)((filled - (double)(size_t)filled) * 8);

	for (size_t i = 0; i < cells; i++) {
		if (i < whole)
			fputs(t->unicode ? "█" : "#", out);
		else if (i == whole && t->unicode)
			fputs(eighths[eighth], out);
		else
			fputc(' ', out);
	}
}

/* Bytes of the next character that may be printed as it is; 0: it may not. */
static size_t printable(const struct terminal *t, const char *s)
{
	const unsigned char c = (unsigned char)*s;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;

	if (n == 1)
		return c >= ' ' && c < 0x7f;
	/* C1 control characters are 0xc2 0x80..0x9f. */
	if (!t->unicode || (c == 0xc2 && (unsigned char)s[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static size_t count_columns(const struct terminal *t, const char *text)
{
	size_t columns = 0;

	for (size_t n; *text; text += n ? n : 1, columns++)
		n = printable(t, text);
	return columns;
}

void terminal_text(const struct terminal *t, const char *text, size_t columns, bool pad, FILE *out)
{
	const size_t needed = count_columns(t, text);
	const size_t mark = needed <= columns ? 0 : t->unicode ? 1 : 2;
	const size_t shown = needed <= columns ? needed : columns > mark ? columns - mark : 0;

	for (size_t i = 0; i < shown; i++) {
		const size_t n = printable(t, text);

		fwrite(n ? text : "?", 1, n ? n : 1, out);
		text += n ? n : 1;
	}
	if (mark)
		fputs(t->unicode ? "…" : "..", out);
	for (size_t i = shown + mark; pad && i < columns; i++)
		fputc(' ', out);
}

const char *terminal_bold(const struct terminal *t)
{
	return t->colour ? "\033[1m" : "";
}

const char *terminal_warn(const struct terminal *t)
{
	return t->colour ? "\033[1;31m" : "";
}

const char *terminal_plain(const struct terminal *t)
{
	return t->colour ? "\033[0m" : "";
}
