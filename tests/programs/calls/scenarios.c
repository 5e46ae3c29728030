/* SPDX-License-Identifier: Apache-2.0 */
/* scenarios.c - says what each call gave: that must be the same with and without a tracer. */
#include "tests/programs/calls/calls.h"

#include <pthread.h>
#include <string.h>

static const struct libraries *lib;

#define SAY(call) printf("%s: %d\n", #call, (int)(call))
#define MUST(call)                                                                 \
	do {                                                                       \
		if (call) {                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #call); \
			exit(3);                                                   \
		}                                                                  \
	} while (0)

static void products(void)
{
	const float one = 1, zero = 0;
	const cublasOperation_t t = CUBLAS_OP_T, n = CUBLAS_OP_N, ta[2] = { t, t },
				tb[2] = { n, n };
	const int m2[2] = { 48, 48 }, n2[2] = { 16, 24 }, k2[2] = { 32, 32 }, sizes[2] = { 2, 3 };
	cublasHandle_t h = NULL;
	MUST(lib->cublasCreate_v2(&h));
	SAY(lib->cublasSgemm_v2(h, t, n, 64, 32, 16, &one, NULL, 16, NULL, 17, &zero, NULL, 64));
	SAY(lib->cublasGemmEx(h, n, n, 320, 77, 8192, &one, NULL, CUDA_R_16F, 320, NULL, CUDA_R_16F,
			      8192, &zero, NULL, CUDA_R_16F, 320, CUBLAS_COMPUTE_32F,
			      CUBLAS_GEMM_DEFAULT));
	SAY(lib->cublasSgemmStridedBatched(h, t, n, 77, 4096, 40, &one, NULL, 40, 1, NULL, 40, 1,
					   &zero, NULL, 77, 1, 16));
	SAY(lib->cublasGemmStridedBatchedEx_64(h, n, n, 40, 4096, 77, &one, NULL, CUDA_R_16BF, 40,
					       1, NULL, CUDA_R_16BF, 77, 1, &zero, NULL,
					       CUDA_R_16BF, 40, 1, 8, CUBLAS_COMPUTE_32F,
					       CUBLAS_GEMM_DEFAULT));
	SAY(lib->cublasSgemv_v2(h, t, 100, 50, &one, NULL, 100, NULL, 2, &zero, NULL, 3));
	SAY(lib->cublasGemmGroupedBatchedEx(h, ta, tb, m2, n2, k2, &one, NULL, CUDA_R_16F, k2, NULL,
					    CUDA_R_16F, k2, &zero, NULL, CUDA_R_16F, m2, 2, sizes,
					    CUBLAS_COMPUTE_32F));
	SAY(lib->cublasSgemm_v2(h, n, n, -1, 32, 16, &one, NULL, 1, NULL, 1, &zero, NULL, 1));
	SAY(lib->cublasDestroy_v2(h));
}

static void matmul(void)
{
	const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_GELU_BIAS;
	const cublasLtOrder_t row = CUBLASLT_ORDER_ROW;
	const cublasOperation_t t = CUBLAS_OP_T;
	const int32_t batch = 3;
	cublasLtMatmulDesc_t o = NULL;
	cublasLtMatrixLayout_t a = NULL, b = NULL, d = NULL;
	MUST(lib->cublasLtMatmulDescCreate(&o, CUBLAS_COMPUTE_32F, CUDA_R_32F));
	MUST(lib->cublasLtMatmulDescSetAttribute(o, CUBLASLT_MATMUL_DESC_TRANSA, &t, sizeof(t)));
	MUST(lib->cublasLtMatmulDescSetAttribute(o, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
						 sizeof(epilogue)));
	MUST(lib->cublasLtMatrixLayoutCreate(&a, CUDA_R_16BF, 640, 2560, 640));
	MUST(lib->cublasLtMatrixLayoutCreate(&b, CUDA_R_16BF, 640, 1024, 640));
	MUST(lib->cublasLtMatrixLayoutCreate(&d, CUDA_R_16BF, 2560, 1024, 2560));
	MUST(lib->cublasLtMatrixLayoutSetAttribute(d, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch,
						   sizeof(batch)));
	SAY(lib->cublasLtMatmul(NULL, o, NULL, NULL, a, NULL, b, NULL, NULL, d, NULL, d, NULL, NULL,
				0, NULL));
	/* The same descriptors, another problem. */
	MUST(lib->cublasLtMatrixLayoutSetAttribute(d, CUBLASLT_MATRIX_LAYOUT_ORDER, &row,
						   sizeof(row)));
	SAY(lib->cublasLtMatmul(NULL, o, NULL, NULL, a, NULL, b, NULL, NULL, d, NULL, d, NULL, NULL,
				0, NULL));
	SAY(lib->cublasLtMatmul(NULL, NULL, NULL, NULL, a, NULL, b, NULL, NULL, d, NULL, d, NULL,
				NULL, 0, NULL));
	MUST(lib->cublasLtMatrixLayoutDestroy(a));
	MUST(lib->cublasLtMatrixLayoutDestroy(b));
	MUST(lib->cublasLtMatrixLayoutDestroy(d));
	MUST(lib->cublasLtMatmulDescDestroy(o));
}

