# SPDX-License-Identifier: ISC
"""What dkimpy's ARC asks of the module authres, which Debian keeps apart: enough for the fields made by the scripts."""
import types


class Results:
    def __init__(self, text):
        self.authserv_id, *results = [part.strip() for part in text.split(":", 1)[1].split(";")]
        self.results = [types.SimpleNamespace(method=one.split("=")[0], result=one.split("=")[1].split()[0])
                        for one in results]


def lend_authres(dkim):
    header = types.SimpleNamespace(parse=Results)
    dkim.authres = types.SimpleNamespace(AuthenticationResultsHeader=header,
                                         core=types.SimpleNamespace(SyntaxError=ValueError))
