/* SPDX-License-Identifier: Apache-2.0 */
/* catcher.c - preloaded: says so when the program crashes, as libSegFault does, and lets it. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void on_crash(int signal_number)
{
	static const char text[] = "caught\n";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(99);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

__attribute__((constructor)) static void catch (void)
{
	static char stack[65536];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	const struct sigaction action = { .sa_handler = on_crash,
					  .sa_flags = (int)(SA_ONSTACK | SA_NODEFER) };

	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
}