static void convolutions(void)
{
	const int x_dims[] = { 2, 320, 64, 48 }, w_dims[] = { 640, 160, 3, 3 };
	const int y_dims[] = { 2, 640, 32, 24 }, pads[] = { 1, 1 }, strides[] = { 2, 2 };
	const int x_strides[] = { 983040, 1, 15360, 320 }, y_strides[] = { 491520, 1, 15360, 640 };
	const int dilations[] = { 1, 1 };
	const float one = 1;
	cudnnTensorDescriptor_t x = NULL, y = NULL;
	cudnnFilterDescriptor_t w = NULL;
	cudnnConvolutionDescriptor_t c = NULL;
	cudnnActivationDescriptor_t a = NULL;
	MUST(lib->cudnnCreateTensorDescriptor(&x));
	MUST(lib->cudnnCreateTensorDescriptor(&y));
	MUST(lib->cudnnCreateFilterDescriptor(&w));
	MUST(lib->cudnnCreateConvolutionDescriptor(&c));
	MUST(lib->cudnnCreateActivationDescriptor(&a));
	MUST(lib->cudnnSetTensorNdDescriptor(x, CUDNN_DATA_HALF, 4, x_dims, x_strides));
	MUST(lib->cudnnSetTensorNdDescriptor(y, CUDNN_DATA_HALF, 4, y_dims, y_strides));
	MUST(lib->cudnnSetFilterNdDescriptor(w, CUDNN_DATA_HALF, CUDNN_TENSOR_NHWC, 4, w_dims));
	MUST(lib->cudnnSetConvolutionNdDescriptor(c, 2, pads, strides, dilations,
						  CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
	MUST(lib->cudnnSetActivationDescriptor(a, CUDNN_ACTIVATION_RELU, CUDNN_NOT_PROPAGATE_NAN,
					       0));
	SAY(lib->cudnnConvolutionForward(NULL, &one, x, NULL, w, NULL, c, 0, NULL, 0, &one, y,
					 NULL));
	SAY(lib->cudnnConvolutionBiasActivationForward(NULL, &one, x, NULL, w, NULL, c, 0, NULL, 0,
						       &one, y, NULL, y, NULL, a, y, NULL));
	SAY(lib->cudnnConvolutionBackwardData(NULL, &one, w, NULL, y, NULL, c, 0, NULL, 0, &one, x,
					      NULL));
	SAY(lib->cudnnConvolutionBackwardFilter(NULL, &one, x, NULL, y, NULL, c, 0, NULL, 0, &one,
						w, NULL));
}

/* Backend descriptors: what was made, to be destroyed. */
struct made {
	cudnnBackendDescriptor_t all[64];
	int n;
};

static cudnnBackendDescriptor_t make(struct made *m, int type)
{
	cudnnBackendDescriptor_t d = NULL;
	MUST(lib->cudnnBackendCreateDescriptor((cudnnBackendDescriptorType_t)type, &d));
	m->all[m->n++] = d;
	return d;
}

static void give(cudnnBackendDescriptor_t d, int name, cudnnBackendAttributeType_t type, int64_t n,
		 const void *elements)
{
	MUST(lib->cudnnBackendSetAttribute(d, (cudnnBackendAttributeName_t)name, type, n,
					   elements));
}

static void give_other(cudnnBackendDescriptor_t d, int name, cudnnBackendDescriptor_t other)
{
	give(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other);
}

static cudnnBackendDescriptor_t done(cudnnBackendDescriptor_t d)
{
	MUST(lib->cudnnBackendFinalize(d));
	return d;
}

static void destroy(struct made *m)
{
	while (m->n)
		MUST(lib->cudnnBackendDestroyDescriptor(m->all[--m->n]));
}

static cudnnBackendDescriptor_t tensor(struct made *m, bool is_virtual, cudnnDataType_t type,
				       int64_t a, int64_t b, int64_t c, int64_t d)
{
	const int64_t dims[] = { a, b, c, d }, strides[] = { b * c * d, c * d, d, 1 };
	const int64_t alignment = 16, uid = m->n + 1;
	cudnnBackendDescriptor_t t = make(m, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
	give(t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
	give(t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims);
	give(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
	give(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid);
	give(t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
	give(t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
	return done(t);
}

static cudnnBackendDescriptor_t half(struct made *m, int64_t a, int64_t b, int64_t c, int64_t d)
{
	return tensor(m, false, CUDNN_DATA_HALF, a, b, c, d);
}

static cudnnBackendDescriptor_t convolve(struct made *m, cudnnBackendDescriptor_t x,
					 cudnnBackendDescriptor_t w, cudnnBackendDescriptor_t y)
{
	const int64_t two = 2, pre[] = { 1, 1 }, post[] = { 0, 1 }, ones[] = { 1, 1 };
	const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
	cudnnBackendDescriptor_t c = make(m, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
	give(c, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &two);
	give(c, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
	give(c, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, pre);
	give(c, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, post);
	give(c, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, ones);
	give(c, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, ones);
	done(c);
	cudnnBackendDescriptor_t o =
		make(m, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
	give_other(o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, c);
	give_other(o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
	give_other(o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
	give_other(o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
	return done(o);
}

static cudnnBackendDescriptor_t pointwise(struct made *m, cudnnPointwiseMode_t mode,
					  cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t b,
					  cudnnBackendDescriptor_t y)
{
	cudnnBackendDescriptor_t p = make(m, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
	give(p, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
	done(p);
	cudnnBackendDescriptor_t o = make(m, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
	give_other(o, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, p);
	give_other(o, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
	if (b)
		give_other(o, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
	give_other(o, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
	return done(o);
}

static cudnnBackendDescriptor_t multiply(struct made *m, cudnnBackendDescriptor_t a,
					 cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t c)
{
	const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
	cudnnBackendDescriptor_t p = make(m, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
	give(p, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
	done(p);
	cudnnBackendDescriptor_t o = make(m, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
	give_other(o, CUDNN_ATTR_OPERATION_MATMUL_DESC, p);
	give_other(o, CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
	give_other(o, CUDNN_ATTR_OPERATION_MATMUL_BDESC, b);
	give_other(o, CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
	return done(o);
}

static cudnnBackendDescriptor_t graph_of(struct made *m, const cudnnBackendDescriptor_t *operations,
					 int64_t n)
{
	cudnnBackendDescriptor_t g = make(m, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
	give(g, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, operations);
	return done(g);
}

/* Not in `m`: the plan outlives all else. */
static cudnnBackendDescriptor_t plan_of(cudnnBackendDescriptor_t config)
{
	struct made m = { .n = 0 };
	cudnnBackendDescriptor_t p = make(&m, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
	give_other(p, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
	return done(p);
}

static cudnnBackendDescriptor_t plan_by_heuristic(struct made *m, cudnnBackendDescriptor_t graph)
{
	cudnnBackendDescriptor_t heuristic = make(m, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
	cudnnBackendDescriptor_t configs[2] = { make(m, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR),
						make(m, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) };
	int64_t n = 0;
	give_other(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
	done(heuristic);
	MUST(lib->cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS,
					   CUDNN_TYPE_BACKEND_DESCRIPTOR, 2, &n, configs));
	return plan_of(configs[0]);
}

static cudnnBackendDescriptor_t plan_by_engine(struct made *m, cudnnBackendDescriptor_t graph)
{
	cudnnBackendDescriptor_t engine = make(m, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
	cudnnBackendDescriptor_t config = make(m, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
	give_other(engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph);
	done(engine);
	give_other(config, CUDNN_ATTR_ENGINECFG_ENGINE, engine);
	return plan_of(done(config));
}

static cudnnBackendDescriptor_t convolution_plan(int64_t channels)
{
	struct made m = { .n = 0 };
	cudnnBackendDescriptor_t y = tensor(&m, true, CUDNN_DATA_HALF, 2, 320, 63, 64);
	cudnnBackendDescriptor_t out = half(&m, 2, 320, 63, 64);
	const cudnnBackendDescriptor_t operations[] = {
		convolve(&m, half(&m, 2, channels, 64, 64), half(&m, 320, channels, 3, 3), y),
		pointwise(&m, CUDNN_POINTWISE_ADD, y, half(&m, 1, 320, 1, 1), out),
	};
	cudnnBackendDescriptor_t plan = plan_by_heuristic(&m, graph_of(&m, operations, 2));
	destroy(&m);
	return plan;
}

/* Two products around a softmax that is written out. */
static cudnnBackendDescriptor_t attention_plan(bool has_lengths)
{
	struct made m = { .n = 0 };
	cudnnBackendDescriptor_t s = tensor(&m, true, CUDNN_DATA_FLOAT, 2, 8, 4096, 77);
	cudnnBackendDescriptor_t masked = tensor(&m, true, CUDNN_DATA_FLOAT, 2, 8, 4096, 77);
	cudnnBackendDescriptor_t p = tensor(&m, true, CUDNN_DATA_FLOAT, 2, 8, 4096, 77);
	cudnnBackendDescriptor_t lengths = tensor(&m, false, CUDNN_DATA_INT32, 2, 1, 1, 1);
	const cudnnBackendDescriptor_t operations[] = {
		multiply(&m, half(&m, 2, 8, 4096, 40), half(&m, 2, 8, 40, 77), s),
		pointwise(&m, CUDNN_POINTWISE_CMP_LT, s, has_lengths ? lengths : NULL, masked),
		pointwise(&m, CUDNN_POINTWISE_EXP, masked, NULL, p),
		multiply(&m, p, half(&m, 2, 8, 77, 64), half(&m, 2, 8, 4096, 64)),
	};
	cudnnBackendDescriptor_t plan = plan_by_engine(&m, graph_of(&m, operations, 4));
	destroy(&m);
	return plan;
}

static cudnnBackendDescriptor_t sdpa_plan(void)
{
	struct made m = { .n = 0 };
	cudnnBackendDescriptor_t o = make(&m, 41);
	give_other(o, 2800, half(&m, 1, 24, 1021, 128));
	give_other(o, 2801, half(&m, 1, 8, 2042, 128));
	give_other(o, 2802, half(&m, 1, 8, 2042, 128));
	give_other(o, 2803, half(&m, 1, 24, 1021, 128));
	give_other(o, 2810, tensor(&m, false, CUDNN_DATA_INT32, 1, 1, 1, 1));
	done(o);
	cudnnBackendDescriptor_t plan = plan_by_heuristic(&m, graph_of(&m, &o, 1));
	destroy(&m);
	return plan;
}

static cudnnBackendDescriptor_t product_plan(void)
{
	struct made m = { .n = 0 };
	const cudnnBackendDescriptor_t o =
		multiply(&m, half(&m, 3, 5, 128, 64), half(&m, 3, 5, 64, 256),
			 half(&m, 3, 5, 128, 256));
	cudnnBackendDescriptor_t plan = plan_by_heuristic(&m, graph_of(&m, &o, 1));
	destroy(&m);
	return plan;
}

static cudnnBackendDescriptor_t norm_plan(void)
{
	const cudnnBackendNormMode_t mode = CUDNN_RMS_NORM;
	struct made m = { .n = 0 };
	cudnnBackendDescriptor_t o = make(&m, CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
	give(o, CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_TYPE_NORM_MODE, 1, &mode);
	give_other(o, CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, half(&m, 7, 4096, 1, 1));
	give_other(o, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, half(&m, 7, 4096, 1, 1));
	done(o);
	cudnnBackendDescriptor_t plan = plan_by_heuristic(&m, graph_of(&m, &o, 1));
	destroy(&m);
	return plan;
}

static void plans(void)
{
	cudnnBackendDescriptor_t all[] = { convolution_plan(4),  attention_plan(false),
					   attention_plan(true), sdpa_plan(),
					   product_plan(),       norm_plan() };
	const int n = sizeof(all) / sizeof(all[0]);
	/* Others at the addresses of what was destroyed. */
	struct made m = { .n = 0 };
	for (int i = 0; i < 40; i++)
		half(&m, 99, 98, 97, 96);
	for (int i = 0; i < 2 * n; i++)
		SAY(lib->cudnnBackendExecute(NULL, all[i % n], NULL));
	destroy(&m);
	for (int i = 0; i < n; i++)
		SAY(lib->cudnnBackendDestroyDescriptor(all[i]));
}

/* Nodes of a graph, shapes at execution, a plan that is none yet. */
static void odd_plans(void)
{
	const int64_t shape[] = { 4, 4, 64, 64 };
	struct made m = { .n = 0 };
	cudnnBackendDescriptor_t plan = convolution_plan(4);
	cudnnBackendDescriptor_t pack = make(&m, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
	CUgraph graph = NULL;
	CHECK(cu.cuGraphCreate(&graph, 0));
	SAY(lib->cudnnBackendPopulateCudaGraph(NULL, plan, pack, graph));
	give(pack, CUDNN_ATTR_VARIANT_PACK_OVERRIDE_SHAPES, CUDNN_TYPE_INT64, 4, shape);
	SAY(lib->cudnnBackendExecute(NULL, plan, pack));
	SAY(lib->cudnnBackendExecute(NULL, make(&m, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR),
				     NULL));
	destroy(&m);
}

/* Each thread's convolution has its own number of channels. */
static void *thread_run(void *arg)
{
	const int64_t channels = 1000 + (int64_t)(intptr_t)arg;
	CUcontext context = NULL;
	CHECK(cu.cuDevicePrimaryCtxRetain(&context, 0));
	CHECK(cu.cuCtxSetCurrent(context));
	for (int i = 0; i < 100; i++) {
		cudnnBackendDescriptor_t plan = convolution_plan(channels);
		MUST(lib->cudnnBackendExecute(NULL, plan, NULL));
		MUST(lib->cudnnBackendDestroyDescriptor(plan));
	}
	return NULL;
}

static void threads(void)
{
	pthread_t all[8];
	for (intptr_t i = 0; i < 8; i++)
		pthread_create(&all[i], NULL, thread_run, (void *)i);
	for (int i = 0; i < 8; i++)
		pthread_join(all[i], NULL);
}

static void capture(void)
{
	const float one = 1;
	CUstream stream = NULL;
	CUgraph graph = NULL;
	CUgraphExec exec = NULL;
	cublasHandle_t h = NULL;
	CHECK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	MUST(lib->cublasCreate_v2(&h));
	MUST(lib->cublasSetStream_v2(h, (cudaStream_t)stream));
	/* Modules cannot be loaded during capture. */
	SAY(lib->cublasSgemm_v2(h, 0, 0, 1, 1, 1, &one, NULL, 1, NULL, 1, &one, NULL, 1));
	CHECK(cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	SAY(lib->cublasSgemm_v2(h, 0, 0, 12, 13, 14, &one, NULL, 12, NULL, 14, &one, NULL, 12));
	CHECK(cu.cuStreamEndCapture(stream, &graph));
	CHECK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
	CHECK(cu.cuGraphLaunch(exec, stream));
	CHECK(cu.cuStreamSynchronize(stream));
}

/* What a launch without a library call looks like before, between and after. */
static void outside(void)
{
	CUmodule module = NULL;
	CHECK(cu.cuModuleLoadData(&module, "own" PARAMETERS));
	CHECK(launch(kernel_named(module, "own"), 5, 5, 1, NULL));
	products();
	CHECK(launch(kernel_named(module, "own"), 5, 5, 1, NULL));
}

bool calls_run(const struct libraries *libraries, const char *scenario)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = { { "products", products },         { "matmul", matmul },
			  { "convolutions", convolutions }, { "plans", plans },
			  { "odd_plans", odd_plans },       { "threads", threads },
			  { "capture", capture },           { "outside", outside } };
	lib = libraries;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!strcmp(scenarios[i].name, scenario)) {
			scenarios[i].run();
			return true;
		}
	return false;
}
