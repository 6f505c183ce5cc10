# Appraisal of GPUs by the claims of NVIDIA's remote attestation service (version 3), or by those of a verification
# here, which the owner's reference values take the place of NVIDIA's manifests for. Values as in default_cpu.rego.
package policy

import rego.v1

default executables := 33

default hardware := 97

default configuration := 36

trust_claims := {
	"instance-identity": 0,
	"configuration": configuration,
	"executables": executables,
	"file-system": 0,
	"hardware": hardware,
	"runtime-opaque": 0,
	"storage-opaque": 0,
	"sourced-data": 0,
}

# The report's chain is valid and unrevoked, and the report belongs to this firmware and kind of GPU.
hardware := 2 if {
	input.nvidia
	input.nvidia["x-nvidia-gpu-attestation-report-cert-chain"]["x-nvidia-cert-ocsp-status"] == "good"
	input.nvidia["x-nvidia-gpu-attestation-report-cert-chain"]["x-nvidia-cert-status"] == "valid"
	input.nvidia["x-nvidia-gpu-attestation-report-cert-chain-fwid-match"]
	input.nvidia["x-nvidia-gpu-attestation-report-parsed"]
	input.nvidia["x-nvidia-gpu-attestation-report-signature-verified"]
	input.nvidia["x-nvidia-gpu-arch-check"]
}

# 2: versions that the owner named. 3: at least secure boot and no debugger.
configuration := 2 if {
	input.nvidia.secboot
	input.nvidia.dbgstat == "disabled"
	input.nvidia["x-nvidia-gpu-vbios-version"] in query_reference_value("allowed_vbios_versions")
	input.nvidia["x-nvidia-gpu-driver-version"] in query_reference_value("allowed_driver_versions")
} else := 3 if {
	input.nvidia.secboot
	input.nvidia.dbgstat == "disabled"
} else := 2 if {
	input.nvidia.config.driver_version in query_reference_value("allowed_driver_versions")
	input.nvidia.config.vbios_version in query_reference_value("allowed_vbios_versions")
}

# Driver and VBIOS match the vendor's own reference integrity manifests.
executables := 3 if {
	input.nvidia["x-nvidia-gpu-vbios-rim-cert-chain"]["x-nvidia-cert-ocsp-status"] == "good"
	input.nvidia["x-nvidia-gpu-vbios-rim-cert-chain"]["x-nvidia-cert-status"] == "valid"
	input.nvidia["x-nvidia-gpu-driver-rim-fetched"]
	input.nvidia["x-nvidia-gpu-driver-rim-measurements-available"]
	input.nvidia["x-nvidia-gpu-driver-rim-schema-validated"]
	input.nvidia["x-nvidia-gpu-driver-rim-signature-verified"]
	input.nvidia["x-nvidia-gpu-driver-rim-version-match"]
	input.nvidia["x-nvidia-gpu-vbios-rim-fetched"]
	input.nvidia["x-nvidia-gpu-vbios-rim-measurements-available"]
	input.nvidia["x-nvidia-gpu-vbios-rim-schema-validated"]
	input.nvidia["x-nvidia-gpu-vbios-rim-signature-verified"]
	input.nvidia["x-nvidia-gpu-vbios-rim-version-match"]
	input.nvidia.measres == "success"
}

# Verified here: signature, chain and nonce have held, or there would be no claims. The firmware that signs is one that
# the owner named.
hardware := 2 if {
	input.nvidia.config.fwid in query_reference_value("allowed_gpu_fwids")
}

# Verified here: every measurement that the owner named has one of the values named for it.
executables := 3 if {
	allowed := query_reference_value("allowed_gpu_measurements")
	is_object(allowed)
	allowed != {}
	differing_measurements == []
}

# Indices, so that an explanation names them and nothing else.
differing_measurements := [index |
	some index, digest in query_reference_value("allowed_gpu_measurements")
	not is_measured(index, digest)
]

is_measured(index, digest) if input.nvidia.measurements[index] == digest

is_measured(index, digests) if input.nvidia.measurements[index] in digests
