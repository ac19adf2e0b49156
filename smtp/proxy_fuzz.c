/* SPDX-License-Identifier: ISC */
#include "base/check.h"
#include "smtp/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str all = str_of(data, size), head = str_take(all, PROXY_HEAD_SIZE);
        struct ip_port from = {0};
        size_t rest;
        if (proxy_head_parse(head, &rest) != ERR_OK)
                return 0;
        CHECK(head.n == PROXY_HEAD_SIZE && rest <= PROXY_REST_MAX);
        enum err e = proxy_rest_parse(head, str_take(str_skip(all, PROXY_HEAD_SIZE), rest), &from);
        CHECK(e == ERR_OK || from.ip.family == 0);
        return 0;
}
