# Appraisal of CPU TEEs. The verdict is an AR4SI trust vector (draft-ietf-rats-ar4si); a value from 2 to 31 affirms,
# 32 to 95 warns, 96 and more contraindicates. Each value starts at "not recognised" and is earned by one rule a TEE,
# whose first line names the TEE. Values and reference value names are those of upstream's default policy, so that
# one set of reference values serves both.
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

# ---- sample: for trying things out, proves nothing

executables := 3 if {
	input.sample
	input.sample.launch_digest in query_reference_value("launch_digest")
}

# is_number: in Rego every number is greater than null, so an absent minimum would otherwise pass.
hardware := 2 if {
	input.sample
	input.sample.svn in query_reference_value("svn")
	input.sample.platform_version.major == query_reference_value("major_version")
	is_number(query_reference_value("minimum_minor_version"))
	input.sample.platform_version.minor >= query_reference_value("minimum_minor_version")
}

configuration := 2 if {
	input.sample
	input.sample.debug == false
}

# ---- snp: AMD SEV-SNP

executables := 3 if {
	input.snp
	input.snp.measurement in query_reference_value("snp_launch_measurement")
}

hardware := 2 if {
	input.snp
	input.snp.reported_tcb_bootloader in query_reference_value("snp_bootloader")
	input.snp.reported_tcb_microcode in query_reference_value("snp_microcode")
	input.snp.reported_tcb_snp in query_reference_value("snp_snp_svn")
	input.snp.reported_tcb_tee in query_reference_value("snp_tee_svn")
}

# 2: every setting is the one the owner named. 3: at least nobody can debug or migrate the guest.
configuration := 2 if {
	input.snp
	input.snp.policy_debug_allowed == false
	input.snp.policy_migrate_ma == false
	input.snp.platform_smt_enabled == query_reference_value("snp_smt_enabled")
	input.snp.platform_tsme_enabled == query_reference_value("snp_tsme_enabled")
	input.snp.policy_abi_major == query_reference_value("snp_guest_abi_major")
	input.snp.policy_abi_minor == query_reference_value("snp_guest_abi_minor")
	input.snp.policy_single_socket == query_reference_value("snp_single_socket")
	input.snp.policy_smt_allowed == query_reference_value("snp_smt_allowed")
} else := 3 if {
	input.snp
	input.snp.policy_debug_allowed == false
	input.snp.policy_migrate_ma == false
}

# ---- tdx: Intel TDX

# 3: the run-time registers and the boot events of kernel and command line. 4: the registers alone (GRUB boot).
executables := 3 if {
	input.tdx
	input.tdx.quote.body.rtmr_1 in query_reference_value("rtmr_1")
	input.tdx.quote.body.rtmr_2 in query_reference_value("rtmr_2")
	tdx_kernel_measured
	tdx_command_line_measured
} else := 4 if {
	input.tdx
	input.tdx.quote.body.rtmr_1 in query_reference_value("rtmr_1")
	input.tdx.quote.body.rtmr_2 in query_reference_value("rtmr_2")
}

tdx_kernel_measured if {
	some boot_event in input.tdx.uefi_event_logs
	boot_event.type_name == "EV_EFI_BOOT_SERVICES_APPLICATION"
	"File(kernel)" in boot_event.details.device_paths
	some measured in boot_event.digests
	measured.digest == query_reference_value("tdvfkernel")
}

tdx_command_line_measured if {
	some boot_event in input.tdx.uefi_event_logs
	boot_event.type_name == "EV_EVENT_TAG"
	boot_event.details.string == "LOADED_IMAGE::LoadOptions"
	some measured in boot_event.digests
	measured.digest == query_reference_value("tdvfkernelparams")
}

# A TDX quote (not SGX) by Intel's quoting enclave, of known firmware, on a platform without open advisories.
hardware := 2 if {
	input.tdx
	input.tdx.quote.header.tee_type == "81000000"
	input.tdx.quote.header.vendor_id == "939a7233f79c4ca9940a0db3957f0607"
	input.tdx.quote.body.mr_td in query_reference_value("mr_td")
	input.tdx.tcb_status == "UpToDate"
	input.tdx.collateral_expiration_status == "0"
}

