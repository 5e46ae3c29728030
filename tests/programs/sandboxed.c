/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandboxed.c - forbids itself the system calls named, by seccomp, then launches 100 kernels:
 * NAME...: each of them fails with EPERM from then on.
 */
#include "tests/programs/way/way.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned int nr;
} calls[] = {
#define CALL(name)                \
	{                         \
#name, SYS_##name \
	}
	CALL(clone),    CALL(clone3),     CALL(fallocate),      CALL(fcntl),  CALL(fstat),
	CALL(fsync),    CALL(ftruncate),  CALL(futex),          CALL(getpid), CALL(gettid),
	CALL(lseek),    CALL(madvise),    CALL(membarrier),     CALL(openat), CALL(prctl),
	CALL(pwrite64), CALL(readlink),   CALL(rt_sigprocmask), CALL(tgkill), CALL(uname),
	CALL(unlink),   CALL(newfstatat), CALL(getcwd),         CALL(read),
#undef CALL
};

static void forbid(const char *name)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = filter };
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name))
			continue;
		filter[1].k = calls[i].nr;
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
			printf("cannot be sandboxed here\n");
			exit(0);
		}
		return;
	}
	exit(2);
}

int main(int argc, char **argv)
{
	CUmodule module = NULL;
	driver_open("getproc");
	for (int i = 1; i < argc; i++)
		forbid(argv[i]);
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "boxed" PARAMETERS));
	for (unsigned int i = 1; i <= 100; i++)
		CHECK(launch(kernel_named(module, "boxed"), i, 1, 1, NULL));
	CHECK(cu.cuCtxSynchronize());
	printf("100 launches\n");
	return 0;
}
