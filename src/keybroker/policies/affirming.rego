# Resources for guests whose every part was appraised as affirming: hardware, configuration and what runs on them are
# all as the reference values say.
package policy

import rego.v1

default allow := false

allow if {
	data.plugin == "resource"
	count(input.submods) > 0
	every part in input.submods {
		part["ear.status"] == "affirming"
	}
}
