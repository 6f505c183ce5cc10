# In force while the owner has set no policy: every attested guest may read resources, except one whose evidence came
# from the sample TEE, which proves nothing. It does not look at the appraisal's status; policy `affirming` does.
package policy

import rego.v1

default allow := false

allow if {
	data.plugin == "resource"
	evidence := input.submods.cpu0["ear.veraison.annotated-evidence"]
	not "sample" in object.keys(evidence)
}
