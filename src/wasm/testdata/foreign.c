/* Wants a function of the host that WASI does not have. */
__attribute__((import_module("env"), import_name("launch"))) int launch(void);

int main(void) { return launch(); }
