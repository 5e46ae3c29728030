/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* ECMA-48, and xterm's other screen: what every terminal of today understands. */
#define OTHER_SCREEN "\033[?1049h\033[?25l"
#define OWN_SCREEN   "\033[?25h\033[?1049l"
#define HOME         "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_BELOW   "\033[J"

enum { ROWS_DEFAULT = 24 };

static volatile sig_atomic_t is_enough;

static void on_signal(int number)
{
	(void)number;
	is_enough = 1;
}

static size_t nr_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row
									   : ROWS_DEFAULT;
}

/* A line of talk would scroll what is shown. */
static int silence_talk(void)
{
	const int talk = isatty(STDERR_FILENO) ? dup(STDERR_FILENO) : -1;
	const int nothing = talk >= 0 ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

	if (nothing < 0)
		return talk;
	dup2(nothing, STDERR_FILENO);
	close(nothing);
	return talk;
}

void screen_begin(struct screen *s)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const char *term = getenv("TERM");

	*s = (struct screen){ .is_terminal =
				      isatty(STDOUT_FILENO) && !(term && !strcmp(term, "dumb")) };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	s->talk = s->is_terminal ? silence_talk() : -1;
	if (s->is_terminal) {
		fputs(OTHER_SCREEN, stdout);
		fflush(stdout);
	}
}

void screen_end(struct screen *s)
{
	if (s->is_terminal) {
		fputs(OWN_SCREEN, stdout);
		if (s->last)
			fputs(s->last, stdout);
		fflush(stdout);
	}
	if (s->talk >= 0) {
		dup2(s->talk, STDERR_FILENO);
		close(s->talk);
	}
	free(s->last);
}

static void show_in_place(const char *text)
{
	size_t left = nr_rows();

	fputs(HOME, stdout);
	while (*text && left--) {
		const size_t n = strcspn(text, "\n");

		fwrite(text, 1, n, stdout);
		fputs(REST_OF_LINE, stdout);
		if (left && text[n] && text[n + 1])
			fputs("\r\n", stdout);
		text += n + (text[n] != '\0');
	}
	fputs(REST_BELOW, stdout);
}

void screen_show(struct screen *s, const char *text)
{
	if (s->is_terminal) {
		free(s->last);
		s->last = strdup(text);
		show_in_place(text);
	} else {
		fputs(text, stdout);
		fputc('\n', stdout);
	}
	fflush(stdout);
}

bool screen_wait(struct screen *s, double seconds)
{
	const struct timespec time = { .tv_sec = (time_t)seconds,
				       .tv_nsec =
					       (long)((seconds - (double)(time_t)seconds) * 1e9) };

	(void)s;
	if (!is_enough)
		nanosleep(&time, NULL);
	return !is_enough && !ferror(stdout);
}
