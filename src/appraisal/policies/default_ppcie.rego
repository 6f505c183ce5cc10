# Appraisal of a protected PCIe topology. The verifier reports one only where GPUs and switches form a valid one, so
# its presence is the affirmed configuration; the devices have submodules of their own.
package policy

import rego.v1

trust_claims := {
	"instance-identity": 0,
	"configuration": 2,
	"executables": 0,
	"file-system": 0,
	"hardware": 0,
	"runtime-opaque": 0,
	"storage-opaque": 0,
	"sourced-data": 0,
}
