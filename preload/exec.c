/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - the ways to become another program, and daemon(), whose parent ends inside libc.
 *
 * The trace is closed before, and taken up again when it did not happen.  What is next in line
 * gets the call: others stand in front of these functions too.
 * Runs in: the application's thread, and in children of fork and vfork, where it only passes on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "life.h"
#include "resolve.h"

#define EXPORTED __attribute__((visibility("default")))

/* What the exported functions call; execl and its like call these too. */
#define FUNCTIONS(FUNCTION) \
	FUNCTION(execve)    \
	FUNCTION(execv)     \
	FUNCTION(execvp)    \
	FUNCTION(execvpe)   \
	FUNCTION(fexecve)   \
	FUNCTION(execveat)  \
	FUNCTION(daemon)

static struct {
#define FUNCTION(name) __typeof__(name) *name;
	FUNCTIONS(FUNCTION)
#undef FUNCTION
} real;

/* Early: a child of vfork or of fork with many threads had better not look anything up. */
__attribute__((constructor)) static void bind(void)
{
#define FUNCTION(name) real.name = (__typeof__(name) *)resolve_real(RTLD_NEXT, #name);
	FUNCTIONS(FUNCTION)
#undef FUNCTION
}

/* Programs try one directory after another: what cannot succeed need not close the trace. */
static bool may_succeed(int directory, const char *path)
{
	const int saved = errno;
	const bool is_there = faccessat(directory, path, X_OK, AT_EACCESS) == 0;

	errno = saved;
	return is_there;
}

#define PASS_ON(reason, is_likely, name, ...)                \
	do {                                                 \
		bool is_left;                                \
		int rc;                                      \
                                                             \
		if (!real.name)                              \
			bind();                              \
		if (!real.name) {                            \
			errno = ENOSYS; /* an older libc */  \
			return -1;                           \
		}                                            \
		is_left = (is_likely) && life_leave(reason); \
		rc = real.name(__VA_ARGS__);                 \
		if (is_left)                                 \
			life_stay();                         \
		return rc;                                   \
	} while (0)

EXPORTED int execve(const char *path, char *const argv[], char *const envp[])
{
	PASS_ON(TTI_ENDING_EXEC, may_succeed(AT_FDCWD, path), execve, path, argv, envp);
}

EXPORTED int execv(const char *path, char *const argv[])
{
	PASS_ON(TTI_ENDING_EXEC, may_succeed(AT_FDCWD, path), execv, path, argv);
}

EXPORTED int execvp(const char *file, char *const argv[])
{
	PASS_ON(TTI_ENDING_EXEC, true, execvp, file, argv);
}

EXPORTED int execvpe(const char *file, char *const argv[], char *const envp[])
{
	PASS_ON(TTI_ENDING_EXEC, true, execvpe, file, argv, envp);
}

EXPORTED int fexecve(int fd, char *const argv[], char *const envp[])
{
	PASS_ON(TTI_ENDING_EXEC, true, fexecve, fd, argv, envp);
}

EXPORTED int execveat(int directory, const char *path, char *const argv[], char *const envp[],
		      int flags)
{
	PASS_ON(TTI_ENDING_EXEC, true, execveat, directory, path, argv, envp, flags);
}

EXPORTED int daemon(int nochdir, int noclose)
{
	PASS_ON(TTI_ENDING_QUICK_EXIT, true, daemon, nochdir, noclose);
}

static size_t count_arguments(const char *arg, va_list *rest)
{
	va_list counting;
	size_t n = 0;

	va_copy(counting, *rest);
	for (; arg; arg = va_arg(counting, const char *))
		n++;
	va_end(counting);
	return n;
}

/* On the stack, as libc does it: a child of vfork must not allocate. */
#define ARGUMENTS_TAKE(argv, arg, rest)                                                            \
	char **const argv = __builtin_alloca((count_arguments(arg, &(rest)) + 1) * sizeof(*argv)); \
                                                                                                   \
	argv[0] = (char *)arg;                                                                     \
	for (size_t i = 0; argv[i]; i++)                                                           \
	argv[i + 1] = va_arg(rest, char *)

EXPORTED int execl(const char *path, const char *arg, ...)
{
	va_list rest;

	va_start(rest, arg);
	ARGUMENTS_TAKE(argv, arg, rest);
	va_end(rest);
	return execv(path, argv);
}

EXPORTED int execlp(const char *file, const char *arg, ...)
{
	va_list rest;

	va_start(rest, arg);
	ARGUMENTS_TAKE(argv, arg, rest);
	va_end(rest);
	return execvp(file, argv);
}

EXPORTED int execle(const char *path, const char *arg, ...)
{
	va_list rest;

	va_start(rest, arg);
	ARGUMENTS_TAKE(argv, arg, rest);
	char *const *envp = va_arg(rest, char *const *);

	va_end(rest);
	return execve(path, argv, envp);
}
