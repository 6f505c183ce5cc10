#!/usr/bin/env python3
"""The owner's side: answers "verify". usage: verifier.py SOCKET KEY"""

import hmac
import sys

import protocol
import toy_hardware


class Verifier:
    def __init__(self, key):
        self.key = key

    def __call__(self, request):
        if request["method"] != "verify":
            raise protocol.Refusal("bad_request", f"no method {request['method']}")
        evidence = request["evidence"]
        if not isinstance(evidence, dict) or not isinstance(evidence.get("mac"), str):
            raise protocol.Refusal("malformed", "the evidence has no mac")
        fields = {name: evidence.get(name) for name in ("measurement", "report_data", "init_data")}
        if not hmac.compare_digest(toy_hardware.mac(self.key, fields).encode(), evidence["mac"].encode()):
            raise protocol.Refusal("bad_mac", "the evidence is not of this chip")
        # Null means that the caller binds nothing. What was held is stated again: Coffer refuses an answer without it.
        for name, bound in (("report_data", request["report_data"]), ("init_data", request["init_data_digest"])):
            if bound is not None and fields[name] != bound:
                raise protocol.Refusal("not_bound", f"{name} is expected to be {bound}, found {fields[name]}")
        return {"claims": {"measurement": fields["measurement"]}, "report_data": request["report_data"],
                "init_data_digest": request["init_data_digest"]}


if __name__ == "__main__":
    path, key = sys.argv[1:]
    protocol.serve(path, "toy", Verifier(toy_hardware.load_key(key)))
