# Writes OUTPUT, a C++ file with AMD's root and signing certificates as text, out of the crate that MANIFEST names. cargo
# checks the crate against the lock file; amd_roots.cpp pins each root by its fingerprint.
cmake_minimum_required(VERSION 3.25)
execute_process(
  COMMAND ${CARGO} metadata --locked --format-version 1 --filter-platform x86_64-unknown-linux-gnu
          --manifest-path ${MANIFEST}
  OUTPUT_VARIABLE metadata COMMAND_ERROR_IS_FATAL ANY)
string(JSON count LENGTH "${metadata}" packages)
math(EXPR last "${count} - 1")
foreach(index RANGE ${last})
  string(JSON name GET "${metadata}" packages ${index} name)
  if(name STREQUAL "sev")
    string(JSON crate GET "${metadata}" packages ${index} manifest_path)
  endif()
endforeach()
cmake_path(GET crate PARENT_PATH crate)

set(text "")
foreach(product milan genoa turin)
  foreach(role ark ask)
    file(READ ${crate}/src/certs/snp/builtin/${product}/${role}.pem pem)
    string(APPEND text "${pem}\n")
  endforeach()
endforeach()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "#include \"evidence/snp/amd_roots.h\"

namespace coffer::evidence::snp {
const std::string_view amd_certificates_pem = R\"pem(${text})pem\";
}  // namespace coffer::evidence::snp
")
