/* SPDX-License-Identifier: Apache-2.0 */
/* cupti_newer.h - what the headers of CUDA 12.4 lack and later ones have, declared the same. */
#ifndef PRELOAD_CUPTI_NEWER_H
#define PRELOAD_CUPTI_NEWER_H

#include <cuda.h>
#include <cupti.h>

#ifndef CUpti_SubscriberParams_STRUCT_SIZE
typedef void CUpti_SubscriberParams;
#endif

CUptiResult CUPTIAPI cuptiSubscribe_v2(CUpti_SubscriberHandle *subscriber,
				       CUpti_CallbackFunc callback, void *userdata,
				       CUpti_SubscriberParams *params);
CUptiResult CUPTIAPI cuptiActivityEnableDriverApi(CUpti_CallbackId cbid, uint8_t enable);
CUptiResult CUPTIAPI cuptiActivityEnableRuntimeApi(CUpti_CallbackId cbid, uint8_t enable);

#endif
