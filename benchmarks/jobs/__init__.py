"""The jobs of `make bench`, in their order. Each is a module with a TITLE and `run(bench)`, which returns its rows."""

from types import ModuleType

from benchmarks.jobs import code_out_code_in, forward_auth, growth, introspect, mail, memory, who_am_i, workers

JOBS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (who_am_i, code_out_code_in, introspect, forward_auth, workers, mail, memory, growth)
}
