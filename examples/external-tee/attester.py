#!/usr/bin/env python3
"""The guest's side: answers "attest" and "bind_init_data". usage: attester.py SOCKET KEY PROGRAM"""

import sys

import protocol
import toy_hardware


class Attester:
    def __init__(self, key, measurement):
        self.key, self.measurement, self.init_data = key, measurement, None

    def __call__(self, request):
        if request["method"] == "bind_init_data":
            self.init_data = request["init_data_digest"]
            return {}
        if request["method"] != "attest":
            raise protocol.Refusal("bad_request", f"no method {request['method']}")
        fields = {"measurement": self.measurement, "report_data": request["report_data"], "init_data": self.init_data}
        return {"evidence": {**fields, "mac": toy_hardware.mac(self.key, fields)}}


if __name__ == "__main__":
    path, key, program = sys.argv[1:]
    protocol.serve(path, "toy", Attester(toy_hardware.load_key(key), toy_hardware.measure(program)))
