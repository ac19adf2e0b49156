/* SPDX-License-Identifier: ISC */
#include "serve/tls_result.h"

struct str tls_result_word(enum tls_result result)
{
        static const struct str words[TLS_RESULTS] = {
                [TLS_RESULT_NONE] = {"none", 4},
                [TLS_RESULT_CLEAR] = {"clear", 5},
                [TLS_RESULT_FALLBACK] = {"failed", 6},
                [TLS_RESULT_OPEN] = {"tls", 3},
                [TLS_RESULT_DANE] = {"dane", 4},
                [TLS_RESULT_STS] = {"sts", 3},
                [TLS_RESULT_STS_TESTING_FAILED] = {"sts-testing-failed", 18},
                [TLS_RESULT_DANE_FAILED] = {"dane-failed", 11},
                [TLS_RESULT_STS_FAILED] = {"sts-failed", 10},
        };
        return words[result];
}