configuration := 2 if {
	input.tdx
	input.tdx.td_attributes.debug == false
	input.tdx.quote.body.xfam in query_reference_value("xfam")
}

# ---- az-snp-vtpm: SEV-SNP behind Azure's vTPM; its claims are strings

executables := 3 if {
	input["az-snp-vtpm"]
	input["az-snp-vtpm"].measurement in query_reference_value("measurement")
	input["az-snp-vtpm"].tpm.pcr11 in query_reference_value("snp_pcr11")
}

hardware := 2 if {
	input["az-snp-vtpm"]
	input["az-snp-vtpm"].reported_tcb_bootloader in query_reference_value("tcb_bootloader")
	input["az-snp-vtpm"].reported_tcb_microcode in query_reference_value("tcb_microcode")
	input["az-snp-vtpm"].reported_tcb_snp in query_reference_value("tcb_snp")
	input["az-snp-vtpm"].reported_tcb_tee in query_reference_value("tcb_tee")
}

configuration := 2 if {
	input["az-snp-vtpm"]
	input["az-snp-vtpm"].platform_smt_enabled in query_reference_value("smt_enabled")
	input["az-snp-vtpm"].platform_tsme_enabled in query_reference_value("tsme_enabled")
	input["az-snp-vtpm"].policy_abi_major in query_reference_value("abi_major")
	input["az-snp-vtpm"].policy_abi_minor in query_reference_value("abi_minor")
	input["az-snp-vtpm"].policy_single_socket in query_reference_value("single_socket")
	input["az-snp-vtpm"].policy_smt_allowed in query_reference_value("smt_allowed")

	# Ours: a host that may read the guest's memory makes all else said of it void.
	input["az-snp-vtpm"].policy_debug_allowed == "false"
	input["az-snp-vtpm"].policy_migrate_ma == "false"
}

# ---- az-tdx-vtpm: TDX behind Azure's vTPM

executables := 3 if {
	input["az-tdx-vtpm"]
	input["az-tdx-vtpm"].tpm.pcr11 in query_reference_value("tdx_pcr11")
}

hardware := 2 if {
	input["az-tdx-vtpm"]
	input["az-tdx-vtpm"].quote.header.tee_type == "81000000"
	input["az-tdx-vtpm"].quote.header.vendor_id == "939a7233f79c4ca9940a0db3957f0607"
	input["az-tdx-vtpm"].quote.body.mr_td in query_reference_value("mr_td")
	input["az-tdx-vtpm"].tcb_status == "UpToDate"

	# Ours, as for TDX itself.
	input["az-tdx-vtpm"].collateral_expiration_status == "0"
}

configuration := 2 if {
	input["az-tdx-vtpm"]
	input["az-tdx-vtpm"].quote.body.xfam in query_reference_value("xfam")
	input["az-tdx-vtpm"].td_attributes.debug == false
}

# ---- tpm: the attestation key is trusted through its reference value alone

executables := 3 if {
	input.tpm
	input.tpm.pcr11 in query_reference_value("tpm_pcr11")
	input.tpm.ak_public in query_reference_value("trusted_aks")
}

# Ours beside upstream's rule above: the kernel, its command line and initrd (`coffer measure vm`), and no Secure Boot
# keys but the expected ones. Whoever knows the firmware's build names PCR 0 as well, and who has handed over init-data
# PCR 8.
executables := 3 if {
	input.tpm
	input.tpm.ak_public in query_reference_value("trusted_aks")
	input.tpm.pcr04 in query_reference_value("tpm_pcr04")
	input.tpm.pcr07 in query_reference_value("tpm_pcr07")
	input.tpm.pcr09 in query_reference_value("tpm_pcr09")
	tpm_firmware_as_known
	tpm_init_data_as_known
}

tpm_firmware_as_known if query_reference_value("tpm_pcr00") == null

tpm_firmware_as_known if input.tpm.pcr00 in query_reference_value("tpm_pcr00")

tpm_init_data_as_known if query_reference_value("tpm_pcr08") == null

tpm_init_data_as_known if input.tpm.pcr08 in query_reference_value("tpm_pcr08")

hardware := 2 if input.tpm

configuration := 0 if input.tpm

