# coffer_protocol(NAME file.proto...): messages and gRPC stubs of files in proto/, as library coffer_NAME_protocol whose
# headers are included as "file.pb.h" and "file.grpc.pb.h".
function(coffer_protocol name)
  set(directory ${CMAKE_BINARY_DIR}/generated/${name}_protocol)
  file(MAKE_DIRECTORY ${directory})
  set(sources "")
  foreach(file IN LISTS ARGN)
    get_filename_component(stem ${file} NAME_WE)
    set(made ${directory}/${stem}.pb.cc ${directory}/${stem}.pb.h ${directory}/${stem}.grpc.pb.cc
             ${directory}/${stem}.grpc.pb.h)
    add_custom_command(
      OUTPUT ${made}
      COMMAND protobuf::protoc -I${CMAKE_SOURCE_DIR}/proto --cpp_out=${directory} --grpc_out=${directory}
              --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${CMAKE_SOURCE_DIR}/proto/${file}
      DEPENDS ${CMAKE_SOURCE_DIR}/proto/${file}
      VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  add_library(coffer_${name}_protocol STATIC ${sources})
  target_include_directories(coffer_${name}_protocol SYSTEM PUBLIC ${directory})
  target_link_libraries(coffer_${name}_protocol PUBLIC gRPC::grpc++ protobuf::libprotobuf)
  target_compile_options(coffer_${name}_protocol PRIVATE -w)
endfunction()
