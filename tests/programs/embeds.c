/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embeds.c - a program that launches first, loads the libpython of its first argument later, out
 * of everybody's sight, runs code in it that launches, ends the interpreter and starts another.
 * The x of a launch's grid: 1 before there is Python, 2 and 4 in it, 3 and 5 after it.
 */
#include "tests/programs/way/way.h"

#include <dlfcn.h>
#include <unistd.h>

/* As the stable ABI has it. */
struct method {
	const char *name;
	void *(*function)(void *self, void *args);
	int flags;
	const char *doc;
};
#define METH_NOARGS 4

static struct {
#define PYTHON(returns, symbol, params) returns(*symbol) params;
#define PYTHON_FUNCTIONS                                                     \
	PYTHON(void, Py_InitializeEx, (int))                                 \
	PYTHON(int, Py_FinalizeEx, (void))                                   \
	PYTHON(int, PyRun_SimpleString, (const char *))                      \
	PYTHON(void *, PyImport_AddModule, (const char *))                   \
	PYTHON(int, PyModule_AddObject, (void *, const char *, void *))      \
	PYTHON(void *, PyCFunction_NewEx, (struct method *, void *, void *)) \
	PYTHON(void *, PyLong_FromLong, (long))
	PYTHON_FUNCTIONS
#undef PYTHON
} py;

static CUfunction function;
static unsigned int number;

static void launch_one(void)
{
	CHECK(launch(function, ++number, 1, 1, NULL));
}

static void *launch_for_python(void *self, void *args)
{
	(void)self;
	(void)args;
	launch_one();
	return py.PyLong_FromLong(0);
}

static void load_python(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
#define PYTHON(returns, symbol, params) py.symbol = (returns(*) params)dlsym(library, #symbol);
	PYTHON_FUNCTIONS
#undef PYTHON
}

static void run_python(void)
{
	static struct method method = { "launch", launch_for_python, METH_NOARGS, NULL };

	py.Py_InitializeEx(0);
	py.PyModule_AddObject(py.PyImport_AddModule("__main__"), "launch",
			      py.PyCFunction_NewEx(&method, NULL, NULL));
	if (py.PyRun_SimpleString("class Model:\n"
				  "    def forward(self):\n"
				  "        launch()\n"
				  "Model().forward()\n"))
		exit(4);
	py.Py_FinalizeEx();
}

int main(int argc, char **argv)
{
	CUmodule module = NULL;

	if (argc < 2)
		return 2;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "kernel" PARAMETERS));
	function = kernel_named(module, "kernel");
	launch_one();
	load_python(argv[1]);
	sleep(2); /* the library looks for an interpreter every second */
	for (int i = 0; i < 2; i++) {
		run_python();
		launch_one();
	}
	return 0;
}
