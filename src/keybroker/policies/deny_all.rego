# Nothing for anyone.
package policy

import rego.v1

default allow := false