# ---- nitro: AWS Nitro enclaves. PCR0 covers the whole image; a debug enclave's is zero. Ours, as all below to "se"

executables := 3 if {
	input.nitro
	input.nitro.pcrs.pcr0 in query_reference_value("nitro_pcr0")
}

hardware := 2 if input.nitro

configuration := 2 if {
	input.nitro
	input.nitro.debug == false
}

# ---- sgx: Intel SGX enclaves. The owner names the attribute flags wanted: bit 1 of them is DEBUG

executables := 3 if {
	input.sgx
	input.sgx.body.mr_enclave in query_reference_value("sgx_mr_enclave")
}

hardware := 2 if {
	input.sgx
	input.sgx.tcb_status == "UpToDate"
	input.sgx.collateral_expiration_status == "0"
}

configuration := 2 if {
	input.sgx
	input.sgx.body["attributes.flags"] in query_reference_value("sgx_attributes_flags")
}

# ---- cca: Arm realms, on a platform whose life cycle is "secured" (0x3000 to 0x30ff)

executables := 3 if {
	input.cca
	input.cca.realm["cca-realm-initial-measurement"] in query_reference_value("cca_realm_initial_measurement")
}

hardware := 2 if {
	input.cca
	input.cca.platform["cca-platform-implementation-id"] in query_reference_value("cca_platform_implementation_id")
}

configuration := 2 if {
	input.cca
	input.cca.platform["cca-platform-lifecycle"] >= 12288
	input.cca.platform["cca-platform-lifecycle"] <= 12543
}

# ---- psa: Arm TrustZone devices, each software component by its measurement

executables := 3 if {
	input.psa
	count(input.psa["psa-software-components"]) > 0
	every component in input.psa["psa-software-components"] {
		component["measurement-value"] in query_reference_value("psa_software_measurements")
	}
}

hardware := 2 if {
	input.psa
	input.psa["psa-implementation-id"] in query_reference_value("psa_implementation_id")
}

configuration := 2 if {
	input.psa
	input.psa["psa-security-lifecycle-name"] == "secured"
}

# ---- keystone: RISC-V enclaves. The verifier knows the device; its security monitor is all the firmware and all the
# configuration there is

executables := 3 if {
	input.keystone
	input.keystone.enclave.hash in query_reference_value("keystone_enclave_hash")
}

hardware := 2 if {
	input.keystone
	input.keystone.security_monitor.hash in query_reference_value("keystone_monitor_hash")
}

configuration := 2 if {
	input.keystone
	input.keystone.security_monitor.hash in query_reference_value("keystone_monitor_hash")
}

# ---- external: a TEE of the owner's own, type "toy". Which of its claims count for what the owner says:
# external_toy_executables = ["image.digest"], and external_toy_image_digest = ["<good>", ...] what they may be

executables := 3 if {
	input.external
	external_claims_hold("executables")
}

hardware := 2 if {
	input.external
	external_claims_hold("hardware")
}

configuration := 2 if {
	input.external
	external_claims_hold("configuration")
}

external_claims_hold(aspect) if {
	some type, claims in input.external
	names := query_reference_value(concat("_", ["external", type, aspect]))
	is_array(names)
	count(names) > 0
	every name in names {
		is_string(name)
		path := split(name, ".")
		found := object.get(claims, path, null)
		found != null
		found in query_reference_value(concat("_", array.concat(["external", type], path)))
	}
}

# ---- se: IBM Secure Execution; the verifier compared the measurements with the host keys already

executables := 3 if input.se

hardware := 2 if input.se

configuration := 2 if input.se

# ---- who the workload is, as far as the agent policy inside the init-data says

extensions := [{
	"name": "ear.trustee.identifiers",
	"key": -18,
	"value": {"validated": identifiers},
}]

identifiers := {name: found | some name, found in candidates; count(found) > 0}

candidates := {
	"container_images": [image |
		some container in input.init_data_claims.agent_policy_claims.containers
		image := container.OCI.Annotations["io.kubernetes.cri.image-name"]
	],
	"container_uids": [uid |
		some container in input.init_data_claims.agent_policy_claims.containers
		uid := container.OCI.Process.User.UID
	],
}
