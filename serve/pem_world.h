/* SPDX-License-Identifier: ISC */
/* For tests: a root and two certificates that it signed, valid from 2020 to 2119, with their keys. */
#ifndef SERVE_PEM_WORLD_H
#define SERVE_PEM_WORLD_H

#define PEM_ROOT                                                             \
        "-----BEGIN CERTIFICATE-----\n"                                      \
        "MIHhMIGUoAMCAQICAQgwBQYDK2VwMA8xDTALBgNVBAMMBHJvb3QwIBcNMjAwMTAx\n" \
        "MDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBHJvb3QwKjAFBgMr\n" \
        "ZXADIQCKiOPddAnxlf1S2y08ul1yymcJvx2UEhvzdIgBtA9vXKMTMBEwDwYDVR0T\n" \
        "AQH/BAUwAwEB/zAFBgMrZXADQQBQLygU9OvuchF27M1MhQ/FDin0JZ6TPKXPZWGl\n" \
        "1ws6+zCAKsb81Ep6zBQKJ0e10WiobFRbL1aW297MCubuWREN\n"                 \
        "-----END CERTIFICATE-----\n"

/* for mta-sts.x.test */
#define PEM_LEAF                                                             \
        "-----BEGIN CERTIFICATE-----\n"                                      \
        "MIIBAzCBtqADAgECAgEHMAUGAytlcDAPMQ0wCwYDVQQDDARyb290MCAXDTIwMDEw\n" \
        "MTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAZMRcwFQYDVQQDDA5tdGEtc3RzLngu\n" \
        "dGVzdDAqMAUGAytlcAMhAIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\n" \
        "oyswKTAMBgNVHRMBAf8EAjAAMBkGA1UdEQQSMBCCDm10YS1zdHMueC50ZXN0MAUG\n" \
        "AytlcANBADB0W7kAhYHG3nD6rhOr6Uj9FvyH3T05KSo6cg9n9w0dW2pM/P+v5otT\n" \
        "B50hq4JNfe+0f4SZmyxamXWG1iRzFgo=\n"                                 \
        "-----END CERTIFICATE-----\n"

#define PEM_LEAF_KEY                                                         \
        "-----BEGIN PRIVATE KEY-----\n"                                      \
        "MC4CAQAwBQYDK2VwBCIEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\n" \
        "-----END PRIVATE KEY-----\n"

/* for other.test */
#define PEM_OTHER                                                            \
        "-----BEGIN CERTIFICATE-----\n"                                      \
        "MIH7MIGuoAMCAQICAQcwBQYDK2VwMA8xDTALBgNVBAMMBHJvb3QwIBcNMjAwMTAx\n" \
        "MDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBUxEzARBgNVBAMMCm90aGVyLnRlc3Qw\n" \
        "KjAFBgMrZXADIQDtSSjGKNHCxurpAziQWZVhKVknOlxj+TY2wUYUrIc30aMnMCUw\n" \
        "DAYDVR0TAQH/BAIwADAVBgNVHREEDjAMggpvdGhlci50ZXN0MAUGAytlcANBAByA\n" \
        "CKSEW2p5B1/n1S1Fm9sS7M+xNNi/moUQZ/a8ySn3KuuaWw8qX0msCZcoltKiTGsi\n" \
        "korgR/nT1iTABh4Urwo=\n"                                             \
        "-----END CERTIFICATE-----\n"

#define PEM_OTHER_KEY                                                        \
        "-----BEGIN PRIVATE KEY-----\n"                                      \
        "MC4CAQAwBQYDK2VwBCIEIAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD\n" \
        "-----END PRIVATE KEY-----\n"

#endif
