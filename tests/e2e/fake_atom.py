"""Atom, upstream's service for identities, as far as upstream's own client asks it: /auth/login and the GraphQL documents of
propeller's pkg/atomsdk. It takes a document only where its operation, arguments and selection are those."""

import contextlib
import http.server
import json
import re
import threading
import uuid

# field: (arguments as they stand in the schema, what they are given, what is selected)
INPUTS = {
    "createTenant": ({"name": "$"}, {"id", "name"}),
    "createEntity": ({"kind": "service", "name": "$", "tenantId": "$", "attributes": "{}"}, {"id"}),
    "createAccessToken": ({"subjectId": "$", "name": "$", "description": "$", "scoped": "false", "permissions": "[]"},
                          {"credentialId", "token"}),
    "createResource": ({"kind": '"channel"', "name": "$", "tenantId": "$", "attributes": "{}"}, {"id"}),
    "createPermissionBlock": ({"tenantId": "$", "scopeMode": '"object"', "objectKind": '"resource"',
                               "objectType": '"resource:channel"', "objectId": "$", "effect": "allow", "actionIds": "[$]"}, {"id"}),
    "createDirectPolicy": ({"tenantId": "$", "subjectKind": "entity", "subjectId": "$", "permissionBlockId": "$"}, {"id"}),
}


def read_input(text, variables):
    """`kind:service,name:$name,actionIds:[$a,$b]` with its variables put in; the literal forms, for comparison."""
    values, forms = {}, {}
    for name, value in re.findall(r'(\w+):(\[[^\]]*\]|\{[^}]*\}|"[^"]*"|[$\w]+)', text):
        used = re.findall(r"\$(\w+)", value)
        forms[name] = re.sub(r"\$\w+(,\$\w+)*", "$", value)
        values[name] = [variables[each] for each in used] if value.startswith("[") else variables[used[0]] if used else value
    return values, forms


def check_declared(document, variables):
    declared = dict(re.findall(r"\$(\w+):(\w+!)", document.partition(")")[0]))
    assert declared.keys() == variables.keys(), (document, variables)
    assert set(re.findall(r"\$(\w+)", document)) == declared.keys(), "a variable is declared and not used"
    for name, kind in declared.items():
        assert isinstance(variables[name], int if kind == "Int!" else str), (name, kind)


class Atom:
    """`fail_at`: {field: times to go through before it fails once, or a list of (status, document) to answer}."""

    def __init__(self, tenants=()):
        self.user, self.password = "admin", "pass-word"
        self.tenants = [{"id": str(uuid.uuid4()), "name": name} for name in tenants]
        self.actions = [{"id": str(uuid.uuid4()), "name": name} for name in ("read", "publish", "write", "subscribe")]
        self.made, self.tokens, self.asked = [], {}, []
        self.answers = {}
        self.session = uuid.uuid4().hex
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def of(self, field):
        return [values for name, values in self.made if name == field]

    def handler(self):
        atom = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, document = atom.login(body) if self.path == "/auth/login" else atom.graphql(self, body)
                answer = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler

    def planned(self, field):
        """What was planned for this call: None in a plan means that it goes well."""
        plan = self.answers.get(field)
        return plan.pop(0) if plan else None

    def login(self, body):
        planned = self.planned("login")
        if planned:
            return planned
        assert body.keys() == {"identifier", "secret", "kind"} and body["kind"] == "password"
        if (body["identifier"], body["secret"]) != (self.user, self.password):
            return 401, {"error": "invalid credentials"}
        return 200, {"token": self.session, "entity_id": str(uuid.uuid4()), "session_id": str(uuid.uuid4()),
                     "expires_at": "2030-01-01T00:00:00Z"}

    def graphql(self, request, body):
        assert request.path == "/graphql" and request.headers["Content-Type"] == "application/json"
        if request.headers["Authorization"] != f"Bearer {self.session}":
            return 401, {"error": "unauthorized"}
        document, variables = body["query"], body.get("variables", {})
        check_declared(document, variables)
        field = re.search(r"\{(\w+)", document).group(1)
        self.asked.append(field)
        planned = self.planned(field)
        if planned:
            return planned
        made = self.list(field, document, variables) if document.startswith("query") else self.make(field, document, variables)
        return 200, {"data": {field: made}}

    def list(self, field, document, variables):
        assert document == f"query($offset:Int!){{{field}(limit:100,offset:$offset){{items{{id name}}}}}}"
        items = {"tenants": self.tenants, "actions": self.actions}[field]
        return {"items": items[variables["offset"]:][:100]}

    def make(self, field, document, variables):
        wanted, selected = INPUTS[field]
        text = re.fullmatch(rf"mutation\([^)]*\)\{{{field}\(input:\{{(.*)\}}\)\{{([\w ]+)\}}\}}", document)
        assert text, document
        values, forms = read_input(text.group(1), variables)
        assert forms == wanted and set(text.group(2).split()) == selected, document
        values["id"] = str(uuid.uuid4())
        self.made.append((field, values))
        if field == "createTenant":
            self.tenants.append({"id": values["id"], "name": values["name"]})
        if field == "createAccessToken":
            self.tokens[values["subjectId"]] = f"atom_{uuid.uuid4().hex}"
            return {"credentialId": values["id"], "token": self.tokens[values["subjectId"]]}
        return {key: values[key] for key in selected}


@contextlib.contextmanager
def atom(**options):
    made = Atom(**options)
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
