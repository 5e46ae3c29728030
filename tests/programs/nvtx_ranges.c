/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvtx_ranges.c - launches inside ranges set with NVTX's own header: SCENARIO
 *   pipeline   a range before CUDA is there, phases below it, one launch outside; another thread
 *   forms      every way to say something
 *   fork       a range that is open at a fork; the child alone uses CUDA
 * It prints what NVTX answers.
 */
#include "tests/programs/way/way.h"

#include <nvtx3/nvToolsExt.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static CUfunction work;

static void start_cuda(void)
{
	CUmodule module = NULL;

	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "work" PARAMETERS));
	work = kernel_named(module, "work");
}

static void run(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		CHECK(launch(work, i + 1, 1, 1, NULL));
}

static void *load_data(void *unused)
{
	nvtxRangePushA("loading data");
	nvtxRangePop();
	return unused;
}

static void pipeline(void)
{
	char text[32];
	pthread_t thread;

	nvtxRangePushA("pipeline");
	start_cuda();
	nvtxRangePushA("encode");
	run(5);
	nvtxRangePop();
	for (int step = 0; step < 4; step++) {
		snprintf(text, sizeof(text), "step %d", step);
		nvtxRangePushA(text);
		nvtxRangePushA("inside");
		run(10);
		nvtxRangePop();
		run(2);
		nvtxRangePop();
	}
	pthread_create(&thread, NULL, load_data, NULL);
	pthread_join(thread, NULL);
	run(1);
	nvtxRangePushA("decode");
	run(3);
	nvtxRangePop();
	nvtxRangePop();
}

static nvtxEventAttributes_t event(const char *text)
{
	nvtxEventAttributes_t e;

	memset(&e, 0, sizeof(e));
	e.version = NVTX_VERSION;
	e.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
	e.messageType = NVTX_MESSAGE_TYPE_ASCII;
	e.message.ascii = text;
	return e;
}

static void forms(void)
{
	const nvtxDomainHandle_t domain = nvtxDomainCreateA("library");
	nvtxEventAttributes_t plain = event("event"), registered = event(NULL);
	nvtxRangeId_t first, second;

	start_cuda();
	registered.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
	registered.message.registered = nvtxDomainRegisterStringA(domain, "registered");
	nvtxMarkA("mark");
	nvtxMarkW(L"M\u00e4rk \U0001f600");
	nvtxMarkEx(&plain);
	first = nvtxRangeStartA("first");
	second = nvtxRangeStartEx(&plain);
	nvtxRangeEnd(first);
	nvtxRangeEnd(second);
	printf("pop %d\n", nvtxRangePop());
	printf("push %d\n", nvtxRangePushW(L"wide"));
	printf("push %d\n", nvtxRangePushEx(&plain));
	printf("pop %d\n", nvtxRangePop());
	printf("pop %d\n", nvtxRangePop());
	nvtxDomainRangePushEx(domain, &registered);
	run(1);
	nvtxDomainRangePop(domain);
	nvtxDomainMarkEx(domain, &registered);
	nvtxDomainRangeEnd(domain, nvtxDomainRangeStartEx(domain, &registered));
	nvtxDomainDestroy(domain);
}

static void in_child(void)
{
	int status = 0;

	nvtxRangePushA("before");
	if (fork() == 0) {
		nvtxRangePushA("child");
		start_cuda();
		run(7);
		nvtxRangePop();
		exit(0);
	}
	wait(&status);
	nvtxRangePop();
}

int main(int argc, char **argv)
{
	const char *scenario = argc > 1 ? argv[1] : "";

	if (!strcmp(scenario, "pipeline"))
		pipeline();
	else if (!strcmp(scenario, "forms"))
		forms();
	else if (!strcmp(scenario, "fork"))
		in_child();
	else
		return 2;
	return 0;
}
