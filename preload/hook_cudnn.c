/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_cudnn.c - cuDNN: plans as spans with the problem they were made for, convolutions by the
 * older interface as spans with theirs.
 * Runs in: the application's thread.  No malloc, no lock, no system call, errno kept.
 */
#include <cudnn.h>

#include "call.h"
#include "cudnn_graph.h"
#include "hook.h"
#include "library.h"
#include "span.h"
#include "ttitrace/record.h"

struct real;

static uint32_t convolution_id(const struct real *lib, uint32_t api, uint32_t direction,
			       cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
			       cudnnTensorDescriptor_t y, cudnnConvolutionDescriptor_t c,
			       cudnnActivationDescriptor_t a);

/* The problem of a graph is known before its plan is run, and by whom. */
#define EXECUTE          HOOK_API(HOOK_CUDNN, ID_cudnnBackendExecute)
#define PLAN(plan, pack) SPAN(backend_plan_id(EXECUTE, plan, pack))
#define CONVOLUTION(direction, x, w, y, c, a) \
	SPAN(convolution_id(lib, HOOK_API(HOOK_CUDNN, id), direction, x, w, y, c, a))
#define AFTER(action)  (void)0, action
#define BEFORE(action) action, (void)0

static struct library copies;

/* The first name is what programs use; the others are its parts, of version 9 and of 8. */
#define FAMILY       cudnn
#define HOOK_DEF     "hook_cudnn.def"
#define SONAMES      "libcudnn.so", "libcudnn_graph.so", "libcudnn_cnn", "libcudnn_"
#define PREFIX       "cudnn"
#define ABSENT       CUDNN_STATUS_NOT_SUPPORTED
#define COPIES       LIBRARY_COPIES
#define LIBRARY      &copies
#define COPY_OF(row) library_copy(&family_cudnn, &copies, row, __builtin_return_address(0))
#include "hook_family.inc"

static void list_set(struct call_list *l, int n, const int *values)
{
	l->size = n < 0 ? 0 : (uint64_t)n < CALL_LIST_MAX ? (uint64_t)n : CALL_LIST_MAX;
	for (uint64_t i = 0; i < l->size; i++)
		l->values[i] = (uint64_t)values[i];
}

static uint32_t tensor_get(const struct real *lib, cudnnTensorDescriptor_t t,
			   struct call_list *ret_dims, struct call_list *ret_strides)
{
	int n = 0, dims[CALL_LIST_MAX], strides[CALL_LIST_MAX];
	cudnnDataType_t type = CUDNN_DATA_FLOAT;

	if (lib->cudnnGetTensorNdDescriptor(t, CALL_LIST_MAX, &type, &n, dims, strides) !=
	    CUDNN_STATUS_SUCCESS)
		return 0;
	list_set(ret_dims, n, dims);
	list_set(ret_strides, n, strides);
	return type;
}

static uint32_t filter_get(const struct real *lib, cudnnFilterDescriptor_t f,
			   struct call_list *ret_dims)
{
	int n = 0, dims[CALL_LIST_MAX];
	cudnnDataType_t type = CUDNN_DATA_FLOAT;
	cudnnTensorFormat_t format;

	if (lib->cudnnGetFilterNdDescriptor(f, CALL_LIST_MAX, &type, &format, &n, dims) !=
	    CUDNN_STATUS_SUCCESS)
		return 0;
	list_set(ret_dims, n, dims);
	return type;
}

static void convolution_get(const struct real *lib, cudnnConvolutionDescriptor_t c,
			    struct convolution_content *ret)
{
	int n = 0, pads[CALL_LIST_MAX], strides[CALL_LIST_MAX], dilations[CALL_LIST_MAX];
	cudnnConvolutionMode_t mode;
	cudnnDataType_t compute = CUDNN_DATA_FLOAT;

	/* Asking for more dimensions than a convolution can have is refused. */
	if (lib->cudnnGetConvolutionNdDescriptor(c, CUDNN_DIM_MAX - 2, &n, pads, strides, dilations,
						 &mode, &compute) != CUDNN_STATUS_SUCCESS)
		return;
	list_set(&ret->pads, n, pads);
	list_set(&ret->post_pads, n, pads);
	list_set(&ret->strides, n, strides);
	list_set(&ret->dilations, n, dilations);
	ret->compute = compute;
}

/* cudnnPointwiseMode_t of what follows the convolution: the bias, the activation. */
static void activation_get(const struct real *lib, cudnnActivationDescriptor_t a,
			   struct call_operations *ret)
{
	static const uint32_t modes[] = {
		[CUDNN_ACTIVATION_SIGMOID] = CUDNN_POINTWISE_SIGMOID_FWD,
		[CUDNN_ACTIVATION_RELU] = CUDNN_POINTWISE_RELU_FWD,
		[CUDNN_ACTIVATION_TANH] = CUDNN_POINTWISE_TANH_FWD,
		[CUDNN_ACTIVATION_CLIPPED_RELU] = CUDNN_POINTWISE_RELU_FWD,
		[CUDNN_ACTIVATION_ELU] = CUDNN_POINTWISE_ELU_FWD,
		[CUDNN_ACTIVATION_IDENTITY] = CUDNN_POINTWISE_IDENTITY,
		[CUDNN_ACTIVATION_SWISH] = CUDNN_POINTWISE_SWISH_FWD,
	};
	cudnnActivationMode_t mode = CUDNN_ACTIVATION_IDENTITY;
	cudnnNanPropagation_t nan;
	double coefficient;

	ret->values[ret->size++] = CUDNN_POINTWISE_ADD;
	if (lib->cudnnGetActivationDescriptor(a, &mode, &nan, &coefficient) ==
		    CUDNN_STATUS_SUCCESS &&
	    mode != CUDNN_ACTIVATION_IDENTITY && (size_t)mode < sizeof(modes) / sizeof(modes[0]))
		ret->values[ret->size++] = modes[mode];
}

static uint32_t convolution_id(const struct real *lib, uint32_t api, uint32_t direction,
			       cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
			       cudnnTensorDescriptor_t y, cudnnConvolutionDescriptor_t c,
			       cudnnActivationDescriptor_t a)
{
	struct convolution_content content = { .kind = TTI_RECORD_CONVOLUTION,
					       .api = api,
					       .direction = direction };

	content.type_x = tensor_get(lib, x, &content.x, &content.x_strides);
	content.type_w = filter_get(lib, w, &content.w);
	content.type_y = tensor_get(lib, y, &content.y, &content.y_strides);
	convolution_get(lib, c, &content);
	if (a)
		activation_get(lib, a, &content.pointwise);
	return CALL_ID(&content);
}
