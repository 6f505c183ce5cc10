;; A worker's plugin. What it does goes by the first letter of the task's name:
;;   d  denies with the reason "not on my machine"       q  denies without one
;;   t  traps in authorize     l  never comes back from it
;;   e  traps in enrich        s  traps in on-task-start
;; and a task whose id begins with c traps in on-task-complete.
;; It adds the variables PLUGIN=yes, and STARTED, ENDED and FAILED with the number (one digit) of tasks that it was told
;; of since it was made, and writes "task starts" and its id to standard error. plugin.wasm is made of it by the Python
;; package wasmtime:
;;   python3 -c "import wasmtime, sys; sys.stdout.buffer.write(wasmtime.wat2wasm(open('plugin.wat').read()))" > plugin.wasm
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $out (sub resource)))
    (alias outer 1 $error (type $outer-error))
    (export "error" (type $error' (eq $outer-error)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error')) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $out (type $outer-out))
    (export "output-stream" (type $out' (eq $outer-out)))
    (export "get-stderr" (func (result (own $out'))))))

  (core module $heap
    (memory (export "memory") 4)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.xor (i32.sub (local.get $align) (i32.const 1)) (i32.const -1))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $next) (i32.const 262144)) (then unreachable))
      (local.get $at))
    ;; All that was given for one call.
    (func (export "forget") (global.set $next (i32.const 4096))))
  (core instance $heap (instantiate $heap))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "realloc" (core func $realloc))
  (core func $get-stderr (canon lower (func $stderr "get-stderr")))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory) (realloc $realloc)))
  (core func $drop (canon resource.drop $out))

  (core module $guest
    (import "heap" "memory" (memory 4))
    (import "heap" "forget" (func $forget))
    (import "host" "get-stderr" (func $get-stderr (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (global $started (mut i32) (i32.const 48))
    (global $ended (mut i32) (i32.const 48))
    (global $failed (mut i32) (i32.const 48))
    (data (i32.const 16) "not on my machine")
    (data (i32.const 48) "PLUGIN") (data (i32.const 56) "yes")
    (data (i32.const 64) "STARTED") (data (i32.const 72) "ENDED") (data (i32.const 80) "FAILED")
    (data (i32.const 96) "task starts ")

    (func $first (param $at i32) (param $size i32) (result i32)
      (if (result i32) (local.get $size) (then (i32.load8_u (local.get $at))) (else (i32.const 0))))
    (func $say (param $at i32) (param $size i32) (local $stream i32)
      (local.set $stream (call $get-stderr))
      (call $write (local.get $stream) (local.get $at) (local.get $size) (i32.const 1024))
      (call $drop (local.get $stream)))

    ;; {allow: u8 at 0, reason: option<string> at 4}, at 256.
    (func (export "authorize")
      (param $id i32) (param $id_size i32) (param $name i32) (param $name_size i32) (param $image i32)
      (param $image_size i32) (param $cli i32) (param $cli_size i32) (param $env i32) (param $env_size i32)
      (param $daemon i32) (param $encrypted i32) (result i32) (local $letter i32)
      (local.set $letter (call $first (local.get $name) (local.get $name_size)))
      (if (i32.eq (local.get $letter) (i32.const 0x74)) (then unreachable))
      (if (i32.eq (local.get $letter) (i32.const 0x6c)) (then (loop $again (br $again))))
      (i32.store (i32.const 256) (i32.const 1))
      (i32.store (i32.const 260) (i32.const 0))
      (if (i32.eq (local.get $letter) (i32.const 0x71)) (then (i32.store (i32.const 256) (i32.const 0))))
      (if (i32.eq (local.get $letter) (i32.const 0x64)) (then
        (i32.store (i32.const 256) (i32.const 0))
        (i32.store (i32.const 260) (i32.const 1))
        (i32.store (i32.const 264) (i32.const 16))
        (i32.store (i32.const 268) (i32.const 17))))
      (call $forget)
      (i32.const 256))

    (func $pair (param $at i32) (param $name i32) (param $name_size i32) (param $value i32) (param $value_size i32)
      (i32.store (local.get $at) (local.get $name))
      (i32.store offset=4 (local.get $at) (local.get $name_size))
      (i32.store offset=8 (local.get $at) (local.get $value))
      (i32.store offset=12 (local.get $at) (local.get $value_size)))
    ;; The list's address and length at 256, its pairs at 272, the digits at 352.
    (func (export "enrich")
      (param $id i32) (param $id_size i32) (param $name i32) (param $name_size i32) (param $image i32)
      (param $image_size i32) (param $cli i32) (param $cli_size i32) (param $env i32) (param $env_size i32)
      (param $daemon i32) (param $encrypted i32) (result i32)
      (if (i32.eq (call $first (local.get $name) (local.get $name_size)) (i32.const 0x65)) (then unreachable))
      (i32.store8 (i32.const 352) (global.get $started))
      (i32.store8 (i32.const 353) (global.get $ended))
      (i32.store8 (i32.const 354) (global.get $failed))
      (call $pair (i32.const 272) (i32.const 48) (i32.const 6) (i32.const 56) (i32.const 3))
      (call $pair (i32.const 288) (i32.const 64) (i32.const 7) (i32.const 352) (i32.const 1))
      (call $pair (i32.const 304) (i32.const 72) (i32.const 5) (i32.const 353) (i32.const 1))
      (call $pair (i32.const 320) (i32.const 80) (i32.const 6) (i32.const 354) (i32.const 1))
      (i32.store (i32.const 256) (i32.const 272))
      (i32.store (i32.const 260) (i32.const 4))
      (call $forget)
      (i32.const 256))

    (func (export "on-task-start")
      (param $id i32) (param $id_size i32) (param $name i32) (param $name_size i32) (param $image i32)
      (param $image_size i32) (param $cli i32) (param $cli_size i32) (param $env i32) (param $env_size i32)
      (param $daemon i32) (param $encrypted i32)
      (if (i32.eq (call $first (local.get $name) (local.get $name_size)) (i32.const 0x73)) (then unreachable))
      (global.set $started (i32.add (global.get $started) (i32.const 1)))
      (memory.copy (i32.const 108) (local.get $id) (local.get $id_size))
      (call $say (i32.const 96) (i32.add (i32.const 12) (local.get $id_size)))
      (call $forget))

    (func (export "on-task-complete")
      (param $id i32) (param $id_size i32) (param $success i32) (param $has_output i32) (param $output i32)
      (param $output_size i32) (param $has_error i32) (param $error i32) (param $error_size i32)
      (if (i32.eq (call $first (local.get $id) (local.get $id_size)) (i32.const 0x63)) (then unreachable))
      (global.set $ended (i32.add (global.get $ended) (i32.const 1)))
      (if (i32.eqz (local.get $success)) (then
        (if (i32.eqz (local.get $has_error)) (then unreachable))
        (global.set $failed (i32.add (global.get $failed) (i32.const 1)))))
      (call $forget)))
  (core instance $guest (instantiate $guest
    (with "heap" (instance $heap))
    (with "host" (instance
      (export "get-stderr" (func $get-stderr)) (export "write" (func $write)) (export "drop" (func $drop))))))

  (type $task-info (record
    (field "id" string) (field "name" string) (field "image-url" string) (field "cli-args" (list string))
    (field "env" (list (tuple string string))) (field "daemon" bool) (field "encrypted" bool)))
  (type $authorize-response (record (field "allow" bool) (field "reason" (option string))))
  (type $enrich-response (record (field "env" (list (tuple string string)))))
  (type $task-result (record
    (field "task-id" string) (field "success" bool) (field "output" (option string)) (field "error" (option string))))
  (func $authorize (param "task" $task-info) (result $authorize-response)
    (canon lift (core func $guest "authorize") (memory $memory) (realloc $realloc)))
  (func $enrich (param "task" $task-info) (result $enrich-response)
    (canon lift (core func $guest "enrich") (memory $memory) (realloc $realloc)))
  (func $on-task-start (param "task" $task-info)
    (canon lift (core func $guest "on-task-start") (memory $memory) (realloc $realloc)))
  (func $on-task-complete (param "outcome" $task-result)
    (canon lift (core func $guest "on-task-complete") (memory $memory) (realloc $realloc)))

  ;; Gives the types their names, which an exported interface must have.
  (component $lifecycle
    (type $task-info' (record
      (field "id" string) (field "name" string) (field "image-url" string) (field "cli-args" (list string))
      (field "env" (list (tuple string string))) (field "daemon" bool) (field "encrypted" bool)))
    (import "in-task-info" (type $task-info (eq $task-info')))
    (type $authorize-response' (record (field "allow" bool) (field "reason" (option string))))
    (import "in-authorize-response" (type $authorize-response (eq $authorize-response')))
    (type $enrich-response' (record (field "env" (list (tuple string string)))))
    (import "in-enrich-response" (type $enrich-response (eq $enrich-response')))
    (type $task-result' (record
      (field "task-id" string) (field "success" bool) (field "output" (option string))
      (field "error" (option string))))
    (import "in-task-result" (type $task-result (eq $task-result')))
    (import "in-authorize" (func $authorize (param "task" $task-info) (result $authorize-response)))
    (import "in-enrich" (func $enrich (param "task" $task-info) (result $enrich-response)))
    (import "in-on-task-start" (func $on-task-start (param "task" $task-info)))
    (import "in-on-task-complete" (func $on-task-complete (param "outcome" $task-result)))
    (export $task-info'' "task-info" (type $task-info))
    (export $authorize-response'' "authorize-response" (type $authorize-response))
    (export $enrich-response'' "enrich-response" (type $enrich-response))
    (export $task-result'' "task-result" (type $task-result))
    (export "authorize" (func $authorize) (func (param "task" $task-info'') (result $authorize-response'')))
    (export "enrich" (func $enrich) (func (param "task" $task-info'') (result $enrich-response'')))
    (export "on-task-start" (func $on-task-start) (func (param "task" $task-info'')))
    (export "on-task-complete" (func $on-task-complete) (func (param "outcome" $task-result''))))
  (instance $exported (instantiate $lifecycle
    (with "in-task-info" (type $task-info))
    (with "in-authorize-response" (type $authorize-response))
    (with "in-enrich-response" (type $enrich-response))
    (with "in-task-result" (type $task-result))
    (with "in-authorize" (func $authorize))
    (with "in-enrich" (func $enrich))
    (with "in-on-task-start" (func $on-task-start))
    (with "in-on-task-complete" (func $on-task-complete))))
  (export "propeller:proplet-plugin/lifecycle@0.1.0" (instance $exported)))
